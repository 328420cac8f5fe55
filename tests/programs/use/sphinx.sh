printf "project='P'\nextensions=['sphinx.ext.autodoc','sphinx.ext.viewcode']\nimport sys; sys.path.insert(0,'.')\n" > conf.py
printf 'def f(x):\n    """Doc of f."""\n' > mod.py; printf 'T\n=\n\n.. automodule:: mod\n   :members:\n' > index.rst
"$P" -j 2 -b html . html; grep -q 'Doc of f' html/index.html; ls html/_static/alabaster.css
"$P" -b latex . tex; ls tex/p.tex; "$P" -D language=de . de; grep -q Suche de/index.html
