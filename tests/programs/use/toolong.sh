for i in $(seq 300); do echo "2026-01-01 10:00:00 line number $i"; done > a.log
(sleep 5; printf 'q'; sleep 1; printf '\003') | timeout 60 script -qec "stty rows 40 cols 120; '$P' a.log" screen > /dev/null
grep -q 'line' screen; ! grep -a Traceback screen
