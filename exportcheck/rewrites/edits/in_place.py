"""Operations that write to a tensor, to the same ones that return a new tensor.

`x.mul_(2)` as a statement becomes `x = x.mul(2)`, in an expression `x.mul(2)`; `x += 1` becomes
`x = x + 1`; `F.relu_(x)` becomes `F.relu(x)`; `inplace=True` goes. Another name of the same tensor
no longer sees the change: whether that matters, the proof tells.
"""

from __future__ import annotations

import ast
from types import ModuleType
from typing import Any

from exportcheck.rewrites.sources import Edit, Forward


class InPlace(Edit):
    """In-place methods and functions of tensors, augmented assignments to them, `inplace=True`."""

    does = "nothing done in place"

    def __init__(self, forward: Forward) -> None:
        super().__init__(forward)
        self._tensors: set[str] = set(forward.locals)

    def visit_Expr(self, node: ast.Expr) -> Any:
        """A call whose result nobody takes: it was made for its writing."""
        written = self._written(node.value)
        node.value = self.visit(node.value)
        if written is None or not self._touched(node):
            return node
        target = ast.Name(id=written, ctx=ast.Store())
        return ast.copy_location(ast.Assign(targets=[target], value=node.value), node)

    def _touched(self, node: ast.AST) -> bool:
        return any(first == getattr(node, "lineno", 0) for first, _ in self.lines)

    def _written(self, node: ast.AST) -> str | None:
        """The variable that a call writes to: `x` in `x.mul_(2).add_(1)` and in `F.relu_(x)`."""
        while isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute) and self._is_tensor(function.value):
                node = function.value
            else:
                node = node.args[0] if node.args else function
        return node.id if isinstance(node, ast.Name) and node.id in self._tensors else None

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        """`x += y`; what a name does not stand for, such as `self.x` or `x[0]`, stays."""
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name) or node.target.id not in self._tensors:
            return node
        self.touch(node)
        value = ast.BinOp(ast.Name(id=node.target.id, ctx=ast.Load()), node.op, node.value)
        return ast.copy_location(ast.Assign(targets=[node.target], value=value), node)

    def visit_Call(self, node: ast.Call) -> Any:
        """`x.mul_(2)`, `F.relu_(x)`, `F.relu(x, inplace=True)`."""
        self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Attribute) and _is_in_place(function.attr):
            plain = function.attr[:-1]
            if hasattr(self._owner(function.value), plain):
                function.attr = plain
                self.touch(node)
        kept = [k for k in node.keywords if k.arg != "inplace" or not _is_true(k.value)]
        if len(kept) != len(node.keywords):
            node.keywords = kept
            self.touch(node)
        return node

    def _owner(self, node: ast.AST) -> Any:
        """What the attributes of `node` are looked up in: the class of tensors, or a file like `F`.

        None for `self.total` and `x[0]`: whoever writes there means what is written to.
        """
        import torch

        if self._is_tensor(node):
            return torch.Tensor
        found = self.forward.value(node)
        return found if isinstance(found, ModuleType) else None

    def _is_tensor(self, node: ast.AST) -> bool:
        """Whether it is a variable or a result, and so most likely a tensor."""
        return isinstance(node, ast.Call) or (
            isinstance(node, ast.Name) and node.id in self._tensors
        )


def _is_in_place(name: str) -> bool:
    return name.endswith("_") and not name.endswith("__")


def _is_true(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


EDITS = (InPlace,)
