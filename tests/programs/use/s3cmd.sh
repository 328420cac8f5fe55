"$P" --dump-config > cfg; grep 'host_base = s3.amazonaws.com' cfg
printf '[default]\naccess_key = a\nsecret_key = b\nhost_base = %s\nhost_bucket = %s\nuse_https = False\n' "${SITE#*//}" "${SITE#*//}" > .s3cfg
"$P" signurl s3://b/k +60 | grep Signature; { "$P" ls s3://b 2>&1 || true; } | grep 404
