mkdir p .config; cd p
printf 'def f(x: int) -> str:\n    return x\n' > a.py; printf 'from a import f\nf("x")\n' > b.py
{ "$P" a.py b.py || true; } > out; grep 'Incompatible return value' out; grep 'Found 2 errors in 2 files' out
ls .mypy_cache; { "$P" a.py b.py || true; } | cmp - out
printf 'def g(x): return x\n' > c.py; "$P" c.py
printf '[mypy]\nplugins = %s/plugin.py\ndisallow_untyped_defs = True\n' "$HOME" > ../.mypy.ini
printf 'from mypy.plugin import Plugin\nprint("plugin")\ndef plugin(version): return Plugin\n' > ../plugin.py
{ "$P" c.py || true; } > out; grep plugin out; grep 'missing a type annotation' out
