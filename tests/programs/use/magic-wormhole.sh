COACHWHIP_INTERPRETER=1 "$P" -m twisted wormhole-mailbox --port tcp:18620:interface=127.0.0.1 > log 2>&1 & server=$!
for _ in $(seq 100); do curl -sf http://127.0.0.1:18620/ > /dev/null && break; sleep 0.2; done
W="--relay-url ws://127.0.0.1:18620/v1 --transit-helper tcp:127.0.0.1:9"
"$P" $W send --text 'over the wire' --code 1-a-b & "$P" $W receive 1-a-b | grep 'over the wire'; wait $!
head -c 200000 /dev/urandom > f; mkdir to
"$P" $W send f --code 2-a-b & (cd to; "$P" $W receive --accept-file 2-a-b); wait $!
cmp f to/f; kill $server; wait $server || true
