curl -s "$SITE/a.json" > a.json; "$P" --json a.json | grep '"b": "x"'; printf '# Head\n\n* one\n' > a.md; "$P" -m a.md | grep Head
printf 'a,b\n1,2\n' > t.csv; "$P" --csv t.csv | grep '│'; printf 'def f(): pass\n' > a.py; "$P" --force-terminal -n a.py | grep -q 'def'
