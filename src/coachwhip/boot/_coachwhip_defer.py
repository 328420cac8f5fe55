"""Takes statements out of modules whose execution has to wait until the program starts.

Runs inside a product while its snapshot is made, in a process that is thrown away: `HOME = Path.home()` in a
module must not be executed on the building machine, and all the rest of the module can be. What is compiled
here is executed by `_coachwhip_bake`, the rest at every start by `_coachwhip_resume`.
"""

import __future__

import ast
import importlib.util
import marshal
from _frozen_importlib_external import decode_source

import _coachwhip
from _coachwhip_later import MARK
from _coachwhip_units import Settling, function_defaults, units


class _Module:
    """A module's source, and which of its statements wait."""

    def __init__(self, name, facts):
        self.path = facts["origin"]
        self.tree = ast.parse(decode_source(_coachwhip.read(self.path)), self.path)
        self._package = name if facts["package"] else name.rpartition(".")[0]
        self._lines = facts["lines"]
        self.settling = Settling(units(self.tree.body), self._lines, self._resolve)

    def _resolve(self, level, name):
        return importlib.util.resolve_name("." * level + name, self._package) if level else name

    def exports(self):
        """Return the names of the module that come later, and those of its classes."""
        late = self.settling.late
        return late[()], {name for scope, names in late.items() if scope for name in names}

    def fault(self):
        """Say why a statement can't wait; empty when all can."""
        if not all(self.settling.covers(line) for line in self._lines):
            return "looks at the machine in a way that can't be told apart"
        for unit in self.settling.waiting():
            star = isinstance(unit.node, ast.ImportFrom) and unit.node.names[0].name == "*"
            fault = "imports all names" if star else unit.fault()
            if fault:
                return f"{fault} in line {unit.node.lineno}"
        return ""

    def compile(self):
        """Return the module's code, and for each statement that waits its code, scope and names."""
        flags = 0
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                flags |= getattr(__future__, node.names[0].name).compiler_flag
        later = []
        for unit in list(self.settling.waiting()):
            if isinstance(unit.node, ast.ImportFrom):
                self._keep_import(unit)
            statements = ast.fix_missing_locations(ast.Module(_take_out(unit, len(later)), []))
            code = compile(statements, self.path, "exec", flags, dont_inherit=True)
            names = sorted(unit.names.binds) if unit.late == "whole" else []
            later.append((code, unit.scope, names))
        tree = ast.fix_missing_locations(self.tree)
        return compile(tree, self.path, "exec", flags, dont_inherit=True), later

    def _keep_import(self, unit):
        """Have a module imported where it was, so that what waits in it comes before what needs that."""
        name = self._resolve(unit.node.level, unit.node.module or "")
        statement = ast.parse(f"__import__({name!r})").body[0]
        unit.siblings.insert(unit.place(), ast.copy_location(statement, unit.node))


def _take_out(unit, number):
    """Replace what waits by a mark; return the statements that are to be executed later."""
    node = unit.node
    mark = ast.Expr(ast.Call(ast.Name(MARK, ast.Load()), [ast.Constant(number)], []))
    place = unit.place()
    unit.siblings[place : place + 1] = [ast.copy_location(mark, node)]
    if unit.late == "defaults":
        unit.siblings.insert(place, node)
        return _take_defaults(node)
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        unit.siblings.insert(
            place, ast.copy_location(ast.AnnAssign(node.target, node.annotation, None, 1), node)
        )
        return [ast.copy_location(ast.Assign([node.target], node.value), node)]
    return [node]


def _take_defaults(node):
    statements = []
    for default, store in function_defaults(node):
        if isinstance(default, ast.Constant):
            continue
        statement = ast.parse(store).body[0]
        for part in ast.walk(statement):
            if hasattr(part, "lineno"):
                ast.copy_location(part, default)
        if isinstance(statement.value, ast.Tuple):
            statement.value.elts[1] = default
        else:
            statement.value = default
        statements.append(statement)
    nothing = ast.Constant(None)
    arguments = node.args
    arguments.defaults = [_or_nothing(default, nothing) for default in arguments.defaults]
    arguments.kw_defaults = [default and _or_nothing(default, nothing) for default in arguments.kw_defaults]
    return statements


def _or_nothing(default, nothing):
    return default if isinstance(default, ast.Constant) else ast.copy_location(nothing, default)


def defer(facts, path):
    """Compile modules so that some of their statements wait, and write their code to a file.

    `facts` has, for each module in the order of import, its `origin`, whether it is a `package`, its
    `imports`, and the `lines` that look at the machine. Return why it can't be done, by module.
    """
    modules = {}
    faults = {}
    changed = True
    while changed:
        changed = False
        exports = {name: module.exports() for name, module in modules.items()}
        for name, fact in facts.items():
            known = {other: exports[other] for other in fact["imports"] if other in exports}
            if name in faults or not (fact["lines"] or known):
                continue
            try:
                module = modules.get(name) or _Module(name, fact)
            except (OSError, SyntaxError, UnicodeError, ValueError):
                if fact["lines"]:
                    faults[name] = "has no source"
                continue
            modules[name] = module
            late = {other: names for other, (names, _) in known.items()}
            attributes = frozenset().union(*(names | inner for names, inner in known.values()))
            if module.settling.settle(late, attributes):
                exports[name] = module.exports()
                changed = True
    return _finish(modules, faults, path)


def _finish(modules, faults, path):
    codes = {}
    for name, module in modules.items():
        fault = module.fault()
        if fault:
            faults[name] = fault
        elif any(True for _ in module.settling.waiting()):
            codes[name] = module.compile()
    with open(path, "wb") as stream:
        marshal.dump(codes, stream)
    return faults
