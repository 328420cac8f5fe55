"""Imports modules without the statements that have to wait until the program starts, and keeps those.

Runs inside a product while its snapshot is made; `_coachwhip_defer` has taken the statements out.
"""

import builtins
import marshal
import sys
from abc import ABCMeta

import _coachwhip_boot

#: What the code of functions has and that of classes and modules has not.
OF_FUNCTION = 1  # inspect.CO_OPTIMIZED

#: The builtin that stands where a statement was taken out: notes that it would have been executed.
MARK = "_coachwhip_later"


class Waiting:
    """A finder of modules from which statements were taken out; knows which of these were reached."""

    def __init__(self, deferred):
        """Take the modules' code from the bytes that `_coachwhip_defer` has written; they may be none."""
        self._codes = marshal.loads(deferred) if deferred else {}
        self._reached = []
        setattr(builtins, MARK, self._reach)
        sys.meta_path.insert(0, self)

    def _reach(self, number):
        scope = sys._getframe(1).f_globals
        self._reached.append((scope, number))

    def find_spec(self, fullname, path=None, target=None):
        """Find a module as ever, if it is one of these."""
        if fullname not in self._codes:
            return None
        spec = _coachwhip_boot.ImageFinder.find_spec(fullname, path, target)
        if spec is not None:
            spec.loader = _Loader(spec.loader, self._codes[fullname][0])
        return spec

    def needed_by(self, error):
        """Return (module, line) of a statement that failed for want of a name that comes later, or None."""
        wanted = getattr(error, "name_from", None) or getattr(error, "name", None)
        late = {
            name for _code, parts in self._codes.values() for _part, _scope, names in parts for name in names
        }
        if not isinstance(error, (NameError, AttributeError, ImportError)) or wanted not in late:
            return None
        found, is_open = None, False
        trace = error.__traceback__
        while trace is not None:
            code, scope = trace.tb_frame.f_code, trace.tb_frame.f_globals
            if code.co_name == "<module>" or (found and is_open and not code.co_flags & OF_FUNCTION):
                found, is_open = (scope["__name__"], trace.tb_lineno), True
            else:
                is_open = False
            trace = trace.tb_next
        return found

    def finish(self):
        """Return what has to be executed at each start, and faults by module.

        The former are (code, namespace of the module, class whose namespace it is or None), in the order in
        which they would have been executed.
        """
        sys.meta_path.remove(self)
        delattr(builtins, MARK)
        later, faults = [], {}
        for scope, number in self._reached:
            name = scope["__name__"]
            code, classes, names = self._codes[name][1][number]
            owner = _owner(scope, classes)
            space = vars(owner) if classes else scope
            if (owner is None and classes) or not _is_plain(owner):
                faults[name] = "has a class that can't wait for parts of it"
            elif any(found in space for found in names):
                faults[name] = "binds names in two ways"
            later.append((code, scope, owner))
        return later, faults


class _Loader(_coachwhip_boot.ImageLoader):
    """Executes what is left of a module, and makes itself forgotten."""

    def __init__(self, usual, code):
        super().__init__(usual.name, usual.path)
        self._usual = usual
        self._code = code

    def exec_module(self, module):
        module.__loader__ = module.__spec__.loader = self._usual
        exec(self._code, vars(module))


def _owner(scope, classes):
    """Return the class that a path of names leads to, None for none."""
    found, space = None, scope
    for name in classes:
        found = space.get(name)
        if not isinstance(found, type):
            return None
        space = vars(found)
    return found


def _is_plain(owner):
    """Whether nobody looks at a class's parts while it is made."""
    if owner is None:
        return True
    bases = owner.__mro__[1:]
    return (
        type(owner) in (type, ABCMeta)
        and not issubclass(owner, tuple)
        and not any("__init_subclass__" in vars(base) for base in bases if base is not object)
    )
