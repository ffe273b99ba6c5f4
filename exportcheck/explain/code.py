"""The code of a form, read from its source file: nothing is imported, so no PyTorch is needed."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exportcheck.catalog import Activation

_OWN = "exportcheck.forms"
_FORMS = Path(__file__).parents[1] / "forms.py"


def call_of(activation: Activation) -> str:
    """The call that makes a form: `torch.nn.Hardswish(inplace=True)`."""
    arguments = ", ".join(f"{key}={value!r}" for key, value in activation.kwargs.items())
    return f"{activation.module.removeprefix(f'{_OWN}.')}({arguments})"


def code_of(activation: Activation) -> str:
    """The class of a hand-written form with what it is made of; else the call that makes it.

    Docstrings are left out, for the formula stands beside the code.
    """
    module, _, name = activation.module.rpartition(".")
    if module != _OWN:
        return call_of(activation)
    text = "\n\n\n".join(_with_what_it_uses(name))
    return f"{text}\n\n\n{call_of(activation)}" if activation.kwargs else text


def _with_what_it_uses(name: str) -> list[str]:
    """The source of a definition of `forms`, those of the same file that it uses before it."""
    definitions = _definitions()
    wanted: list[str] = []

    def add(one: str) -> None:
        if one in wanted or one not in definitions:
            return
        used = {node.id for node in ast.walk(definitions[one]) if isinstance(node, ast.Name)}
        for other in sorted(used - {one}):
            add(other)
        wanted.append(one)

    add(name)
    return [_bare(definitions[one]) for one in wanted]


@lru_cache(maxsize=None)
def _definitions() -> dict[str, ast.stmt]:
    tree = ast.parse(_FORMS.read_text("utf-8"))
    return {
        node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))
    }


def _bare(node: ast.stmt) -> str:
    """The lines of `node` as they are written, but for its docstrings."""
    lines = _FORMS.read_text("utf-8").splitlines()
    left_out: set[int] = set()
    for inner in ast.walk(node):
        if isinstance(inner, (ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(inner):
            said = inner.body[0]
            # Where only a docstring stood before it, a blank line would be left to begin with.
            end = (said.end_lineno or 0) + (isinstance(inner, ast.ClassDef))
            left_out.update(range(said.lineno, end + 1))
    kept = range(node.lineno, (node.end_lineno or 0) + 1)
    return "\n".join(lines[n - 1] for n in kept if n not in left_out)
