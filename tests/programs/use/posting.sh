"$P" locate config | grep "$HOME"; "$P" locate collection
printf 'name: one\nurl: %s/a.json\n' "$SITE" > one.posting.yaml
(sleep 4; printf '\021'; sleep 2; printf '\003') | timeout 60 script -qec "stty rows 40 cols 120; '$P' --collection ." screen > /dev/null; grep -q one screen
