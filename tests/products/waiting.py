"""Small modules with statements that look at the machine, and what depends on these."""

from __future__ import annotations

__all__ = ["STAYS", "WAITS"]

#: Name -> text of modules that are in a snapshot, though some of their statements wait for the start.
WAITS = {
    "ahead": "from .zlast import V\nW = V",
    "alias": "from .simple import V as W\nV = W",
    "annotated": "import os\nV: str = os.getcwd()\nA = list(__annotations__)",
    "attribute": "from . import simple\nV = simple.V + '!'",
    "augmented": "import os\nV = 'x'\nV += os.getcwd()",
    "branch": "import sys\nif sys.stdout.isatty():\n    V = 'tty'\nelse:\n    V = 'file'",
    "branches": (
        "import os, sys\nif sys.platform == 'linux':\n    X = os.getcwd()\n    V = X, 1\nelse:\n    V = 2"
    ),
    "called": "import os\nHERE = os.getcwd()\ndef f(): return HERE\nV = f()",
    "called_from_afar": "from .called import f\nW = f()\nV = W + '!'",
    "chain": "from .alias import V as W\nX = [W]\nV = [*X, len(X)]",
    "classvar": (
        "import os\nfrom .simple import V as HERE\nclass A:\n    limit = 1\n    here = HERE\n"
        "    both = here, limit\n    home: str = os.path.expanduser('~')\n    def get(self, extra=HERE): return self.home, extra\n"
        "def v(): return A.both, A.home, A().get(), list(A.__annotations__)"
    ),
    "closed": "import os\ndef make():\n    x = os.getcwd()\n    return lambda: x\nF = make()\ndef v(): return F()",
    "conditional": "import os\nV = os.environ.get('HOME') or None\nV = V if V else 'none'",
    "decorated": (
        "import os\nTABLE = {}\nclass Table:\n    def __init__(self): self.known = {}\n    def add(self, f):\n"
        "        self.known[f.__name__] = f; return f\nT = Table() if os.getcwd() else None\n@T.add\n"
        "def one(): return 1\ndef v(): return T.known['one'](), one()"
    ),
    "decorator": (
        "import os\ndef keep(*, where):\n    def mark(f):\n        f.where = where; return f\n    return mark\n"
        "@keep(\n    where=os.getcwd()\n)\n@keep(where=2)\ndef one(): return one.where\n"
        "@keep(\n    where=os.getcwd()\n)\nclass A:\n    pass\ndef v(): return one(), A.where"
    ),
    "default": "import os\ndef f(a, b=os.getcwd(), *, c=3, d=os.path.expanduser('~')): return a, b, c, d\ndef v(): return f(1)",
    "descriptor": (
        "import os\nclass D:\n    def __init__(self, v): self.v = v\n    def __set_name__(self, o, n): self.n = n\n"
        "    def __get__(self, i, o): return self.v, self.n\nclass A:\n    here = D(os.getcwd())\ndef v(): return A.here"
    ),
    "future": "from __future__ import annotations\nimport os\nV: Nothing = os.getcwd()\nA = __annotations__['V']",
    "handled": "import os\ntry:\n    V = open('/nonexistent').read()\nexcept OSError as error:\n    V = error.errno",
    "late_class": (
        "import os\nBASE = type('Base', (), {'here': os.getcwd()})\nclass A(BASE):\n    def get(self): return super().here\n"
        "def v(): return A().get(), A.__qualname__"
    ),
    "metaclass": (
        "import os\nclass M(type):\n    def __new__(m, n, b, d):\n"
        "        d['all'] = sorted(k for k in d if k[0] != '_')\n        return type.__new__(m, n, b, d)\n"
        "class A(metaclass=M):\n    here = os.getcwd()\ndef v(): return A.all, A.here"
    ),
    "nested": "import os\nclass A:\n    class B:\n        here = os.getcwd()\ndef v(): return A.B.here",
    "once": "COUNT = []\ndef f():\n    import os\n    COUNT.append(1)\n    return os.getcwd()\nV = f()\ndef v(): return COUNT, V",
    "path": "from pathlib import Path\nHOME = Path.home()\nCONFIG = HOME / '.config'\ndef v(): return str(CONFIG)",
    "removed": "import os\nX = os.getcwd()\nV = X * 2\ndel X\ndef v(): return V, 'X' in globals()",
    "simple": "import os\nV = os.getcwd()",
    "streams": "import sys\nclass A:\n    out = sys.stdout\n    tty: bool = out.isatty()\ndef v(): return A.tty",
    "unpacked": "import os\nV, (W, *X) = os.getcwd(), 'abc'\ndef v(): return V, W, X",
    "zlast": "import os\nV = os.getcwd()",
    "walrus": "import os\nV = (W := os.getcwd()) + W",
}

#: The same of modules that can't be: everything of them waits for the start, and works.
STAYS = {
    "enumerated": "import enum, os\nclass A(enum.Enum):\n    HERE = os.getcwd()\ndef v(): return A.HERE.value",
    "executed": "exec('import os\\n\\nV = os.getcwd()')",
    "hidden": "import os\nclass A:\n    __here = os.getcwd()\n    def get(self): return self.__here\ndef v(): return A().get()",
    "item": "import os\nD = {}\nD['here'] = os.getcwd()\nV = D",
    "registered": "import os\nfrom .registry import register\nregister(os.getcwd())\nfrom .registry import ALL\ndef v(): return ALL",
    "starred": "from .simple import *\ndef v(): return V",
    "subclasses": (
        "import os\nclass B:\n    def __init_subclass__(c): c.seen = sorted(k for k in vars(c) if k[0] != '_')\n"
        "class A(B):\n    here = os.getcwd()\ndef v(): return A.seen, A.here"
    ),
    "tupled": "import os, typing\nclass A(typing.NamedTuple):\n    here: str = os.getcwd()\ndef v(): return A().here",
    "two_ways": "import os\nV = os.getcwd()\ndef f():\n    global V\n    V = 1\nf()",
}
