. "${0%/*}/served.bash"
mkdir plugins tpl
printf 'from datasette import hookimpl\n@hookimpl\ndef prepare_connection(conn):\n    conn.create_function("shout", 1, str.upper)\n@hookimpl\ndef extra_template_vars(): return {"mine": "MINE"}\n' > plugins/p.py
echo '{{ mine }} {% for d in databases %}{{ d.name }}{% endfor %}' > tpl/index.html
"$P" --memory --plugins-dir plugins --get '/_memory.json?sql=select+shout("hi")+as+x' | grep HI
"$P" --memory --plugins-dir plugins --template-dir tpl --get / | grep 'MINE _memory'
served http://127.0.0.1:18609/ "$P" serve --create t.db -p 18609; grep '<title>Datasette' answer
