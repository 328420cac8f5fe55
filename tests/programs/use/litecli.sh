"$P" s.db -e 'create table people(id, name)'; "$P" s.db -e 'insert into people values (1, "ann")'
"$P" s.db -e 'select * from people' --csv | grep '"1","ann"'
