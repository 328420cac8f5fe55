"""Code that looks at everything around it."""

from __future__ import annotations

__all__ = ["OBSERVE"]

#: What a program can see of its surroundings, as a dictionary of texts.
OBSERVE = """
import locale
def streams(name):
    stream = getattr(sys, name)
    if stream is None:
        return None
    raw = stream.buffer.raw
    return (stream.encoding, stream.errors, stream.line_buffering, stream.write_through, stream.newlines, stream.name,
            stream.mode, stream.isatty(), stream.seekable(), stream.readable(), stream.writable(), stream.buffer.name,
            raw.mode, raw.closefd, raw._blksize, stream is getattr(sys, f"__{name}__"), sorted(vars(stream)), vars(raw))
thread = threading.main_thread()
moment = datetime.datetime.fromtimestamp(1700000000)
sys.stderr.write(repr({
    "arguments": (sys.argv[2:], os.path.basename(sys.argv[0]), sys.orig_argv[2:]),
    "variables": sorted(i for i in os.environb.items() if i[0] != b"COACHWHIP_SNAPSHOT"),
    "folder": os.getcwd(), "home": os.path.expanduser("~"), "umask": (os.umask(0o22), os.umask(0o22))[0],
    "places": (sys.executable, sys._base_executable, sys.prefix, sys.base_prefix, sys.path, __file__),
    "flags": (sys.flags, sys._xoptions, sys.warnoptions, warnings.filters, sys.hexversion, sys.implementation),
    **{name: streams(name) for name in ("stdin", "stdout", "stderr")},
    "locale": (locale.setlocale(locale.LC_ALL), locale.getlocale(), locale.getpreferredencoding(), locale.getencoding(),
               locale.localeconv(), sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()),
    "zone": (time.tzname, time.timezone, time.altzone, time.daylight, tuple(time.localtime(1700000000)),
             moment.isoformat(), moment.astimezone().isoformat()),
    "signals": [(n, signal.getsignal(n) == signal.SIG_IGN, str(signal.getsignal(n))[:20]) for n in range(1, 31)],
    "masked": signal.pthread_sigmask(signal.SIG_BLOCK, []),
    "process": (os.getpid() == int(os.readlink("/proc/self")), os.getppid() == int(os.environ.get("PARENT", 0))),
    "thread": (thread.ident == threading.get_ident(), thread.native_id == os.getpid() == threading.get_native_id(),
               thread is threading.current_thread(), thread.name, threading.enumerate() == [thread]),
    "limits": (sys.getrecursionlimit(), sys.getswitchinterval(), gc.isenabled(), gc.get_threshold(), gc.get_debug()),
    "hooks": (sys.excepthook is sys.__excepthook__, sys.gettrace(), sys.getprofile(), tracemalloc.is_tracing(),
              faulthandler.is_enabled()),
    "descriptors": sorted(os.listdir("/proc/self/fd")), "temporary": tempfile.gettempdir(),
    "terminal": shutil.get_terminal_size(), "user": getpass.getuser(), "machine": platform.uname(),
    "certificates": (ssl.get_default_verify_paths(), len(ssl.create_default_context().get_ca_certs())),
    "hashes": (hashlib.algorithms_available == hashlib.algorithms_guaranteed, hashlib.sha256(b"x").hexdigest()),
    "logging": (logging.root.handlers, logging.getLogger().level), "main": sorted(vars(sys.modules["__main__"])),
}))
"""
