. "${0%/*}/served.bash"
printf 'def app(env, start):\n    start("200 OK", [])\n    return [b"wsgi " + env["PATH_INFO"].encode()]\n' > wsgi.py
served http://127.0.0.1:18606/x "$P" wsgi:app -b 127.0.0.1:18606 -w 2; grep -q 'wsgi /x' answer
