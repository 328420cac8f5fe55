"""Makes a program that goes on from a snapshot the program of this process.

The snapshot was made on another machine, at another time: what the environment decides is made new here.
Objects stay the same ones, as modules may have kept them.
"""

import posix
import sys
from _io import FileIO

_STDIN, _STDERR = 0, 2
_STREAMS = (("stdin", _STDIN, "r"), ("stdout", 1, "w"), ("stderr", _STDERR, "w"))


def resume(variables, arguments, errors):
    """Take over the environment variables and arguments of this process, and its standard streams.

    Called first of all; `errors` is what the streams do about bytes that are not UTF-8.
    """
    posix.environ.clear()
    posix.environ.update(variables)
    sys.argv[:] = arguments
    sys.orig_argv[1:] = arguments
    for name, number, mode in _STREAMS:
        _renew(name, number, mode, "backslashreplace" if number == _STDERR else errors)
    for module, renew in _renewals:
        renew(module)
    _run_later()


def _run_later():
    """Execute the statements of modules that had to wait for this machine.

    One that fails would have failed in the middle of an import, which the program may be prepared for: the
    caller has the program start again, without its snapshot.
    """
    for code, scope, owner in _later:
        if owner is None:
            exec(code, scope)
        else:
            _run_in_class(code, scope, owner)


def _run_in_class(code, scope, owner):
    space = dict(vars(owner))
    exec(code, scope, space)
    before = vars(owner)
    for name, value in space.items():
        if name not in before or before[name] is not value:
            setattr(owner, name, value)
            hook = getattr(type(value), "__set_name__", None)
            if hook is not None:
                hook(value, owner, name)


def _renew(name, number, mode, errors):
    """Open one of the standard streams again, as CPython does at its start."""
    text = getattr(sys, f"__{name}__")
    buffer = text.buffer
    try:
        raw = FileIO(number, mode, closefd=False)
    except OSError as error:
        if number == _STDIN and isinstance(error, IsADirectoryError):
            posix.write(_STDERR, b"<stdin> is a directory, cannot continue\n")
            posix._exit(1)
        setattr(sys, name, None)
        setattr(sys, f"__{name}__", None)
        return
    raw.name = f"<{name}>"
    terminal = raw.isatty()
    buffer.__init__(raw, 8192 if terminal else raw._blksize)
    text.__init__(buffer, "utf-8", errors, "\n", terminal or number == _STDERR)
    text.mode = mode


def _renew_time(time):
    time.tzset()


def _renew_openssl(_module):
    import _coachwhip

    _coachwhip.configure_openssl()


def _renew_logging(logging):
    import time

    logging._startTime = time.time_ns()


def _renew_multiprocessing(process):
    import os

    process._current_process._config["authkey"] = process.AuthenticationString(os.urandom(32))
    try:
        process.ORIGINAL_DIR = os.getcwd()
    except OSError:
        process.ORIGINAL_DIR = None


def _renew_multiprocessing_util(util):
    util.MAXFD = posix.sysconf("SC_OPEN_MAX")


def _renew_urllib3(connection):
    connection.HAS_IPV6 = connection._has_ipv6("::1")


def _renew_dateutil(parser):
    import time

    information = parser.DEFAULTPARSER.info
    information._year = time.localtime().tm_year
    information._century = information._year // 100 * 100


def _renew_numpy(mtrand):
    mtrand._rand.seed()


def _renew_sysconfig(sysconfig):
    sysconfig._CONFIG_VARS_INITIALIZED = False


def _renew_platform(platform):
    platform._uname_cache = platform._os_release_cache = None
    platform._platform_cache.clear()


def _renew_rich(rich):
    try:
        rich._IMPORT_CWD = posix.getcwd()
    except OSError:
        rich._IMPORT_CWD = ""


def _renew_rich_style(style):
    from itertools import count

    style._id_generator = count(int.from_bytes(posix.urandom(3)))


def _renew_visidata(_threads):
    import threading
    import time

    threading.main_thread().startTime = time.process_time()


def _renew_black(cache):
    """Make the path another one; it is a default of compiled functions, too."""
    from pathlib import PurePath

    path, now = cache.CACHE_DIR, cache.get_cache_dir()
    for name in PurePath.__slots__:
        if hasattr(now, name):
            setattr(path, name, getattr(now, name))
        elif hasattr(path, name):
            delattr(path, name)


def _renew_mypy(defaults):
    import os

    # While the snapshot was made, the user's home was this.
    home = f"{os.devnull}/"
    found = [path.replace(home, "~/", 1) for path in defaults.USER_CONFIG_FILES]
    folder = os.environ.get("XDG_CONFIG_HOME")
    if folder:
        found.insert(0, os.path.join(folder, "mypy/config"))
    defaults.USER_CONFIG_FILES[:] = map(os.path.expanduser, found)


#: Modules whose import is harmless once these have been called; `coachwhip.snapshot.known` has the reasons.
_OF_MODULES = {
    "time": _renew_time,
    "_hashlib": _renew_openssl,
    "logging": _renew_logging,
    "multiprocessing.process": _renew_multiprocessing,
    "multiprocessing.util": _renew_multiprocessing_util,
    "dateutil.parser._parser": _renew_dateutil,
    "numpy.random.mtrand": _renew_numpy,
    "sysconfig": _renew_sysconfig,
    "urllib3.util.connection": _renew_urllib3,
    "black.cache": _renew_black,
    "mypy.defaults": _renew_mypy,
    "platform": _renew_platform,
    "rich": _renew_rich,
    "rich.style": _renew_rich_style,
    "visidata.threads": _renew_visidata,
}

#: What there is to do for the modules of this snapshot.
_renewals = []

#: Statements of theirs: (code, namespace of the module, class that it stands in or None).
_later = []


def plan(later):
    """Note, before the snapshot is made, what there will be to do; `later` are statements to be executed."""
    _later[:] = later
    for name, renew in _OF_MODULES.items():
        module = sys.modules.get(name)
        if module is not None:
            _renewals.append((module, renew))
