mkdir -p 'tmpl/{{cookiecutter.name}}' tmpl/hooks; echo '{"name":"demo","up":"{{ cookiecutter.name|upper }}"}' > tmpl/cookiecutter.json
echo 'hi {{ cookiecutter.up }}' > 'tmpl/{{cookiecutter.name}}/f.txt'; printf 'import sys\nopen("hook", "w").write(sys.prefix)\n' > tmpl/hooks/post_gen_project.py
"$P" --no-input ./tmpl; grep 'hi DEMO' demo/f.txt; grep __app__ demo/hook
