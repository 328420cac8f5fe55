curl -s "$SITE/a.json" > a.json; "$P" a.json | grep 'x'; printf 'a;b\n1;2\n' | "$P" -f csv -d ';' | grep 'a,b'
echo garbage > g.xls; { "$P" g.xls 2>&1 || true; } | grep 'corrupt file'
