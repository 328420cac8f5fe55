"""Which functions and events tell about a process; objects that take the places of some and note who asks.

Only for `_coachwhip_watch`, in a process that is thrown away. `note` is a function of a kind, a detail, and
possibly an object that must outlive its module's import for that to matter.
"""

import _signal
import _warnings
import atexit
import gc
import os
import posix
import sys

import _coachwhip

#: Functions whose results differ from process to process, and what they tell.
TELLING = {
    "time": ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns",
             "process_time", "process_time_ns", "thread_time", "thread_time_ns", "clock_gettime_ns", "mktime",
             "localtime", "gmtime", "ctime", "clock_gettime", "sleep"),
    "random": ("urandom", "getrandom"),
    "process": ("getpid", "getppid", "getpgid", "getpgrp", "getsid", "times", "getrusage", "getpriority",
                "pidfd_open", "tcgetpgrp"),
    "user": ("getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "getlogin",
             "getpwuid", "getpwnam", "getpwall"),
    "machine": ("uname", "cpu_count", "process_cpu_count", "sched_getaffinity", "sysconf", "getloadavg",
                "gethostname", "statvfs", "get_terminal_size"),
    "folder": ("getcwd", "getcwdb"),
    "terminal": ("isatty", "ttyname", "ctermid", "device_encoding"),
    "locale": ("setlocale", "localeconv", "nl_langinfo"),
    "state": ("chdir", "fchdir", "umask", "setuid", "setgid", "nice", "setpriority", "setrlimit", "write",
              "writev", "_exit", "abort"),
    "signal": ("set_wakeup_fd", "setitimer", "alarm", "kill", "killpg", "raise_signal", "pthread_kill",
               "pause", "sigwait", "pthread_sigmask"),
}  # fmt: skip

#: Functions of `posix` whose paths are looked at.
OF_FILES = ("stat", "lstat", "access", "listdir", "scandir", "readlink", "open")

#: Audit events -> what they tell, where their names alone do.
OF_EVENTS = {
    "_thread.start_new_thread": ("thread", "start"),
    "_thread.start_joinable_thread": ("thread", "start"),
    "mmap.__new__": ("mapping", "mmap"),
    **{
        event: ("program", event)
        for event in ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.system", "os.exec")
    },
}

#: What the names of other events begin with that change the process, or more.
STATE = ("fcntl.", "syslog.", "os.", "shutil.")

#: But not these, which only look: `OF_FILES` has those whose folders matter.
LISTING = ("os.listdir", "os.scandir", "os.walk", "os.fwalk")

#: What a standard stream knows of the file behind it, and how it was opened.
_OF_STREAMS = (
    "isatty", "errors", "line_buffering", "write_through", "closed", "mode", "seekable", "tell", "seek",
)  # fmt: skip

_OF_TIME = ("tzname", "timezone", "altzone", "daylight")

#: Functions that are replaced when their module has been imported, and what they tell.
_OF_MODULES = {
    "_ssl": ("random", ("RAND_bytes", "RAND_add")),
    "locale": ("locale", ("getpreferredencoding", "getencoding")),
    "threading": ("process", ("get_ident", "get_native_id")),
    "faulthandler": ("state", ("enable", "register", "dump_traceback_later")),
    "tracemalloc": ("state", ("start",)),
    "grp": ("user", ("getgrgid", "getgrnam", "getgrall")),
    "resource": ("machine", ("getrlimit", "getrusage", "prlimit")),
    "_curses": ("terminal", ("setupterm", "initscr")),
    "termios": ("terminal", ("tcgetattr", "tcsetattr", "tcgetwinsize")),
}
#: The same, of what a module may do to the program that imports it.
_EFFECTS = {
    "os": ("the hooks of forks", ("register_at_fork",)),
    "sys": ("the audit hooks", ("addaudithook",)),
    "gc": ("the collection of garbage", ("set_threshold", "freeze")),
    "logging": ("logging", ("basicConfig", "captureWarnings", "disable", "setLoggerClass")),
    "logging.config": ("logging", ("dictConfig", "fileConfig")),
    "codecs": ("the codecs", ("register", "register_error")),
    "socket": ("the timeout of sockets", ("setdefaulttimeout",)),
}
_OF_CONTEXTS = ("set_default_verify_paths", "load_verify_locations", "load_cert_chain", "load_dh_params")


def finds_nothing(frame):
    """Whether `gettext.find` asks for the language where there are no translations in whatever language."""
    if frame.f_globals.get("__name__") != "gettext" or frame.f_code.co_name != "find":
        return False
    return not _is_translated(frame.f_locals["domain"], frame.f_locals["localedir"])


def _is_translated(domain, folder):
    if folder is None:
        folder = f"{sys.base_prefix}/share/locale"
    listdir, stat = posix.listdir.__wrapped__, posix.stat.__wrapped__
    try:
        languages = listdir(folder)
    except OSError:
        return False
    for language in languages:
        try:
            stat(f"{folder}/{language}/LC_MESSAGES/{domain}.mo")
        except OSError:
            continue
        return True
    return False


def _reads(key):
    frame = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__") in ("os", "collections.abc"):
        frame = frame.f_back
    if frame is None or not finds_nothing(frame):
        _Variables.note("variable", os.fsdecode(key))


class _Variables(dict):
    """The environment's variables; notes who reads and who writes."""

    note = None

    def __getitem__(self, key):
        _reads(key)
        return super().__getitem__(key)

    def __contains__(self, key):
        _reads(key)
        return super().__contains__(key)

    def get(self, key, default=None):
        _reads(key)
        return super().get(key, default)

    def __iter__(self):
        _Variables.note("variable", "*")
        return super().__iter__()

    def keys(self):
        _Variables.note("variable", "*")
        return super().keys()

    def items(self):
        _Variables.note("variable", "*")
        return super().items()

    def copy(self):
        _Variables.note("variable", "*")
        return dict(self)

    def __setitem__(self, key, value):
        _Variables.note("state", f"sets {os.fsdecode(key)}")
        super().__setitem__(key, value)

    def __delitem__(self, key):
        _Variables.note("state", f"deletes {os.fsdecode(key)}")
        super().__delitem__(key)


def variables(environ, note):
    """Return the environment's variables as a dictionary that takes notes."""
    _Variables.note = staticmethod(note)
    return _Variables(environ)


def _spied(function, kind, name, note, module):
    def spy(*args, **kwargs):
        if sys._getframe(1).f_globals is not vars(module):
            note(kind, name)
        return function(*args, **kwargs)

    spy.__wrapped__ = function
    return spy


class _Output:
    """Stands before a standard output stream, or its buffer."""

    def __init__(self, stream, note):
        self._stream = stream
        self._note = note

    def write(self, data):
        self._note("state", "writes to a standard stream")
        return self._stream.write(data)

    def writelines(self, lines):
        self._note("state", "writes to a standard stream")
        return self._stream.writelines(lines)

    @property
    def buffer(self):
        return _Output(self._stream.buffer, self._note)

    def __getattr__(self, name):
        if name in _OF_STREAMS:
            self._note("terminal", name)
        return getattr(self._stream, name)


class _Input:
    """Stands before standard input."""

    def __init__(self, stream, note):
        self._stream = stream
        self._note = note

    def __iter__(self):
        self._note("state", "reads standard input")
        return iter(self._stream)

    def __getattr__(self, name):
        if name.startswith("read") and name != "readable":
            self._note("state", "reads standard input")
        elif name in _OF_STREAMS:
            self._note("terminal", name)
        return getattr(self._stream, name)


def _noting(name):
    method = getattr(list, name)

    def spy(self, *args):
        _Arguments.note("process", "sys.argv")
        return method(self, *args)

    return spy


class _Arguments(list):
    """Stands for sys.argv."""

    note = None


_OF_ARGUMENTS = (
    "__getitem__", "__setitem__", "__delitem__", "__iter__", "__reversed__", "__len__", "__contains__",
    "__eq__", "__add__", "__repr__", "append", "copy", "count", "index", "insert", "pop", "remove",
)  # fmt: skip
for _name in _OF_ARGUMENTS:
    setattr(_Arguments, _name, _noting(_name))


def _watch_zone(time, note):
    class Time(type(time)):
        def __getattribute__(self, name):
            if name in _OF_TIME:
                note("time", name)
            return super().__getattribute__(name)

    time.__class__ = Time


def replace_early(note):
    """Replace what is there before any module of the program is imported."""
    import time

    for name in ("stdout", "stderr"):
        setattr(sys, name, _Output(getattr(sys, name), note))
        setattr(sys, f"__{name}__", getattr(sys, name))
    sys.stdin = sys.__stdin__ = _Input(sys.stdin, note)
    _Arguments.note = staticmethod(note)
    sys.argv, sys.orig_argv = _Arguments(list(sys.argv)), _Arguments(list(sys.orig_argv))
    _watch_zone(time, note)
    for name in list(sys.modules):
        replace_later(name, sys.modules[name], note)


def replace_later(name, module, note):
    """Replace what a module has that was just imported."""
    kind, functions = _OF_MODULES.get(name, ("", ()))
    for function in functions:
        original = getattr(module, function, None)
        if original is not None and not hasattr(original, "__wrapped__"):
            setattr(module, function, _spied(original, kind, function, note, module))
    what, functions = _EFFECTS.get(name, ("", ()))
    for function in functions:
        setattr(module, function, _spied(getattr(module, function), "effect", what, note, module))
    if name == "random":
        for attribute, value in list(vars(module).items()):
            if getattr(value, "__self__", None) is module._inst:
                setattr(module, attribute, _spied(value, "random", attribute, note, module))
    elif name == "ssl":
        for method in _OF_CONTEXTS:
            setattr(module.SSLContext, method, _of_context(getattr(module.SSLContext, method), method, note))


def _of_context(function, name, note):
    """Of a TLS context: loads certificates, which may be the machine's; they end with the context."""

    def spy(self, *args, **kwargs):
        note("file", f"certificates ({name})", self)
        return function(self, *args, **kwargs)

    return spy


def of_all(get_objects):
    """Of the collector: lists what `_coachwhip.finalizers` has frozen as well."""

    def spy(*args, **kwargs):
        gc.unfreeze()
        return get_objects(*args, **kwargs)

    return spy


def program_state():
    """What a module may do to the program that imports it: in words -> how it is."""
    # They may be in the middle of their own import.
    finalize = getattr(sys.modules.get("weakref"), "finalize", None)
    root = getattr(sys.modules.get("logging"), "root", None)
    manager = getattr(root, "manager", None)
    at_end = (atexit._ncallbacks(), len(getattr(finalize, "_registry", ())), _coachwhip.finalizers())
    return {
        "what happens at the end": at_end,
        "the handlers of signals": [_signal.getsignal(number) for number in range(1, _signal.NSIG)],
        "the limit of recursion": sys.getrecursionlimit(),
        "the collection of garbage": (gc.isenabled(), gc.get_debug(), len(gc.callbacks)),
        "the filters of warnings": list(map(id, _warnings.filters)),
        "where modules are found": (*map(id, sys.meta_path), *map(id, sys.path_hooks), *sys.path),
        "tracing": (sys.gettrace(), sys.getprofile()),
        "logging": (root.level, *root.handlers, manager.disable) if manager else (),
    }


def streams():
    """Return what the standard streams and hooks are, to compare."""
    found = []
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        found += [id(stream), getattr(stream, "errors", ""), getattr(stream, "line_buffering", "")]
    return [*found, sys.excepthook, sys.displayhook]
