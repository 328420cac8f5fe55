"""What modules look at without harm, each with its reason; and variables that most machines set. Data."""

from __future__ import annotations

__all__ = ["HARMLESS", "HARMLESS_THROUGH", "USUALLY_SET"]

_LOCK = "notices in its hook of forks, which runs when a program goes on, that it is in another process"
_FINDS_HOME = "what it knows of the user's home is found again when a program goes on"
_KIND_OF_MACHINE = "asks for the system and the kind of machine, which are those of the product"
_FORGETS_ZONE = "looks again at every use, and forgets what it knew when the time zone is another"

#: (module, kind of note) or (module, "kind detail") -> why a snapshot may hold it all the same.
HARMLESS = {
    ("random", "random"): "seeds itself anew after every fork, and after a restore",
    ("random", "process"): "seeds itself anew after every fork, and after a restore",
    ("logging", "time"): "its start of time is set anew when a program goes on",
    ("time", "time"): "its time zone is set anew when a program goes on",
    ("time", "file"): "its time zone is set anew when a program goes on",
    ("multiprocessing.process", "folder"): "asks for the current folder again when a program goes on",
    ("multiprocessing.heap", "process"): "notices that it is in another process, and starts anew",
    ("multiprocessing.util", "machine sysconf"): "asks for the most descriptors again when a program goes on",
    ("asyncio.selector_events", "machine sysconf"): "asks for IOV_MAX, which is 1024 on every Linux",
    ("sqlalchemy.util.compat", "machine uname"): "asks for the architecture, which is that of the product",
    ("multiprocessing.process", "random"): "its key is made anew when a program goes on",
    ("urllib3.util.connection", "network"): "it looks for IPv6 again when a program goes on",
    ("time", "variable TZ"): "its time zone is set anew when a program goes on",
    ("_strptime", "time tzname"): _FORGETS_ZONE,
    ("_strptime", "time daylight"): _FORGETS_ZONE,
    ("_strptime", "time"): _FORGETS_ZONE,
    ("pandas._libs.tslibs.strptime", "time"): "looks again at every use",
    ("_strptime", "locale"): "looks again at every use, and forgets what it knew when the locale is another",
    ("ctypes", "library"): "the program's own handle is the same in every process",
    ("numpy._core", "state"): "sets variables for a moment, while its library is loaded",
    ("numpy._core", "variable"): "looks whether they are set, to remove them again",
    ("numpy.random.mtrand", "random"): "its generator is seeded anew when a program goes on",
    ("pandas._libs.tslibs.timezones", "file"): "the time zone UTC is the same everywhere",
    ("pandas._libs.tslibs.strptime", "locale"): "looks again at every use",
    ("dateutil.parser._parser", "time"): "its idea of this century is made anew when a program goes on",
    ("numpy", "machine uname"): "only whether old kernels should have huge pages depends on it",
    ("numpy._core._add_newdocs_scalars", "machine uname"): "only a documentation string depends on it",
    ("pandas.compat._constants", "machine uname"): "asks for the architecture, which is that of the product",
    ("numpy.testing._private.utils", "machine uname"): "asks for the architecture, which is the product's",
    ("_pytest.timing", "time time zone"): "only the clock that its own tests set begins at a local time",
    ("platform", "machine"): "only defines functions",
    ("site", "variable"): "has been run before",
    ("_locale", "locale"): "only defines names",
    ("rich", "folder"): "asks for the current folder again when a program goes on",
    ("rich.style", "random"): "numbers its links from another start when a program goes on",
    ("rich.color", "machine uname"): _KIND_OF_MACHINE,
    ("flexcache.flexcache", "machine uname"): _KIND_OF_MACHINE,
    ("pbs_installer._install", "machine uname"): _KIND_OF_MACHINE,
    ("black", "variable HOME"): _FINDS_HOME,
    ("black", "variable XDG_CACHE_HOME"): _FINDS_HOME,
    ("mypy.main", "variable HOME"): _FINDS_HOME,
    ("mypy.main", "variable XDG_CONFIG_HOME"): _FINDS_HOME,
    ("mypy.main", "machine uname"): _KIND_OF_MACHINE,
    ("filelock._api", "process"): _LOCK,
    ("filelock._unix", "process"): _LOCK,
    ("filelock._windows", "process"): _LOCK,
    ("virtualenv.util.lock", "process"): _LOCK,
    ("lxml.etree", "time clock"): "seeds the hash tables of libxml2, as those of Python are",
    ("yt_dlp.utils._utils", "locale getpreferredencoding"): "where it is another there is no snapshot",
    ("visidata.threads", "time process_time"): "its main thread's start is set anew when a program goes on",
}

#: The same for functions of a module that other modules call while they are imported.
HARMLESS_THROUGH = {
    ("sysconfig", "variable HOME"): "what it knows of the user's home is forgotten when a program goes on",
    ("sysconfig", "user getuid"): "what it knows of the user's home is forgotten when a program goes on",
    ("sysconfig", "machine uname"): _KIND_OF_MACHINE,
    (
        "twisted.python.systemd",
        "process getpid",
    ): "compares it with LISTEN_PID, which is a gate",
    ("visidata.vdobj", "process get_ident"): "looks for a command of this thread, which has none yet",
    ("ansible.module_utils._internal._patches._socket_patch", "network socket.getaddrinfo"): (
        "whether Python takes a number of another class is asked with a numeric address"
    ),
}

#: Variables that are set on many machines, and differently: a module that reads one can't be in a snapshot.
#: All others are taken to be unset, and checked to be.
USUALLY_SET = frozenset(
    {
        "COLORTERM",
        "COLUMNS",
        "DBUS_SESSION_BUS_ADDRESS",
        "DISPLAY",
        "EDITOR",
        "HOME",
        "HOSTNAME",
        "LANG",
        "LANGUAGE",
        "LC_ALL",
        "LC_CTYPE",
        "LC_MESSAGES",
        "LINES",
        "LOGNAME",
        "LS_COLORS",
        "MAIL",
        "OLDPWD",
        "PAGER",
        "PATH",
        "PWD",
        "SHELL",
        "SHLVL",
        "SSH_AUTH_SOCK",
        "SSH_CONNECTION",
        "TERM",
        "TMPDIR",
        "TZ",
        "USER",
        "VISUAL",
        "WAYLAND_DISPLAY",
        "XAUTHORITY",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_RUNTIME_DIR",
        "_",
    }
)
