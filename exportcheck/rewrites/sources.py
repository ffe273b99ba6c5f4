"""The source of a module's `forward`: read as a syntax tree, edited, and made a class again."""

from __future__ import annotations

import ast
import builtins
import copy
import inspect
import linecache
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from types import FunctionType
from typing import TYPE_CHECKING, Any

from exportcheck.custom.calling import is_call

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Forward:
    """The `forward` of a module, as its class has it, or the function that it calls.

    Attributes:
        module: whose it is.
        function: the plain function.
        tree: its definition, lines counted from 1 at the `def` or its first decorator.
        static: whether it is a staticmethod, or a function.
        called: the name that the module calls the function by; empty for the `forward` itself.
    """

    module: nn.Module
    function: FunctionType
    tree: ast.FunctionDef
    static: bool
    called: str = ""

    @property
    def scope(self) -> dict[str, Any]:
        """The names of its file."""
        return self.function.__globals__

    def value(self, node: ast.AST) -> Any:
        """What a dotted name such as `F.relu` or `self.function` stands for; None if unknown."""
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id in self.locals:
            return None
        owner = {} if self.static else {self.tree.args.args[0].arg: self.module}
        found = {**vars(builtins), **self.scope, **owner}.get(node.id)
        for name in reversed(names):
            found = getattr(found, name, None)
        return found

    @property
    def locals(self) -> frozenset[str]:
        """The names that it assigns, its arguments but the first included."""
        arguments = self.tree.args.args[0 if self.static else 1 :]
        stored = (
            node.id
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
        )
        return frozenset((*(a.arg for a in arguments), *stored))


def forward_of(module: nn.Module) -> Forward | None:
    """The `forward` of a module that somebody wrote, None where it cannot be rewritten safely.

    That is where its source is not at hand, where it is PyTorch's own, wrapped by a decorator, or
    refers to variables outside: of a function around it, or of its class as `super()` does.
    """
    called = _called(module)
    found = called[1] if called else inspect.getattr_static(type(module), "forward", None)
    static = isinstance(found, staticmethod) or bool(called)
    function = found.__func__ if isinstance(found, staticmethod) else found
    if not isinstance(function, FunctionType) or (function.__module__ or "").startswith("torch."):
        return None
    if not hasattr(ast, "unparse") or function.__closure__ or hasattr(function, "__wrapped__"):
        return None
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, SyntaxError, TypeError):
        return None
    decorators = int(static and not called)
    if not isinstance(tree, ast.FunctionDef) or len(tree.decorator_list) != decorators:
        return None
    if _mangled(tree) or not (tree.args.args or static):
        return None
    return Forward(module, function, tree, static, called[0] if called else "")


def _called(module: nn.Module) -> tuple[str, FunctionType] | None:
    """The function that a module made of one calls, and its name there; None for any other."""
    if not is_call(module):
        return None
    scope = type(module).forward.__globals__
    functions = (f for f in scope.items() if isinstance(f[1], FunctionType))
    return next((f for f in functions if f[0] != "forward"), None)


def _mangled(tree: ast.AST) -> bool:
    """Whether it uses a private name `__x`, which is another one in another class."""
    names = (getattr(node, "attr", getattr(node, "id", "")) for node in ast.walk(tree))
    return any(name.startswith("__") and not name.endswith("__") for name in names)


class Edit(ast.NodeTransformer):
    """One kind of change to a `forward`; what it cannot do safely it leaves as it is.

    Attributes:
        does: what the new `forward` has, in a few words.
        forward: the one to change, as it was written.
        changes: whether it found anything.
        lines: first and last line of each statement or expression that it changed.
        definitions: the functions that the new `forward` calls: names to sources, in order.
        scope: what else it refers to.
    """

    does = ""

    def __init__(self, forward: Forward) -> None:
        self.forward = forward
        self.changes = False
        self.lines: set[tuple[int, int]] = set()
        self.definitions: dict[str, str] = {}
        self.scope: dict[str, Any] = {}

    def edited(self, tree: ast.FunctionDef) -> ast.FunctionDef:
        """A changed copy of `tree`, the forward as the edits before this one left it."""
        return self.visit(copy.deepcopy(tree))

    def touch(self, node: ast.AST) -> None:
        """Notes that `node` is changed."""
        self.changes = True
        first = getattr(node, "lineno", 0)
        self.lines.add((first, getattr(node, "end_lineno", None) or first))


_numbers = count()


def defined(source: str, scope: Mapping[str, Any], flags: int = 0) -> dict[str, Any]:
    """The names after running `source` in a copy of `scope`; its lines stay readable.

    TorchScript and tracebacks ask for them.
    """
    file = f"<rewrite {next(_numbers)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names = dict(scope)
    exec(compile(source, file, "exec", flags=flags, dont_inherit=True), names)
    return names
