export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=y AWS_DEFAULT_REGION=eu-west-1
{ "$P" --endpoint-url "$SITE" s3 ls s3://b 2>&1 || true; } | grep 'ListObjectsV2 operation: Not Found'
"$P" --ca-bundle "$CA" --endpoint-url "$TLS" dynamodb list-tables
"$P" ec2 describe-instances --generate-cli-skeleton | grep -q InstanceIds
{ "$P" ec2 describe-foo 2>&1 || true; } | grep describe-fl
"$P" configure set region us-east-2; grep us-east-2 .aws/config
