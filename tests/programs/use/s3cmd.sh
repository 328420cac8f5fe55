printf '[default]\naccess_key = a\nsecret_key = b\nhost_base = %s\nhost_bucket = %s\nuse_https = False\n' "${SITE#*//}" "${SITE#*//}" > .s3cfg
"$P" --dump-config > cfg; grep 'access_key = a' cfg; grep 'use_https = False' cfg
"$P" signurl s3://b/k +60 | grep Signature; { "$P" ls s3://b 2>&1 || true; } | grep 404
