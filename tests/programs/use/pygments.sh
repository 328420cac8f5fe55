printf 'def f(): return "x"\n' > a.py; "$P" -f html a.py | grep '<span class="k">def'; "$P" -S monokai -f html | grep background
test "$("$P" -L lexers | grep -c '^\*')" -gt 400; "$P" -N a.py | grep python; "$P" -g -f terminal256 a.py
printf 'from pygments.lexer import RegexLexer\nfrom pygments.token import Keyword\nclass CustomLexer(RegexLexer):\n    tokens = {"root": [("[a-z]+", Keyword)]}\n' > mine.py
echo abc | "$P" -x -l mine.py -f html | grep '<span class="k">abc'
