"""`torch.where` as syntax, for the edits that compute both sides and choose."""

from __future__ import annotations

import ast
from typing import Any

from exportcheck.rewrites.sources import Forward


def chosen(forward: Forward, mask: ast.expr, value: ast.expr, other: ast.expr) -> ast.expr:
    """`torch.where(mask, value, other)`, numbers made tensors: not every exporter takes them."""
    sides = (_tensor(forward, value, other), _tensor(forward, other, value))
    return _call("where", mask, *sides)


def scope() -> dict[str, Any]:
    """The names that `chosen` uses."""
    import torch

    return {"torch": torch}


def _tensor(forward: Forward, node: ast.expr, like: ast.expr) -> ast.expr:
    return _call("full_like", like, node) if _is_number(forward, node) else node


def _is_number(forward: Forward, node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return _is_number(forward, node.operand)
    value = node.value if isinstance(node, ast.Constant) else forward.value(node)
    return isinstance(value, (int, float))


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    function = ast.Attribute(ast.Name(id="torch", ctx=ast.Load()), name, ast.Load())
    return ast.Call(func=function, args=list(arguments), keywords=[])
