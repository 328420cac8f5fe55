seq 100 | "$P" --total 100 > out 2> err; test "$(wc -l < out)" = 100; grep '100%.*100/100' err
head -c 5000000 /dev/zero | "$P" --bytes 2> err | wc -c | grep 5000000; grep '4.77M' err; ! "$P" --nonsense < /dev/null
