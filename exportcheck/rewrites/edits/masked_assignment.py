"""Assignment to the places that a mask picks, to `torch.where`.

`y[x < 0] = 0.1 * x[x < 0]` becomes `y = torch.where(x < 0, 0.1 * x, y)`. The mask must be seen to
be one: a comparison, or a variable that only ever held one.
"""

from __future__ import annotations

import ast
import copy
from typing import Any

from exportcheck.rewrites.sources import Edit, Forward
from exportcheck.rewrites.where import chosen, scope


class MaskedAssignment(Edit):
    """`y[mask] = value` and `y[mask] *= value`."""

    does = "torch.where for masked assignment"

    def __init__(self, forward: Forward) -> None:
        super().__init__(forward)
        self._masks = _masks(forward.tree)

    def visit_Assign(self, node: ast.Assign) -> Any:
        """`y[mask] = value`."""
        (target, *others) = node.targets
        if others or not self._is_masked(target):
            return node
        return self._rewritten(node, target, node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        """`y[mask] *= value`."""
        if not self._is_masked(node.target):
            return node
        old = copy.deepcopy(node.target)
        old.ctx = ast.Load()
        return self._rewritten(node, node.target, ast.BinOp(old, node.op, node.value))

    def _rewritten(self, node: ast.stmt, target: Any, value: ast.expr) -> ast.stmt:
        self.touch(node)
        self.scope.update(scope())
        mask = _index(target)
        value = _Unmasked(ast.dump(mask)).visit(value)
        assigned = chosen(self.forward, mask, value, ast.Name(id=target.value.id, ctx=ast.Load()))
        name = ast.Name(id=target.value.id, ctx=ast.Store())
        return ast.copy_location(ast.Assign(targets=[name], value=assigned), node)

    def _is_masked(self, node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and node.value.id in self.forward.locals
            and self._is_mask(_index(node))
        )

    def _is_mask(self, node: ast.AST) -> bool:
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr)):
            return self._is_mask(node.left) and self._is_mask(node.right)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
            return self._is_mask(node.operand)
        named = isinstance(node, ast.Name) and node.id in self._masks
        return named or isinstance(node, ast.Compare)


def _masks(tree: ast.AST) -> set[str]:
    """The variables to which nothing but comparisons is assigned."""
    compared: set[str] = set()
    others: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            kind = compared if isinstance(node.value, ast.Compare) else others
            kind.update(t.id for t in node.targets if isinstance(t, ast.Name))
    return compared - others


def _index(node: Any) -> Any:
    """The index of a subscript, which Python 3.8 wraps."""
    return getattr(node.slice, "value", node.slice) if _is_wrapped(node) else node.slice


def _is_wrapped(node: Any) -> bool:
    return type(node.slice).__name__ == "Index"


class _Unmasked(ast.NodeTransformer):
    """`x[mask]` to `x` itself: `torch.where` takes the values at the mask's places from there."""

    def __init__(self, mask: str) -> None:
        self._mask = mask

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        """An array under the same mask."""
        self.generic_visit(node)
        return node.value if ast.dump(_index(node)) == self._mask else node


EDITS = (MaskedAssignment,)
