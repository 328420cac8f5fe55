mkdir p; touch p/__init__.py; for i in 1 2 3 4; do printf 'import os\ndef f():\n    return os.path.joinn(g)\n' > p/m$i.py; done
"$P" -j2 p > out || test $? -gt 1; test "$(grep -c undefined-variable out)" = 4; grep -q "no 'joinn' member" out
printf 'from pylint.checkers import BaseChecker\nclass C(BaseChecker):\n    name="mine"\n    msgs={"W9901":("mine","my-msg","x")}\n    def visit_functiondef(self,node):\n        self.add_message("my-msg",node=node)\ndef register(l):\n    l.register_checker(C(l))\n' > plug.py
{ "$P" --init-hook 'import sys; sys.path.insert(0,".")' --load-plugins=plug p/m1.py || true; } | grep my-msg
{ "$P" --load-plugins=pylint.extensions.mccabe p/m1.py || true; } | grep missing-function-docstring
