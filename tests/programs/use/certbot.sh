mkdir c w l; C="--config-dir c --work-dir w --logs-dir l"
"$P" $C plugins | grep standalone; "$P" $C certificates | grep 'No certificates'
! REQUESTS_CA_BUNDLE=$CA "$P" $C certonly -n --standalone -d x.example --server "$TLS/a.json" --agree-tos -m a@example.org
grep -q 'GET /a.json' l/letsencrypt.log
