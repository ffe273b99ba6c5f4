"""From an edited `forward` to a candidate: a class, or a function where the module is only that."""

from __future__ import annotations
import __future__

import ast
import copy
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from exportcheck.custom.calling import is_call
from exportcheck.rewrites.interface import Candidate
from exportcheck.rewrites.pasting import standalone, taken_from_beside
from exportcheck.rewrites.sources import Edit, Forward, defined
from exportcheck.rewrites.swapping import twin

SUFFIX = "Exportable"
"""What the name of a rewritten class ends in; that of a function, `_exportable`."""


def edited(forward: Forward, kinds: Sequence[type[Edit]]) -> Candidate | None:
    """The module with every edit of `kinds` made, None unless each of them changes something."""
    tree = forward.tree
    made: list[Edit] = []
    for kind in kinds:
        edit = kind(forward)
        tree = ast.fix_missing_locations(edit.edited(tree))
        if not edit.changes:
            return None
        made.append(edit)
    result = _Result(forward, tree, made)
    if forward.called:
        return _of_function(result)
    return _of_call(result) if is_call(forward.module) else _of_class(result)


@dataclass
class _Result:
    """A forward with its edits made."""

    forward: Forward
    tree: ast.FunctionDef
    made: Sequence[Edit]

    @property
    def what(self) -> str:
        return ", ".join(edit.does for edit in self.made)

    @property
    def definitions(self) -> str:
        sources = {name: text for edit in self.made for name, text in edit.definitions.items()}
        return "\n\n".join(sources.values())

    def run(self, source: str, **known: Any) -> tuple[dict[str, Any], str]:
        """The names after running `source`, and it as people may paste it."""
        scope = {**self.forward.scope, **known}
        for edit in self.made:
            scope.update(edit.scope)
        flags = self.forward.function.__code__.co_flags & __future__.annotations.compiler_flag
        whole = "\n\n".join(filter(None, (self.definitions, source)))
        names = defined(whole, scope, flags)
        home = type(self.forward.module).__module__
        if is_call(self.forward.module):
            home = self.forward.function.__module__
        return names, standalone(whole, names, home, postponed=bool(flags))

    def candidate(
        self, name: str, module: Any, names: dict[str, Any], code: str, swap: str
    ) -> Candidate:
        beside = taken_from_beside(code, names)
        lines = frozenset(lines for edit in self.made for lines in edit.lines)
        text = f"{name} with {self.what}"
        return Candidate(text, module, code, swap, self.forward.function, lines, beside)


def _of_class(result: _Result) -> Candidate:
    base = type(result.forward.module)
    name = base.__name__ + SUFFIX
    text = textwrap.fill(f"`{base.__name__}` with {result.what}.", 90, subsequent_indent="    ")
    body = textwrap.indent(ast.unparse(result.tree), "    ")
    source = f'class {name}({base.__name__}):\n    """{text}"""\n\n{body}\n'
    names, code = result.run(source, **{base.__name__: base})
    module = twin(result.forward.module, names[name])
    return result.candidate(base.__name__, module, names, code, f"{{place}}.__class__ = {name}")


def _of_function(result: _Result) -> Candidate:
    """Another function for the one that the module was made of."""
    old = result.forward.function.__name__
    new = f"{old}_{SUFFIX.lower()}"
    tree = copy.deepcopy(result.tree)
    tree.name = new
    names, code = result.run(ast.unparse(tree) + "\n")
    module = _calling(result.forward, {result.forward.called: names[new]})
    return result.candidate(old, module, names, code, f"{old} = {new}")


def _of_call(result: _Result) -> Candidate:
    """Another function for an autograd.Function, which the module was made of."""
    names, code = result.run("")
    before, after = (ast.unparse(tree.body[-1]) for tree in (result.forward.tree, result.tree))
    forward = result.run(ast.unparse(result.tree) + "\n")[0]["forward"]
    swap = f"# in place of {before.partition('return ')[2]}: {after.partition('return ')[2]}"
    name = before.partition("return ")[2].partition(".")[0]
    return result.candidate(name, _with_forward(result.forward, forward), names, code, swap)


def _calling(forward: Forward, functions: dict[str, Any]) -> Any:
    """The made module, calling other functions by the same names."""
    stock = type(forward.module).forward
    return _with_forward(
        forward, FunctionType(stock.__code__, {**stock.__globals__, **functions}, "forward")
    )


def _with_forward(forward: Forward, function: Any) -> Any:
    kind = type(forward.module)
    return twin(forward.module, type(kind.__name__, (kind,), {"forward": function}))
