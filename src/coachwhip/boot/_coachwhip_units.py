"""Which statements of a module have to wait until the program starts. Pure.

A statement waits when it looks at the machine, when it needs the name of one that waits, or when it binds
such a name, too: while a snapshot is made, those names do not exist, so that nothing can depend on them
unnoticed.
"""

import ast

from _coachwhip_names import Names, header


class Unit:
    """A statement that is executed as a whole, or an `if` or a class whose statements are.

    Attributes:
        node: the statement.
        siblings: the list that it stands in.
        scope: names of the classes that it stands in, the outermost first.
        inner: the statements within, when they can wait by themselves.
        names: what it touches.
        late: whether it waits: "" (no), "whole", or "defaults" (of a function, which itself need not).
    """

    def __init__(self, node, siblings, scope):
        """Take up a statement."""
        self.node = node
        self.siblings = siblings
        self.scope = scope
        self.inner = []
        self.names = Names(node)
        self.head = Names(*header(node)) if isinstance(node, (ast.If, ast.ClassDef)) else self.names
        self.late = ""
        if isinstance(node, ast.If):
            self.inner = [*units(node.body, scope), *units(node.orelse, scope)]
        elif isinstance(node, ast.ClassDef) and not node.decorator_list and not node.keywords:
            self.inner = units(node.body, (*scope, node.name))

    def has(self, line):
        """Whether a line of the source is this statement's, those of its decorators included."""
        decorators = getattr(self.node, "decorator_list", ())
        first = min(node.lineno for node in (self.node, *decorators))
        return first <= line <= self.node.end_lineno

    def place(self):
        """Return its index among its siblings, which others may have changed."""
        return next(n for n, other in enumerate(self.siblings) if other is self.node)

    def is_function(self):
        """Whether it defines a function."""
        return isinstance(self.node, (ast.FunctionDef, ast.AsyncFunctionDef))

    def fault(self):
        """Say why it can't wait; empty when it can."""
        node = self.node
        if self.late == "defaults":
            return ""
        if self.names.mutates or isinstance(node, ast.Expr) or (self.names.calls and not self.names.binds):
            return "changes other objects"
        if self.scope and any(
            isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) for part in ast.walk(node)
        ):
            return "defines what belongs to a class"
        touched = self.names.loads | self.names.attributes | self.names.binds
        if self.scope and any(name.startswith("__") and not name.endswith("__") for name in touched):
            return "uses private names of a class"
        return ""


def units(body, scope=()):
    """Return the units of a module's or class's body; imports of several names are taken apart for it."""
    body[:] = [part for node in body for part in _apart(node)]
    return [Unit(node, body, scope) for node in body]


def _apart(node):
    if not isinstance(node, ast.ImportFrom) or len(node.names) == 1:
        return [node]
    return [ast.copy_location(ast.ImportFrom(node.module, [alias], node.level), node) for alias in node.names]


class Settling:
    """Finds what has to wait in one module.

    Attributes:
        late: scope -> names that do not exist before the program starts.
    """

    def __init__(self, top, lines, resolve):
        """Start with units and the lines that look at the machine.

        `resolve` makes the full name of a module of an import's level and name.
        """
        self.late = {(): set()}
        self._top = top
        self._lines = lines
        self._resolve = resolve
        self._imported = {}
        self._attributes = frozenset()

    def settle(self, imported, attributes):
        """Mark all units that have to wait.

        `imported` has, for each module that has such names, a set of them; `attributes` are those that may be
        attributes of imported objects. Return whether there are more than before.
        """
        before = self._count()
        self._imported, self._attributes = imported, attributes
        found = -1
        while found != self._count():
            found = self._count()
            self._mark_all(self._top)
        return found != before

    def covers(self, line):
        """Whether a line of the source is in what waits."""
        return any(unit.has(line) for unit in self.waiting())

    def waiting(self):
        """Yield the units that wait."""
        yield from _waiting(self._top)

    def _count(self):
        return sum(map(len, self.late.values())) + sum(1 for _ in self.waiting())

    def _mark_all(self, level):
        for unit in level:
            if unit.late == "whole":
                continue
            if self._must_wait(unit):
                self._mark(unit)
            else:
                self._mark_all(unit.inner)

    def _must_wait(self, unit):
        if any(unit.has(line) and not any(part.has(line) for part in unit.inner) for line in self._lines):
            return True
        if self._needs(unit.head, unit.scope):
            return True
        if unit.inner:
            return False
        return bool(unit.names.binds & self.late.get(unit.scope, frozenset())) or self._imports(unit)

    def _needs(self, names, scope):
        return bool(names.attributes & self._attributes) or any(
            names.loads & self.late.get(scope[:depth], frozenset()) for depth in range(len(scope) + 1)
        )

    def _imports(self, unit):
        for part in ast.walk(unit.node) if self._imported and not unit.is_function() else ():
            if isinstance(part, ast.ImportFrom):
                late = self._imported.get(self._resolve(part.level, part.module or ""), ())
                if late and any(alias.name in late or alias.name == "*" for alias in part.names):
                    return True
        return False

    def _mark(self, unit):
        taken = self.late.setdefault(unit.scope, set())
        if unit.is_function() and unit.node.name not in taken and self._only_defaults(unit):
            unit.late = "defaults"
            return
        unit.late = "whole"
        taken |= unit.names.binds

    def _only_defaults(self, unit):
        defaults = {id(default) for default, _store in function_defaults(unit.node)}
        others = Names(*(part for part in header(unit.node) if id(part) not in defaults))
        return not unit.node.decorator_list and not self._needs(others, unit.scope)


def _waiting(level):
    for unit in level:
        if unit.late:
            yield unit
        else:
            yield from _waiting(unit.inner)


def function_defaults(node):
    """Return (expression, statement that stores it into the function, with None for it) of all defaults."""
    name, arguments = node.name, node.args
    found = [
        (
            default,
            f"{name}.__defaults__ = (*{name}.__defaults__[:{n}], None, *{name}.__defaults__[{n + 1}:])",
        )
        for n, default in enumerate(arguments.defaults)
    ]
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            found.append((default, f"{name}.__kwdefaults__[{argument.arg!r}] = None"))
    return found
