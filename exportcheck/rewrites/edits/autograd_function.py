"""An `autograd.Function` to its plain forward: exporters cannot save a call of Python."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

from exportcheck.rewrites.pasting import free_names, snake
from exportcheck.rewrites.sources import Edit


class AutogradFunction(Edit):
    """`Mish.apply(x)`, `self.function.apply(x)` or an alias of `Mish.apply`.

    Autograd differentiates the plain forward itself. Where the hand-written backward was another
    gradient on purpose (rounding with a straight-through estimator), the proof refuses.
    """

    does = "a plain function for an autograd.Function"

    def visit_Call(self, node: ast.Call) -> Any:
        """A call of the `apply` of a Function."""
        self.generic_visit(node)
        kind = self._function(node.func)
        if kind is None or node.keywords:
            return node
        name = f"{snake(kind.__name__)}_plain"
        source = _plain(kind, name)
        scope = self._scope(kind, source or "")
        if source is None or scope is None:
            return node
        self.definitions[name] = source
        self.scope.update(scope)
        self.touch(node)
        node.func = ast.copy_location(ast.Name(id=name, ctx=ast.Load()), node.func)
        return node

    def _scope(self, kind: Any, source: str) -> dict[str, Any] | None:
        """What `source` needs of its own file; None where a name means something else here."""
        theirs = inspect.unwrap(kind.forward).__globals__
        needed = {name: theirs[name] for name in free_names(source) if name in theirs}
        ours = {**self.forward.scope, **self.scope}
        clash = any(ours.get(name, value) is not value for name, value in needed.items())
        return None if clash else needed

    def _function(self, node: ast.AST) -> Any:
        """The Function whose `apply` is meant; None for any other call."""
        import torch

        kind = getattr(self.forward.value(node), "__self__", None)
        if isinstance(node, ast.Attribute) and node.attr == "apply":
            kind = self.forward.value(node.value)
        is_function = isinstance(kind, type) and issubclass(kind, torch.autograd.Function)
        return kind if is_function else None


def _plain(kind: Any, name: str) -> str | None:
    """The forward of `kind` as a function called `name`; None where it needs the context."""
    import torch

    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind.forward))).body[0]
    except (OSError, SyntaxError, TypeError):
        return None
    if not isinstance(tree, ast.FunctionDef) or inspect.unwrap(kind.forward).__closure__:
        return None
    tree.name, tree.decorator_list = name, []
    combined = getattr(torch.autograd.Function, "setup_context", None)
    if getattr(kind, "setup_context", None) is combined:
        context = tree.args.args.pop(0).arg
        tree = _WithoutContext(context).visit(tree)
        for node in ast.walk(tree):
            if getattr(node, "body", None) == []:
                node.body = [ast.Pass()]  # type: ignore[attr-defined]  # it has one
        if any(isinstance(n, ast.Name) and n.id == context for n in ast.walk(tree)):
            return None
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


class _WithoutContext(ast.NodeTransformer):
    """Drops what is only said to the context: `ctx.save_for_backward(x)`, `ctx.alpha = alpha`."""

    def __init__(self, context: str) -> None:
        self._context = context

    def visit_Expr(self, node: ast.Expr) -> Any:
        """A statement that calls the context."""
        call = node.value
        return None if isinstance(call, ast.Call) and self._is_its(call.func) else node

    def visit_Assign(self, node: ast.Assign) -> Any:
        """An assignment to attributes of the context alone."""
        return None if all(self._is_its(target) for target in node.targets) else node

    def _is_its(self, node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == self._context
        )


EDITS = (AutogradFunction,)
