"""A branch on what a tensor holds, to both sides computed and one chosen by `torch.where`.

A trace keeps the side that its example took. What is rewritten: a condition on one number of a
tensor (`x.mean() > 0`, `(x > 0).any()`), with a single `return` of, or assignment to the same
variable on, each side. Conditions on shapes, types and flags stay: they do not depend on data.
"""

from __future__ import annotations

import ast
from typing import Any

from exportcheck.rewrites.sources import Edit
from exportcheck.rewrites.where import chosen, scope

_REDUCTIONS = frozenset(
    ("amax", "amin", "max", "mean", "median", "min", "norm", "std", "sum", "var")
)
_VERDICTS = frozenset(("all", "any"))
_NUMBERS = frozenset(("float", "bool"))


class Branch(Edit):
    """`if x.mean() > 0: y = a` with its `else: y = b`, or one that returns."""

    does = "torch.where for a branch on data"

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        """The body, and the bodies within that are rewritten as one."""
        node.body = self._statements(node.body)
        return node

    def _statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        rest = list(body)
        while rest:
            statement = rest.pop(0)
            if isinstance(statement, ast.If):
                statement.body = self._statements(statement.body)
                statement.orelse = self._statements(statement.orelse)
                follows = rest[0] if rest else None
                found = self._rewritten(statement, follows)
                if found is not None:
                    statement, used = found
                    rest = rest[1:] if used else rest
            result.append(statement)
        return result

    def _rewritten(self, node: ast.If, follows: ast.stmt | None) -> tuple[ast.stmt, bool] | None:
        """One statement for the branch, and whether it takes in the one that follows."""
        condition = self._condition(node.test)
        sides = _sides(node, follows)
        if condition is None or sides is None:
            return None
        one, other, value, alternative = sides
        self.touch(one)
        if other is not None:
            self.touch(other)
        self.scope.update(scope())
        result = chosen(self.forward, condition, value, alternative)
        made = (
            ast.Assign(one.targets, result) if isinstance(one, ast.Assign) else ast.Return(result)
        )
        return ast.copy_location(made, node), other is follows and not node.orelse

    def _condition(self, node: ast.expr) -> ast.expr | None:
        """The condition as a tensor of one truth value; None where it does not depend on data."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self._condition(node.operand)
            return None if inner is None else ast.UnaryOp(ast.Invert(), inner)
        bare = _unwrapped(node)
        if isinstance(bare, ast.Call) and _called(bare) in _VERDICTS and self._is_of_data(bare):
            return bare
        if not isinstance(bare, ast.Compare) or len(bare.ops) != 1:
            return None
        left, right = _unwrapped(bare.left), _unwrapped(bare.comparators[0])
        if not (self._is_reduced(left) or self._is_reduced(right)):
            return None
        return ast.Compare(left, bare.ops, [right])

    def _is_reduced(self, node: ast.AST) -> bool:
        """Whether it is one number of a tensor, or a variable that only ever held such."""
        if not isinstance(node, ast.Name):
            return _called(node) in _REDUCTIONS and self._is_of_data(node)
        values = [
            assignment.value
            for assignment in ast.walk(self.forward.tree)
            if isinstance(assignment, ast.Assign) and _target(assignment) == node.id
        ]
        return bool(values) and all(_called(v) in _REDUCTIONS for v in values)

    def _is_of_data(self, node: ast.AST) -> bool:
        """Whether it is computed from a variable, and from no shape."""
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        attributes = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
        return bool(names & self.forward.locals) and not attributes & {"shape", "size", "ndim"}


def _sides(
    node: ast.If, follows: ast.stmt | None
) -> tuple[ast.stmt, ast.stmt | None, ast.expr, ast.expr] | None:
    """The statement of each side, None where a variable stays as it was, and their values."""
    if len(node.body) != 1 or len(node.orelse) > 1:
        return None
    one, other = node.body[0], node.orelse[0] if node.orelse else None
    if isinstance(one, ast.Return):
        other = other or follows
        if isinstance(other, ast.Return) and one.value and other.value:
            return one, other, one.value, other.value
    elif isinstance(one, ast.Assign) and _target(one):
        if other is None:
            return one, None, one.value, ast.Name(id=_target(one), ctx=ast.Load())
        if isinstance(other, ast.Assign) and _target(other) == _target(one):
            return one, other, one.value, other.value
    return None


def _target(node: ast.Assign) -> str:
    """The one variable that is assigned to; empty for anything else."""
    first = node.targets[0]
    return first.id if len(node.targets) == 1 and isinstance(first, ast.Name) else ""


def _called(node: ast.AST) -> str:
    """`mean` of `x.mean()` and of `torch.mean(x)`; empty for anything else."""
    is_method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return node.func.attr if is_method else ""  # type: ignore[attr-defined]  # a method


def _unwrapped(node: ast.expr) -> ast.expr:
    """`x.max()` of `x.max().item()` and of `float(x.max())`."""
    while isinstance(node, ast.Call):
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr == "item":
            node = function.value
        elif isinstance(function, ast.Name) and function.id in _NUMBERS and len(node.args) == 1:
            node = node.args[0]
        else:
            break
    return node


EDITS = (Branch,)
