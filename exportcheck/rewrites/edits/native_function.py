"""A call of a native activation function, such as `F.celu(x, 0.5)`, to one of a hand-written form.

The function is made of the form's `forward`, its attributes become arguments.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

from exportcheck.rewrites.known_forms import KnownForm, arguments, known_forms
from exportcheck.rewrites.pasting import free_names, snake
from exportcheck.rewrites.sources import Edit


class NativeFunction(Edit):
    """Calls of one function of `torch.nn.functional`, `torch` or a tensor."""

    known: KnownForm

    def visit_Call(self, node: ast.Call) -> Any:
        """A call of the function with arguments that the form takes."""
        self.generic_visit(node)
        if not self._is_meant(node.func):
            return node
        given = _given(node, self.known)
        made = _function(self.known)
        if given is None or made is None:
            return node
        scope = vars(inspect.getmodule(self.known.form_class()))
        needed = {n: scope[n] for n in free_names(made.source) if n in scope}
        ours = self.forward.scope
        if any(ours.get(name, value) is not value for name, value in needed.items()):
            return node
        self.definitions[made.name] = made.source
        self.scope.update(needed)
        self.touch(node)
        keywords = [ast.keyword(n, made.typed(n, v)) for n, v in given.items() if n in made.takes]
        name = ast.Name(id=made.name, ctx=ast.Load())
        return ast.copy_location(ast.Call(name, node.args[:1], keywords), node)

    def _is_meant(self, node: ast.AST) -> bool:
        found = self.forward.value(node)
        return found is not None and any(found is one for one in _natives(self.known))


def _natives(known: KnownForm) -> Iterator[Any]:
    """The functions of the same name, underscores aside, as the class: `log_softmax`."""
    import torch

    wanted = known.native.rpartition(".")[2].lower()
    for owner in (torch.nn.functional, torch):
        for name in vars(owner):
            if name.replace("_", "") == wanted and not name.endswith("_"):
                yield getattr(owner, name)


def _given(node: ast.Call, known: KnownForm) -> dict[str, ast.expr] | None:
    """The arguments after the tensor by the names that the class has for them.

    None where there is one that the class does not have, or a word is another than the form's.
    """
    native = known.native_class()
    if native is None or not node.args or any(isinstance(a, ast.Starred) for a in node.args):
        return None
    names = list(arguments(native))
    given = dict(zip(names, node.args[1:]))
    given.update({k.arg or "**": k.value for k in node.keywords})
    words = dict(known.words)
    if len(node.args) - 1 > len(names) or not set(given) <= set(names):
        return None
    for name in names:
        value = getattr(given.get(name), "value", arguments(native)[name].default)
        if isinstance(words.get(name, value), str) and value != words.get(name, value):
            return None
    return given


class _Function:
    """The function made of a form.

    Attributes:
        name: of the function.
        source: of it.
        takes: the names of its arguments after the tensor, each with its annotation.
    """

    def __init__(self, name: str, source: str, takes: dict[str, Any]) -> None:
        self.name = name
        self.source = source
        self.takes = takes

    def typed(self, name: str, value: ast.expr) -> ast.expr:
        """`value` as a float where the argument is one: TorchScript tells them apart."""
        is_float = str(self.takes[name]) in ("float", "<class 'float'>")
        if is_float and isinstance(value, ast.Constant) and isinstance(value.value, int):
            return ast.Constant(float(value.value))
        return value


def _function(known: KnownForm) -> _Function | None:
    """None where the form computes from anything but its arguments."""
    kind = known.form_class()
    takes = {name: p.annotation for name, p in arguments(kind).items()}
    tree: Any = ast.parse(textwrap.dedent(inspect.getsource(kind.forward))).body[0]
    used = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and _is_self(n.value)]
    if not {node.attr for node in used} <= set(takes):
        return None
    name = snake(kind.__name__)
    tree.name, tree.body = name, [_Bare().visit(n) for n in _without_docstring(tree.body)]
    init: Any = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    constructor = [n for n in init.body if getattr(n, "name", "") == "__init__"]
    del tree.args.args[0]
    if constructor:
        tree.args.args += constructor[0].args.args[1:]
        tree.args.defaults += constructor[0].args.defaults
    return _Function(name, ast.unparse(ast.fix_missing_locations(tree)) + "\n", takes)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    is_text = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return body[1:] if is_text else body


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


class _Bare(ast.NodeTransformer):
    """`self.alpha` to `alpha`."""

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        """An attribute of `self`."""
        self.generic_visit(node)
        return ast.Name(id=node.attr, ctx=ast.Load()) if _is_self(node.value) else node


def _edits() -> Iterator[type[NativeFunction]]:
    """An edit for the first form of each native class."""
    first: dict[Any, KnownForm] = {}
    for known in known_forms():
        first.setdefault((known.native, known.words), known)
    for known in first.values():
        native, form = (path.rpartition(".")[2] for path in (known.native, known.form))
        yield type(
            f"{native}Function", (NativeFunction,), {"known": known, "does": f"{form} for {native}"}
        )


EDITS = tuple(_edits())
