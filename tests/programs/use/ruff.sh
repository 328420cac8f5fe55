printf 'import os\nx = 1\n' > a.py
! "$P" check a.py; "$P" check --fix -q --select F a.py; test "$(cat a.py)" = 'x = 1'
test "$(echo 'x  =  1' | "$P" format -)" = 'x = 1'
