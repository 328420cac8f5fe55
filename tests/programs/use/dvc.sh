git config --global user.email a@b; git config --global user.name n; git init -q
"$P" init -q; echo data > d.txt; "$P" add -q d.txt; grep -q md5 d.txt.dvc
printf 'stages:\n  up:\n    cmd: tr a-z A-Z < d.txt > u.txt\n    deps: [d.txt]\n    outs: [u.txt]\n' > dvc.yaml
"$P" repro; grep DATA u.txt; "$P" status | grep 'up to date'; rm u.txt; "$P" checkout; grep DATA u.txt; "$P" dag | grep up
