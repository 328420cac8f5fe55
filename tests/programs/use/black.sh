mkdir src; for i in $(seq 80); do echo "def f( a,b ): return  { 'a':a, 'b' : [1,2] }" > src/m$i.py; done
"$P" --version | grep 'compiled: yes'
! "$P" --check src
"$P" -W 2 src; "$P" --check src; grep -q '"a": a' src/m7.py; ls .cache/black/*/cache.*
echo 'x = (' > bad.py; "$P" bad.py || test $? = 123
test "$(echo 'x  =  1' | "$P" -q -)" = 'x = 1'
mkdir there; echo 'x  =  1' > y.py; XDG_CACHE_HOME=$HOME/there "$P" -q y.py; ls there/black/*/cache.*
