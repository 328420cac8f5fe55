export ANSIBLE_REMOTE_TMP=$HOME/.ansible/tmp
cat > p.yml <<'Q'
- hosts: localhost
  connection: local
  vars: {who: world, home: "{{ lookup('env', 'HOME') }}"}
  tasks:
    - copy: {content: "abc\n", dest: "{{ home }}/x.txt", mode: "0640"}
    - template: {src: t.j2, dest: "{{ home }}/y.txt"}
    - lineinfile: {path: "{{ home }}/x.txt", line: "more"}
    - get_url: {url: "{{ lookup('env', 'SITE') }}/a.json", dest: "{{ home }}/a.json"}
    - command: cat x.txt
      args: {chdir: "{{ home }}"}
Q
echo 'T {{ who | upper }} {{ ansible_facts.python_version }}' > t.j2
"$P" p.yml | grep 'ok=6 *changed=5'
grep more x.txt; grep 'T WORLD 3.13' y.txt; test -s a.json
