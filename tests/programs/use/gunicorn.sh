# $1: where it listens; then the command. Leaves the answer in `answer`.
served() {
    url=$1; shift
    "$@" > log 2>&1 & server=$!
    for _ in $(seq 100); do curl -sf "$url" > answer && break; sleep 0.2; done
    kill -TERM $server; wait $server || test $? = 143 || { cat log; return 1; }
}
printf 'def app(env, start):\n    start("200 OK", [])\n    return [b"wsgi " + env["PATH_INFO"].encode()]\n' > wsgi.py
served http://127.0.0.1:18606/x "$P" wsgi:app -b 127.0.0.1:18606 -w 2; grep -q 'wsgi /x' answer
