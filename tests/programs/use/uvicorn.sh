. "${0%/*}/served.bash"
cp "${0%/*}/asgi.py" .
served http://127.0.0.1:18603/x "$P" asgi:app --port 18603; grep -q 'asgi /x' answer
served http://127.0.0.1:18604/x "$P" asgi:app --port 18604 --workers 2; grep -q 'asgi /x' answer
served http://127.0.0.1:18605/x "$P" --app-dir . asgi:app --port 18605 --reload; grep -q 'asgi /x' answer
