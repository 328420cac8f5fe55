mkdir s; printf 'import subprocess\nsubprocess.call("ls", shell=True)\nassert 1\n' > s/a.py
{ "$P" -q -f json -r s || true; } | grep B607; { "$P" -q -f html -r s || true; } | grep 'shell=True'
{ "$P" -r s || true; } | grep 'Low: 4'; "$P" -q -r s -x s/a.py; "$P" -q -t B108 -r s
