# $1: where it listens; then the command. Leaves the answer in `answer`.
served() {
    url=$1; shift
    "$@" > log 2>&1 & server=$!
    for _ in $(seq 100); do curl -sf "$url" > answer && break; sleep 0.2; done
    kill -TERM $server; wait $server || test $? = 143 || { cat log; return 1; }
}
printf 'import streamlit as st, pandas as pd\nst.write(pd.DataFrame({"a": [1]}))\n' > app.py
served http://127.0.0.1:18610/ "$P" run app.py --server.port 18610 --server.headless true --browser.gatherUsageStats false
grep '<title>Streamlit' answer
