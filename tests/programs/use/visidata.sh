printf 'a,b\n3,x\n' > t.csv; "$P" -b t.csv -o out.json; grep '"a": "3"' out.json
