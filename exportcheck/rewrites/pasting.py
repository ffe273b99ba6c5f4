"""Source that runs where it is pasted: with the imports that its names need."""

from __future__ import annotations

import builtins
import inspect
import re
import symtable
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any


def of_class(kind: type[Any]) -> str:
    """The source of a class, everything of its own file that it needs spelt out before it."""
    scope = vars(sys.modules[kind.__module__])
    needed = _spelt_out(kind, scope, {})
    return standalone("\n\n".join(needed.values()), scope, kind.__module__)


def _spelt_out(found: Any, scope: Mapping[str, Any], known: dict[str, str]) -> dict[str, str]:
    """Names to sources, whatever is needed first, of `found` and its file's other objects."""
    source = inspect.getsource(found)
    known = {**known, found.__name__: ""}
    for name in sorted(free_names(source)):
        value = scope.get(name)
        if getattr(value, "__module__", None) == found.__module__ and name not in known:
            known = _spelt_out(value, scope, known)
    del known[found.__name__]
    return {**known, found.__name__: source.rstrip() + "\n"}


def standalone(source: str, scope: Mapping[str, Any], own: str, *, postponed: bool = False) -> str:
    """`source` below the imports and constants that its names stand for.

    Args:
        source: definitions only.
        scope: what names stand for.
        own: the module that the source is of; names that nothing else tells are taken from there.
        postponed: whether annotations are not to be evaluated.
    """
    needed = [n for n in sorted(free_names(source)) if n in scope and n not in vars(builtins)]
    lines = [_binding(name, scope[name], own) for name in needed]
    if postponed:
        lines.append("from __future__ import annotations")
    imports = [line for line in lines if "import " in line]
    others = [line for line in lines if "import " not in line]
    parts = ("\n".join(_merged(imports)), "\n".join(others))
    return "\n\n\n".join(["\n\n".join(filter(None, parts)), source.rstrip()]).lstrip() + "\n"


def free_names(source: str) -> set[str]:
    """The names that `source` takes from around it."""
    waiting = [symtable.symtable(source, "source", "exec")]
    own = {symbol.get_name() for symbol in waiting[0].get_symbols() if symbol.is_assigned()}
    found: set[str] = set()
    while waiting:
        table = waiting.pop()
        waiting.extend(table.get_children())
        found.update(
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module")
        )
    return found - own


def _binding(name: str, value: Any, own: str) -> str:
    """The line that makes `name` stand for `value`."""
    if isinstance(value, ModuleType):
        parent, _, last = value.__name__.rpartition(".")
        if name == value.__name__:
            return f"import {name}"
        if name == last and parent:
            return f"from {parent} import {last}"
        return f"import {value.__name__} as {name}"
    home = getattr(value, "__module__", None) or ""
    called = getattr(value, "__name__", "")
    if called and getattr(_importable(home), called, None) is value:
        return f"from {home} import {called}" + (f" as {name}" if name != called else "")
    # Ours are spelt out: whoever pastes a form need not have exportcheck.
    theirs = own.partition(".")[0] != __name__.partition(".")[0]
    if theirs and getattr(_importable(own), name, None) is value:
        return f"from {own} import {name}"
    if _is_literal(value):
        return f"{name} = {value!r}"
    return f"# {name}{_BESIDE}"


def _importable(name: str) -> ModuleType | None:
    """The module of this name, None where its file is called otherwise: the name is then ours."""
    module = sys.modules.get(name)
    file = Path(getattr(module, "__file__", None) or f"{name.rpartition('.')[2]}.py")
    known = file.name.partition(".")[0] in (name.rpartition(".")[2], "__init__", "__main__")
    return module if known else None


_BESIDE = ": as it stands beside the original"


def taken_from_beside(code: str, scope: Mapping[str, Any]) -> dict[str, Any]:
    """What `standalone` code does not import and must find where it is pasted, from `scope`."""
    return {name: scope[name] for name in re.findall(rf"^# (\w+){_BESIDE}$", code, re.M)}


def joined(parts: Sequence[tuple[str, str]]) -> str:
    """Definitions and the lines that use them as one text, no definition repeated.

    Args:
        parts: pairs of both, in order; one definition may give a name of an earlier one another
            meaning.
    """
    text = ""
    bound: dict[str, str] = {}
    for definition, lines in parts:
        named = dict.fromkeys(_defined_names(definition), definition)
        if definition not in text or not named.items() <= bound.items():
            text += f"{definition}\n\n" if not text else f"\n\n{definition}\n\n"
        bound.update(named)
        text += lines
    postponed = "from __future__ import annotations\n"
    return f"{postponed}\n{text.replace(postponed, '')}" if postponed in text else text


def _defined_names(source: str) -> Iterator[str]:
    """What top-level statements bind, imports left out."""
    for symbol in symtable.symtable(source, "source", "exec").get_symbols():
        if symbol.is_assigned() and not symbol.is_imported():
            yield symbol.get_name()


def _is_literal(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_is_literal, value))
    finite = not isinstance(value, float) or value - value == 0
    return isinstance(value, (bool, int, float, str, type(None))) and finite


def _merged(imports: Sequence[str]) -> Iterator[str]:
    """The imports in isort's order, those of names from one module in one line."""
    named: dict[str, list[str]] = {}
    for line in imports:
        head, _, names = line.partition(" import ")
        named.setdefault(head if names else line, []).extend([names] if names else [])
    for head in sorted(named, key=lambda h: ("__future__" not in h, h.startswith("from"), h)):
        # A group of its own, as isort has it.
        end = "\n" if "__future__" in head else ""
        names = ", ".join(sorted(named[head]))
        yield (f"{head} import {names}" if names else head) + end


def snake(name: str) -> str:
    """`celu_elu` for `CELUElu`."""
    words = re.sub(r"([A-Z]+)([A-Z][a-z])|([a-z0-9])([A-Z])", r"\1\3_\2\4", name.strip("_"))
    return words.lower()
