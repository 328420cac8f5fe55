. "${0%/*}/served.bash"
cp "${0%/*}/asgi.py" .
served http://127.0.0.1:18602/x "$P" --interface asgi asgi:app --port 18602 --workers 2; grep -q 'asgi /x' answer
