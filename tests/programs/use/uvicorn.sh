# $1: where it listens; then the command. Leaves the answer in `answer`.
served() {
    url=$1; shift
    "$@" > log 2>&1 & server=$!
    for _ in $(seq 100); do curl -sf "$url" > answer && break; sleep 0.2; done
    kill -TERM $server; wait $server || test $? = 143 || { cat log; return 1; }
}
cat > asgi.py <<"Q"
import os
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": kind + ".complete"})
            if kind.endswith("shutdown"):
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"asgi " + scope["path"].encode()})
Q
served http://127.0.0.1:18603/x "$P" asgi:app --port 18603; grep -q 'asgi /x' answer
served http://127.0.0.1:18604/x "$P" asgi:app --port 18604 --workers 2; grep -q 'asgi /x' answer
served http://127.0.0.1:18605/x "$P" --app-dir . asgi:app --port 18605 --reload; grep -q 'asgi /x' answer
