"""The start of every product: imports from the image, and what `site` does for ordinary Python.

This runs before CPython can import anything but built-in and frozen modules, and at every start: what
it imports at its top level must be frozen, and what it does must be cheap.
"""

import _frozen_importlib as _bootstrap
import _frozen_importlib_external as _external
import _imp
import sys

import _coachwhip

ROOT = "/__app__"
_BELOW_ROOT = ROOT + "/"
_ModuleSpec = _bootstrap.ModuleSpec
_find = _coachwhip.find
#: The interpreter's own modules come before anything on the search path.
_own_names = frozenset((*sys.builtin_module_names, *_imp._frozen_module_names()))

#: The search path that CPython starts with. While nothing stands before it, a top-level module of the
#: image can be found without walking `sys.path`.
_initial_path = ()


class ImageLoader(_external.SourceFileLoader):
    """Loads a module's code from the image.

    A `SourceFileLoader` to everybody: the path is the virtual one, reading through it works.
    """

    exec_module = _coachwhip.exec_module

    def get_code(self, fullname):
        """Return the module's code object; SyntaxError when it could not be compiled at build time either."""
        code = _coachwhip.code(self.path)
        if code is None:
            return self.source_to_code(self.get_data(self.path), self.path)
        return code

    def get_data(self, path):
        """Return the bytes of a file, of the image or not.

        Raises:
            OSError: there is no such file.
        """
        if path.startswith(_BELOW_ROOT):
            try:
                return _coachwhip.read(path)
            except FileNotFoundError:
                # There may be dots in it, which opening sees through.
                pass
        return super().get_data(path)

    def get_source(self, fullname):
        """Return the module's source text, None when the product has none."""
        if self.path.endswith(".pyc"):
            return None
        try:
            source = _coachwhip.read(self.path)
        except FileNotFoundError:
            return None
        return self.source_to_text(source, fullname)

    @staticmethod
    def source_to_text(source, fullname):
        """Decode source bytes by their coding declaration (PEP 263)."""
        try:
            return _external.decode_source(source)
        except UnicodeDecodeError as error:
            raise ImportError("source not available through get_source()", name=fullname) from error


def _spec(fullname, found):
    """Make the spec of what `_coachwhip.find` has found; not for namespace portions."""
    kind, origin, cached, package = found
    make = ImageLoader if kind == "s" else _external.ExtensionFileLoader
    spec = _ModuleSpec(fullname, make(fullname, origin), origin=origin, is_package=package)
    if package:
        spec.submodule_search_locations.append(origin.rpartition("/")[0])
    spec._set_fileattr = True
    spec._cached = cached
    return spec


class ImageFinder:
    """Finds modules of the image ahead of the search path, wherever that gives the same answer."""

    @staticmethod
    def find_spec(fullname, path=None, target=None):
        """Return a module's spec, or None: the search path then decides."""
        if fullname in _own_names:
            return None
        if path is None:
            entries = _initial_path
            if tuple(sys.path[: len(entries)]) != entries:
                return None
        else:
            entries = path
        name = fullname.rpartition(".")[2]
        for entry in entries:
            if not (type(entry) is str and entry.startswith(ROOT)):
                return None
            found = _find(entry, name)
            if found is not None:
                # Other entries may have portions of a namespace package, too.
                return None if found[0] == "n" else _spec(fullname, found)
        return None

    @staticmethod
    def invalidate_caches():
        """Nothing is cached: an image does not change."""


class ImagePathFinder:
    """Finds the modules below one entry of a search path that lies in the image."""

    def __init__(self, path):
        """Serve `path`, a directory of the image; ImportError when it is something else."""
        if not path.startswith(ROOT) or path[len(ROOT) : len(ROOT) + 1] not in ("", "/"):
            raise ImportError("only directories of this program are served", path=path)
        try:
            _coachwhip.listdir(path)
        except OSError as error:
            raise ImportError("no such directory in this program", path=path) from error
        self.path = path

    def find_spec(self, fullname, target=None):
        """Return a module's spec, one without loader for a portion of a namespace package, or None."""
        found = _find(self.path, fullname.rpartition(".")[2])
        if found is None:
            return None
        if found[0] != "n":
            return _spec(fullname, found)
        spec = _ModuleSpec(fullname, None)
        spec.submodule_search_locations = [found[1]]
        return spec

    def iter_modules(self, prefix=""):
        """Yield (name, is_package) for `pkgutil.iter_modules`."""
        seen = set()
        for entry, is_directory in _coachwhip.listdir(self.path):
            name = entry if is_directory else entry.partition(".")[0]
            if name in seen or name == "__init__" or not name or "." in name:
                continue
            found = _find(self.path, name)
            if found is not None and found[0] != "n":
                seen.add(name)
                yield prefix + name, found[3]

    @staticmethod
    def invalidate_caches():
        """Nothing is cached: an image does not change."""


def prepare(interpreter):
    """Finish the start, when CPython is up: the part of `site` that matters without directories."""
    global _initial_path
    _initial_path = tuple(path for path in sys.path if path.startswith(ROOT))
    if interpreter:
        import site

        site.setquit()
        site.setcopyright()
        site.sethelper()
        site.enablerlcompleter()
        if not _enter_environment():
            return
    else:
        _add_site_builtins()
    for line in _coachwhip.path_lines():
        _process_path_line(line)


def _enter_environment():
    """Act as the interpreter of a virtual environment; False when the product's packages are none of its."""
    global _initial_path
    if sys.orig_argv[0].startswith(_BELOW_ROOT):
        return True
    import _coachwhip_venv

    with_packages = _coachwhip_venv.enter(ROOT, _initial_path[-1])
    # Between the standard library and the product's packages there may be the environment's.
    if sys.prefix != ROOT:
        _initial_path = _initial_path[:-1]
    return with_packages


class _SiteBuiltin:
    """Stands for `exit`, `quit` or `help` until it is used: programs name them, few call them."""

    def __init__(self, name):
        """Stand for the builtin called `name`."""
        self._name = name

    def _become(self):
        import _sitebuiltins
        import builtins

        if self._name == "help":
            real = _sitebuiltins._Helper()
        else:
            real = _sitebuiltins.Quitter(self._name, "Ctrl-D (i.e. EOF)")
        if getattr(builtins, self._name, None) is self:
            setattr(builtins, self._name, real)
        return real

    def __call__(self, *args, **kwargs):
        """Do what the real one does."""
        return self._become()(*args, **kwargs)

    def __repr__(self):
        """Look like the real one."""
        return repr(self._become())


def _add_site_builtins():
    """Add what programs use of what `site` adds to the builtins; `copyright` and the like are for prompts."""
    import builtins

    for name in ("quit", "exit", "help"):
        setattr(builtins, name, _SiteBuiltin(name))


def _process_path_line(line):
    """Do what a line of a `.pth` file says, as `site.addpackage` does."""
    if line.startswith(("import ", "import\t")):
        try:
            exec(line, {"__builtins__": __builtins__})
        except Exception:
            sys.excepthook(*sys.exc_info())
            print("The line above is of a .pth file; the rest of the program goes on.", file=sys.stderr)
        return
    path = f"{sys.path[-1]}/{line}" if not line.startswith("/") else line
    if path not in sys.path:
        sys.path.append(path)


def prepare_main(path):
    """Make `__main__` what it is for `python PATH`."""
    main = sys.modules["__main__"]
    main.__file__ = path
    main.__cached__ = None
    main.__loader__ = ImageLoader("__main__", path)


def _zip_hook(path):
    """Serve a zip file on the search path, as `zipimport.zipimporter` does, which is imported for it."""
    from zipimport import zipimporter

    return zipimporter(path)


_bootstrap._install_external_importers()
sys.meta_path.insert(0, ImageFinder)
sys.path_hooks[:0] = [ImagePathFinder, _zip_hook]
