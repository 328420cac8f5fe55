"$P" --ignore-stdin "$SITE/a.json" | grep -q '"b": "x"'
"$P" --ignore-stdin --verify="$CA" "$TLS/p1.html" | grep -q 'text 1'
! "$P" --ignore-stdin "$TLS/p1.html"
"$P" --ignore-stdin --verify="$CA" --pretty=all POST "$TLS/x" name=joe | grep -q joe
echo hi > up.txt; "$P" --ignore-stdin -f POST "$SITE/up" f@up.txt | grep -q 'filename="up.txt"'
"$P" --ignore-stdin --download -o out.json "$SITE/a.json"; grep -q 3 out.json
"$P" --ignore-stdin --session=s1 "$SITE/a.json" X-Y:z > /dev/null; find .config -name s1.json | grep -q s1
