"$P" --stdout mem.percent,cpu.total --stop-after 2 -t 1 | grep 'mem.percent: [0-9]'; "$P" --stdout-json load --stop-after 1 -t 1 | grep min15
"$P" --stdout-csv mem.free --stop-after 2 -t 1 | grep '^[0-9]'
