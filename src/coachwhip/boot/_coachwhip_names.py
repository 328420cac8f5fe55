"""What a statement loads and binds while the scope that it stands in is executed. Pure."""

import ast


class Names(ast.NodeVisitor):
    """The names that a statement touches when it is executed, not those in bodies of functions it defines.

    Attributes:
        loads: names that are read.
        attributes: names of attributes that are read, of whatever.
        binds: names that are bound or deleted in the statement's own scope.
        mutates: whether it stores into other objects, by attribute or index.
        calls: whether it has an expression for what that does, not for its value.
    """

    def __init__(self, *nodes):
        """Look at some nodes of one scope."""
        self.loads = set()
        self.attributes = set()
        self.binds = set()
        self.mutates = False
        self.calls = False
        for node in nodes:
            self.visit(node)

    def _add_inner(self, nodes):
        """Add what a scope within this one reads; what it binds is its own."""
        inner = Names(*nodes)
        self.loads |= inner.loads
        self.attributes |= inner.attributes
        self.mutates |= inner.mutates
        self.calls |= inner.calls

    def visit_Name(self, node):
        """Note a name."""
        (self.loads if isinstance(node.ctx, ast.Load) else self.binds).add(node.id)

    def visit_Attribute(self, node):
        """Note an attribute."""
        if isinstance(node.ctx, ast.Load):
            self.attributes.add(node.attr)
        else:
            self.mutates = True
        self.visit(node.value)

    def visit_Subscript(self, node):
        """Note what is stored by index."""
        self.mutates |= not isinstance(node.ctx, ast.Load)
        self.generic_visit(node)

    def visit_AugAssign(self, node):
        """Note that the target is read, too."""
        if isinstance(node.target, ast.Name):
            self.loads.add(node.target.id)
        self.generic_visit(node)

    def visit_AnnAssign(self, node):
        """Note what is bound; an annotation alone binds nothing."""
        for part in (node.annotation, *((node.target, node.value) if node.value else ())):
            self.visit(part)

    def visit_Expr(self, node):
        """Note that something is called; texts and `...` do nothing."""
        self.calls |= not isinstance(node.value, ast.Constant)
        self.generic_visit(node)

    def visit_FunctionDef(self, node):
        """Look at what defining a function evaluates."""
        self.binds.add(node.name)
        for part in header(node):
            self.visit(part)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        """Look at the defaults."""
        for part in header(node):
            self.visit(part)

    def visit_ClassDef(self, node):
        """Look at the header and at the body, which is executed at once."""
        self.binds.add(node.name)
        for part in header(node):
            self.visit(part)
        self._add_inner(node.body)

    def _comprehension(self, node):
        self._add_inner(ast.iter_child_nodes(node))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_alias(self, node):
        """Note the name that an import binds."""
        self.binds.add(node.asname or node.name.partition(".")[0])

    def visit_ExceptHandler(self, node):
        """Note the name of the exception."""
        if node.name:
            self.binds.add(node.name)
        self.generic_visit(node)

    def _pattern(self, node):
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name:
            self.binds.add(name)
        self.generic_visit(node)

    visit_MatchAs = visit_MatchStar = visit_MatchMapping = _pattern


def header(node):
    """Return what a definition, a lambda or an `if` evaluates before its body."""
    if isinstance(node, ast.If):
        return [node.test]
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    arguments = node.args
    found = [*arguments.defaults, *(default for default in arguments.kw_defaults if default is not None)]
    if isinstance(node, ast.Lambda):
        return found
    every = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    notes = [argument.annotation for argument in every if argument is not None and argument.annotation]
    return [*node.decorator_list, *found, *notes, *([node.returns] if node.returns else [])]
