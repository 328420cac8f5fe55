printf '6*7\n!echo shell\n%%pwd\n1/0\n' | "$P" --simple-prompt > out 2>&1 || true
grep 'Out\[1\]: 42' out; grep '^.*shell' out; grep ZeroDivisionError out
"$P" -c 'import asyncio; await asyncio.sleep(0); print(6*7)' | grep 42
