"""A staticmethod `forward` to a method: TorchScript compiles methods only."""

from __future__ import annotations

import ast
import copy

from exportcheck.rewrites.sources import Edit


class StaticForward(Edit):
    """`@staticmethod def forward(x)` to `def forward(self, x)`."""

    does = "forward a method"

    def edited(self, tree: ast.FunctionDef) -> ast.FunctionDef:
        """`tree` with `self` before its arguments, unless it has that already."""
        if (
            not self.forward.static
            or self.forward.called
            or any(a.arg == "self" for a in tree.args.args)
        ):
            return tree
        self.changes = True
        tree = copy.deepcopy(tree)
        tree.decorator_list = []
        tree.args.args.insert(0, ast.arg(arg="self"))
        return tree


EDITS = (StaticForward,)
