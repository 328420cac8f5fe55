# $1: where it listens; then the command. Leaves the answer in `answer`.
served() {
    url=$1; shift
    "$@" > log 2>&1 & server=$!
    for _ in $(seq 100); do curl -sf "$url" > answer && break; sleep 0.2; done
    kill -TERM $server; wait $server || test $? = 143 || { cat log; return 1; }
}
