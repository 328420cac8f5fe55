"$P" --plugins | grep twitch; "$P" --json "httpstream://$SITE/film.mp4" best | grep '"type": "http"'
"$P" -o f.mp4 "httpstream://$SITE/film.mp4" best; test "$(wc -c < f.mp4)" = 300000
