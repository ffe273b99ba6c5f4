"""What `exportcheck check SPEC` is about: a user's module, or activations of the catalogue."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from exportcheck.catalog import activations
from exportcheck.catalog.interface import ALL_NETWORKS
from exportcheck.custom.module_spec import ModuleSpec
from exportcheck.errors import UsageError
from exportcheck.selection import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Asked:
    """One row of the matrix.

    Attributes:
        name: in the ids of its cases.
        networks: to check it in.
        module: the user's; None for an activation of the catalogue.
    """

    name: str
    networks: tuple[str, ...]
    module: ModuleSpec | None = None


def asked(spec: ModuleSpec, networks: Sequence[str]) -> list[Asked]:
    """The rows for a spec whose `spec` may also be a family or an activation.

    An activation that is to be built or fed otherwise than the catalogue does becomes a module.

    Raises:
        UsageError: there is no such thing, as far as that can be seen without importing it.
    """
    for name in networks:
        if name not in ALL_NETWORKS:
            raise UsageError(f"no network {name!r}{nearest(name, ALL_NETWORKS)}")
    known = activations()
    chosen = [a for a in known.values() if a.family == spec.spec] or (
        [known[spec.spec]] if spec.spec in known else []
    )
    if not chosen:
        module = replace(spec, spec=_named(spec.spec))
        return [Asked(module.name, tuple(networks) or ("bare",), module)]
    if replace(spec, spec="", settled=False) != ModuleSpec(""):
        one = known.get(spec.spec, chosen[0])
        args = {**{key: repr(value) for key, value in one.kwargs.items()}, **dict(spec.args)}
        path, _, name = one.module.rpartition(".")
        module = replace(spec, spec=f"{path}:{name}", args=tuple(args.items()))
        return [Asked(module.name, tuple(networks) or ("bare",), module)]
    rows = []
    for one in chosen:
        wanted = tuple(n for n in networks or ("bare",) if n in one.networks)
        if wanted:
            rows.append(Asked(one.name, wanted))
    if not rows:
        raise UsageError(f"{spec.spec} has no network {', '.join(networks)}")
    return rows


def _named(text: str) -> str:
    """`package.module:Name` or `file.py:Name` for what was typed.

    Raises:
        UsageError: it names no class or function.
    """
    file, colon, name = text.rpartition(":")
    if colon and not file.endswith(".py") and Path(file).is_file():
        raise UsageError(f"{file} is no .py file; say path/to/file.py:Name or package.module:Name")
    if colon and file and all(part.isidentifier() for part in name.split(".")):
        return text
    if text.endswith(".py") or file.endswith(".py"):
        path = text if text.endswith(".py") else file
        if not Path(path).is_file():
            raise UsageError(f"{path}: there is no such file")
        found = [f"{path}:{one}" for one in _definitions(Path(path))]
        hint = f": {', '.join(found)}" if found else f", {path}:Name"
        raise UsageError(f"say which class or function of {path} to check{hint}")
    path, dot, name = text.rpartition(".")
    if dot and path and not colon:
        return f"{path}:{name}"
    raise UsageError(
        f"no activation or family {text!r}{nearest(text, _catalogue())} (all: exportcheck list "
        "activations); a module of your own is package.module:Name or path/to/file.py:Name"
    )


def _catalogue() -> list[str]:
    return list(dict.fromkeys(n for a in activations().values() for n in (a.name, a.family)))


def _definitions(path: Path) -> Iterator[str]:
    """The public classes, functions and instances of a file, which is read and not run."""
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (SyntaxError, ValueError):
        return
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_"):
            yield node.name
        if isinstance(node, ast.Assign) and _makes(node.value):
            names = (target.id for target in node.targets if isinstance(target, ast.Name))
            yield from (name for name in names if not name.startswith("_"))


def _makes(value: ast.expr) -> bool:
    """Whether an expression looks like a call of a class, or compiles a module."""
    if not isinstance(value, ast.Call):
        return False
    called = ast.unparse(value.func).rpartition(".")[2]
    return called[:1].isupper() or called in ("script", "trace")


def parse_arg(text: str) -> tuple[str, str]:
    """Name and Python literal of one `--arg`; what is no literal is taken for a string.

    Raises:
        UsageError: it is not NAME=VALUE, or a literal of another language.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"--arg {text!r} where NAME=VALUE was expected, as in --arg alpha=0.5")
    if value in ("true", "false", "none", "null"):
        word = {"null": "None"}.get(value, value.capitalize())
        raise UsageError(f"--arg {text!r}: a Python literal was expected, {word} for {value}")
    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = repr(value)
    return name, value


def parse_axes(text: str) -> tuple[int, ...]:
    """The axes of `--dynamic`.

    Raises:
        UsageError: it is no list of small numbers.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdecimal() and len(part) < 3 for part in parts):
        raise UsageError(f"--dynamic {text!r} where axes were expected, as in --dynamic 0,2,3")
    return tuple(sorted({int(part) for part in parts}))
