curl -s "$SITE/a.json" > a.json; "$P" insert t.db rows a.json --pk b; "$P" t.db 'select sum(a) as s from rows' | grep '"s": 4'
"$P" enable-fts t.db rows b; "$P" search t.db rows x | grep '"a": 3'
"$P" convert t.db rows b 'value.upper()'; "$P" rows t.db rows --csv | grep '3,X'; "$P" tables t.db --counts --table | grep rows
