printf '[tox]\nskipsdist = true\nenv_list = a, b\n[testenv]\ncommands = python -c "import sys; print(sys.prefix)"\n' > tox.ini
"$P" list | grep a; "$P" config -e a -k commands | grep prefix
"$P" run > out; grep '/.tox/a$' out; grep '/.tox/b$' out; "$P" run-parallel -p 2 | grep 'b: OK'
