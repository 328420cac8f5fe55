test "$("$P" --list-extractors | wc -l)" -gt 1000
"$P" "$SITE/film.mp4" -o film.mp4; test "$(wc -c < film.mp4)" = 300000
SSL_CERT_FILE=$CA "$P" -j "$TLS/film.mp4" | grep -q '"ext": "mp4"'
"$P" -v "$SITE/film.mp4" -o other.mp4 2>&1 | grep 'Loaded .* extractors'
