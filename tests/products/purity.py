"""Small modules that look at something while they are imported, or do not."""

from __future__ import annotations

__all__ = ["EFFECTS", "IMPURE", "PURE", "SINGLE"]

#: Name -> text of modules that must stay out of a snapshot; each has a `V`.
IMPURE = {
    "argv": "import sys\nV = sys.argv[1:]",
    "argv2": "import sys\nV = list(sys.argv)",
    "argv3": "import sys\nV = '--debug' in sys.argv",
    "argv4": "import argparse\nV = argparse.ArgumentParser().prog",
    "argv5": "import sys, os\nV = os.path.basename(sys.argv[0])",
    "astz": "import datetime\nV = datetime.datetime(2020,1,1).astimezone()",
    "bootid": "import os\nV = os.stat('/').st_dev",
    "chdir": "import os\nos.chdir('/')\nV = os.getcwd()",
    "choice": "from random import choice\nV = choice(range(10**9))",
    "clock": "import time\nV = time.time()",
    "cls": "import os\nclass A:\n    cwd = os.getcwd()\nV = A.cwd",
    "cpu": "import os\nV = os.cpu_count()",
    "cpu2": "import multiprocessing\nV = multiprocessing.cpu_count()",
    "ctyp": "import ctypes\nV = ctypes.CDLL(None).getpid()",
    "ctyp2": "import ctypes.util\nV = ctypes.util.find_library('c')",
    "cwd": "import os\nV = os.getcwd()",
    "cwd2": "import os.path\nV = os.path.abspath('x')",
    "cwd3": "from pathlib import Path\nV = Path('x').resolve()",
    "cwd4": "import os\nV = os.path.realpath('.')",
    "deflt": "import os\ndef f(x=os.getcwd()): return x\nV = f()",
    "dtz": "import datetime\nV = datetime.datetime(2020, 7, 1).timestamp()",
    "dup": "import os\nV = os.dup(1)",
    "dynexec": "exec('import os; V = os.getcwd()')",
    "envb": "import os\nV = os.environb.get(b'USER')",
    "envcopy": "import os\nV = os.environ.copy()",
    "envin": "import os\nV = 'HOME' in os.environ",
    "errprint": "import sys\nsys.stderr.write('err at import\\n')\nV = 1",
    "exp": "import os.path\nV = os.path.expandvars('$HOME/x')",
    "fault": "import faulthandler\nfaulthandler.enable()\nV = faulthandler.is_enabled()",
    "fds": "import os\nV = os.open('/dev/null', os.O_RDONLY)",
    "fileinp": "import fileinput\nV = fileinput.FileInput()._files",
    "filer": "V = open('/etc/hostname').read()",
    "filer2": "import pathlib\nV = pathlib.Path('/etc/hostname').read_text()",
    "filerel": "import os\nV = os.path.exists('some-file')",
    "filex": "import os\nV = os.path.exists('/etc/hostname')",
    "forked": "import os\nP = os.fork()\nif P == 0: os._exit(0)\nV = os.waitpid(P, 0)[1]",
    "fromdot": "from . import home\nV = home.V",
    "fromts": "import datetime\nV = datetime.datetime.fromtimestamp(0)",
    "getattr_os": "import os\nV = getattr(os, 'get' + 'cwd')()",
    "getopt_": "import getopt, sys\nV = getopt.getopt(sys.argv[1:], 'x')",
    "glob_": "import glob\nV = glob.glob('/etc/host*')",
    "grp_": "import grp\nV = grp.getgrgid(0)",
    "home": "import os\nV = os.path.expanduser('~')",
    "home2": "from pathlib import Path\nV = str(Path.home())",
    "host": "import socket\nV = socket.gethostname()",
    "host2": "import platform\nV = platform.node()",
    "implib": "import importlib\nV = importlib.import_module('app.home').V",
    "isatty": "import sys\nV = sys.stdout.isatty()",
    "isatty2": "import os\nV = os.isatty(1)",
    "isatty3": "import sys\nV = sys.stdin.isatty()",
    "lazyfn": "from . import helper\nV = helper.gethome()",
    "lazyimp": "def f():\n    from . import home\n    return home.V\nV = f()",
    "loc": "import locale\nV = locale.getlocale()",
    "loc2": "import locale\nV = locale.setlocale(locale.LC_ALL, '')",
    "loc3": "import locale\nV = locale.getpreferredencoding()",
    "loc4": "import locale\nV = locale.getencoding()",
    "local": "import time\nV = time.localtime(0)",
    "loop": "import asyncio\nL = asyncio.new_event_loop()\nV = L.run_until_complete(asyncio.sleep(0, 5))",
    "lruc": "import functools, os\n@functools.lru_cache\ndef f(): return os.getcwd()\nV = f()",
    "mktime": "import time\nV = time.mktime((2020,1,1,0,0,0,0,0,0))",
    "mmapm": "import mmap\nM = mmap.mmap(-1, 4096)\nV = 1",
    "mono": "import time\nV = time.monotonic()",
    "mpev": "import multiprocessing\nX = multiprocessing.Event()\nV = X.is_set()",
    "mpq": "import multiprocessing\nQ = multiprocessing.Queue()\nV = 1",
    "mpv": "import multiprocessing\nX = multiprocessing.Value('i', 3)\nV = X.value",
    "now": "import datetime\nV = datetime.datetime.now()",
    "ntid": "import threading\nV = threading.get_native_id()",
    "opened": "import os\nV = os.path.isfile('/etc/passwd')",
    "pid": "import os\nV = os.getpid()",
    "pipe": "import os\nP = os.pipe()\nV = P[0]",
    "pool": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "P = ThreadPoolExecutor(1)\nV = P.submit(lambda: 1).result()"
    ),
    "posixm": "import posix\nV = posix.getcwd()",
    "printer": "print('printed at import')\nV = 1",
    "prio": "import os\nV = os.getpriority(os.PRIO_PROCESS, 0)",
    "ptime": "import time\nV = time.process_time()",
    "putenv": "import os\nos.putenv('COACH_SET3', '1')\nV = 1",
    "pwd_": "import pwd\nV = pwd.getpwuid(0).pw_dir",
    "readl": "import readline\nV = readline.get_history_length()",
    "resolv": "import socket\nV = socket.getaddrinfo('localhost', 80)[0][4]",
    "rlim": "import resource\nV = resource.getrlimit(resource.RLIMIT_NOFILE)",
    "rnd": "import random\nV = random.random()",
    "rndinst": "import random\nR = random.Random()\nV = R.random()",
    "rndsys": "import random\nV = random.SystemRandom().random()",
    "secrets_": "import secrets\nV = secrets.token_hex()",
    "seeded": "import random\nrandom.seed(42)\nV = 1",
    "selectm": "import select\nV = select.epoll()",
    "selm": "import selectors\nV = selectors.DefaultSelector()",
    "sem": "import multiprocessing\nL = multiprocessing.Lock()\nV = L.acquire(False)",
    "setdef": "import os\nV = os.environ.setdefault('COACH_SET2', '1')",
    "setenv": "import os\nos.environ['COACH_SET'] = '1'\nV = 1",
    "shelve_": "import dbm\nV = dbm.whichdb('/etc/hostname')",
    "shuf": "import random\nV = random.sample(range(10**6), 3)",
    "sigmask": "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\nV = 1",
    "sock": "import socket\nS = socket.socket()\nV = S.fileno()",
    "sockpair": "import socket\nS = socket.socketpair()\nV = S[0].fileno()",
    "sslc": "import ssl\nC = ssl.create_default_context()\nV = len(C.get_ca_certs())",
    "sslr": "import ssl\nV = ssl.RAND_bytes(8)",
    "star": "from app.home import *",
    "stdoutenc": "import sys\nV = sys.stdout.errors",
    "strftime": "import time\nV = time.strftime('%Z', time.localtime(0))",
    "sub": "import subprocess\nV = subprocess.run(['echo', 'x'], capture_output=True).stdout",
    "subpkg_user": "import app.clock\nV = app.clock.V",
    "system": "import os\nV = os.system('true')",
    "term": "import shutil\nV = shutil.get_terminal_size()",
    "termios_": "import termios\ntry:\n    V = termios.tcgetattr(1)\nexcept termios.error as e: V = str(e)",
    "thread": (
        "import threading\nV = []\nT = threading.Thread(target=V.append, args=(1,))\nT.start(); T.join()"
    ),
    "tid": "import threading\nV = threading.get_ident()",
    "times": "import os\nV = os.times()",
    "timet": "import timeit\nV = timeit.default_timer()",
    "tmpd": "import tempfile\nV = tempfile.gettempdir()",
    "today": "from datetime import date\nV = date.today()",
    "tracem": "import tracemalloc\ntracemalloc.start()\nV = tracemalloc.is_tracing()",
    "tryimp": "try:\n    from .home import V\nexcept ImportError:\n    V = None",
    "tzname": "import time\nV = time.tzname",
    "tzone": "from time import timezone as V",
    "uid": "import os\nV = os.getuid()",
    "umask": "import os\nos.umask(0o77)\nV = 1",
    "under": "import sys\nprint('x', file=sys.__stdout__)\nV = 1",
    "urandom": "import os\nV = os.urandom(4)",
    "usersite": "import site\nV = site.getusersitepackages()",
    "utcnow": "import datetime\nV = datetime.datetime.now(datetime.timezone.utc)",
    "uuid1_": "import uuid\nV = uuid.uuid1()",
    "uuid_": "import uuid\nV = uuid.uuid4()",
    "viafn": "from .helper import gethome\nV = gethome()",
    "warner": "import warnings\nwarnings.warn('warned at import')\nV = 1",
    "which": "import shutil\nV = shutil.which('sh')",
    "wrbuf": "import sys\nsys.stdout.buffer.write(b'')\nV = 1",
}

#: The same of modules that must be in it.
PURE = {
    "allobj": "import gc\nfrom . import helper\nV = 1 / any(o is vars(helper) for o in gc.get_objects())",
    "lines": "import linecache\nV = linecache.getlines('<frozen importlib._bootstrap>')",
    "fdover": "with open(__file__):\n    from . import pure1\nV = 1",
    "ctxv": "import contextvars\nC = contextvars.ContextVar('c')\nC.set(7)\nV = C.get()",
    "curs": "import curses\nV = curses.ERR",
    "ev": "import threading\nV = threading.Event()\nV.set()",
    "getenv": "import os\nV = os.getenv('MYVAR')",
    "getenvb": "import os\nV = os.getenvb(b'MYVAR')",
    "heldlock": (
        "import threading\nclass Held:\n    one, own = threading.Lock(), threading.RLock()\n"
        "    one.acquire(); own.acquire()\n"
        "    def __repr__(self):\n        self.own.release(); self.one.release()\n"
        "        return str((self.own._is_owned(), self.one.locked()))\nV = Held()"
    ),
    "ownbase": (
        "import sqlite3\nclass Base:\n    base = sqlite3.connect(':memory:')\n"
        "    def __repr__(self):\n        return str(self.base.execute('select 2').fetchall())\nV = Base()"
    ),
    "hashs": "V = hash('abc') == hash('abc')",
    "helper": "import os\ndef gethome():\n    return os.path.expanduser('~')\nV = 1",
    "inet": "import ipaddress\nV = ipaddress.ip_address('127.0.0.1')",
    "intern": "import sys\nV = sys.intern('abc')",
    "loghost": "import logging.handlers\nH = logging.handlers.SysLogHandler\nV = 1",
    "netrc_": "import netrc\nV = 1",
    "nosuch": "try:\n    import no_such_module\nexcept ImportError:\n    no_such_module = None\nV = 1",
    "pure1": (
        "import dataclasses, re, json\n"
        "@dataclasses.dataclass\nclass P:\n    x: int = 1\nR = re.compile('a+')\nV = P()"
    ),
    "pure2": "import enum\nclass E(enum.Enum):\n    A = 1\nV = E.A",
    "sqlf": "import sqlite3\nD = sqlite3.connect(':memory:')\nV = D.execute('select 1').fetchall()",
    "stdoutwrap": "import sys, codecs\nW = codecs.getwriter('utf-8')(sys.stdout.buffer)\nV = 1",
    "tls": "import threading\nL = threading.local()\nL.x = 5\nV = L.x",
    "zone": "import zoneinfo\nV = str(zoneinfo.TZPATH)",
}

#: The same of modules that change the program that imports them: in it only if every run imports them.
EFFECTS = {
    "ends": "class O:\n    def __del__(self):\n        print('the end', flush=True)\nO = O()\nV = 1",
    "atex": "import atexit\natexit.register(print, 'atexit of a module')\nV = 1",
    "auditing": "import sys\nsys.addaudithook(lambda *a: None)\nV = 1",
    "finalizer": "import weakref\nclass O:\n    pass\no = O()\nV = weakref.finalize(o, print, 'finalized').alive",
    "finder": "import sys\nsys.meta_path.append(type('F', (), {'find_spec': lambda *a: None}))\nV = 1",
    "forkhook": "import os\nos.register_at_fork(after_in_child=print)\nV = 1",
    "gctune": "import gc\ngc.set_threshold(5000)\nV = gc.get_threshold()",
    "logcfg": "import logging\nlogging.basicConfig(level=logging.INFO)\nV = 1",
    "logcfg2": "import logging, sys\nlogging.basicConfig(stream=sys.stdout)\nV = 1",
    "rec": "import sys\nsys.setrecursionlimit(5000)\nV = sys.getrecursionlimit()",
    "searched": "import sys\nsys.path.append('/somewhere')\nV = 1",
    "sigh": "import signal\nsignal.signal(signal.SIGUSR1, lambda *a: None)\nV = 1",
    "warnfilter": "import warnings\nwarnings.simplefilter('always', ImportWarning)\nV = 1",
}

#: A native module that does all its work when it is made, and makes another one meanwhile, `app.aside`.
SINGLE = """\
#include <Python.h>

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "single", NULL, -1, NULL};

PyMODINIT_FUNC PyInit_single(void)
{
    PyObject *names = PyModule_GetDict(PyImport_AddModule("app.aside"));
    PyObject *module = PyModule_Create(&definition);

    if (PyRun_String("import os; V = os.environ.get('HOME')", Py_file_input, names, names) == NULL)
        return NULL;
    PyModule_AddObjectRef(module, "V", PyDict_GetItemString(names, "V"));
    return module;
}
"""
