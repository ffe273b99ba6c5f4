"""`[tool.exportcheck]` of pyproject.toml: defaults for the options of `all`, known failures."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from exportcheck.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exportcheck.custom.module_spec import ModuleSpec
    from exportcheck.limitations import Limitation

PATHS = ("output", "limitations")
"""Options whose value is a path: in the file it counts from the file's folder."""


class Option(Protocol):
    """What is asked of an option of the command line."""

    name: str
    opts: Sequence[str]
    multiple: bool
    is_flag: bool


@dataclass(frozen=True)
class Settings:
    """What a project has set.

    Attributes:
        defaults: by the name of the parameter.
        limitations: the project's own known failures, written in place.
        modules: the project's own modules, which `all` includes.
    """

    defaults: Mapping[str, Any] = field(default_factory=dict)
    limitations: tuple[Limitation, ...] = ()
    modules: tuple[ModuleSpec, ...] = ()


def read_settings(options: Sequence[Option], folder: Path) -> Settings:
    """The settings in the nearest pyproject.toml with a table for us, from `folder` upwards.

    Args:
        options: those that can be set.
        folder: where to begin.

    Raises:
        UsageError: a file is no TOML, a key is unknown or a value of the wrong type; says where.
    """
    for parent in (folder, *folder.parents):
        path = parent / "pyproject.toml"
        if path.is_file():
            from exportcheck.toml_files import read_toml

            table = read_toml(path).get("tool", {}).get("exportcheck")
            if table is not None:
                return _settings(table, options, path)
    return Settings()


def _settings(table: Mapping[str, Any], options: Sequence[Option], path: Path) -> Settings:
    from exportcheck.limitations import parse_limitations
    from exportcheck.selection import nearest

    place = f"{path}: [tool.exportcheck]"
    if not isinstance(table, dict):
        raise UsageError(f"{place} is no table")
    by_key = {key(option): option for option in options if key(option) != "help"}
    known = (*by_key, "limitation", "modules")
    defaults = {}
    for name, value in table.items():
        if name not in known:
            raise UsageError(f"{place}: unknown key {name!r}{nearest(name, known)}")
        if name not in ("limitation", "modules"):
            defaults[by_key[name].name] = _value(by_key[name], value, path)
    return Settings(
        defaults,
        parse_limitations(table.get("limitation", []), place),
        parse_modules(table.get("modules", []), place, path.parent),
    )


def parse_modules(value: Any, place: str, folder: Path) -> tuple[ModuleSpec, ...]:
    """The modules in an array of specs, or of tables with what `exportcheck check` takes.

    Args:
        value: for example `["acts.py:MyAct", {spec = "nets.py:Block", input = "1x3x32x32"}]`.
        place: where it stands.
        folder: that paths count from.

    Raises:
        UsageError: something is not as expected; says where.
    """
    if not isinstance(value, list):
        raise UsageError(f'{place} modules: an array was expected, as ["acts.py:MyAct"]')
    found = [_module(one, f"{place} modules[{index}]", folder) for index, one in enumerate(value)]
    names = [module.name for module in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{place} modules: two are called {name!r}; rename a file or a class")
    return tuple(found)


def _module(value: Any, place: str, folder: Path) -> ModuleSpec:
    from exportcheck.custom.module_spec import ModuleSpec, parse_input
    from exportcheck.selection import nearest

    table = {"spec": value} if isinstance(value, str) else value
    if not isinstance(table, dict) or not isinstance(table.get("spec"), str):
        raise UsageError(f"{place}: a spec, or a table with one, was expected, not {value!r}")
    known = ("spec", "arg", "input", "state", "dynamic")
    for key_ in table:
        if key_ not in known:
            raise UsageError(f"{place}: unknown key {key_!r}{nearest(key_, known)}")
    args, inputs, state = table.get("arg", {}), table.get("input", []), table.get("state", "")
    inputs = [inputs] if isinstance(inputs, str) else inputs
    dynamic = table.get("dynamic", [])
    if not (isinstance(args, dict) and isinstance(inputs, list) and isinstance(dynamic, list)):
        raise UsageError(f"{place}: arg is a table, input and dynamic are arrays")
    file, colon, name = table["spec"].rpartition(":")
    if not colon or not file:
        raise UsageError(f"{place}: {table['spec']!r} where file.py:Name was expected")
    file = str(folder / file) if file.endswith(".py") else file
    return ModuleSpec(
        f"{file}:{name}",
        tuple((key_, repr(value)) for key_, value in args.items()),
        tuple(parse_input(str(one)) for one in inputs),
        str(folder / str(state)) if state else "",
        tuple(int(axis) for axis in dynamic),
    )


def key(option: Option) -> str:
    """The key of an option: its long name, `no-color`."""
    return max(option.opts, key=len).lstrip("-")


def _value(option: Option, value: Any, path: Path) -> Any:
    """`value` as the command line would give it; what it allows is checked there.

    Raises:
        UsageError: it is of the wrong type.
    """
    if option.is_flag:
        fits, wanted = isinstance(value, bool), "true or false"
    elif option.multiple:
        value = [value] if isinstance(value, str) else value
        fits = isinstance(value, list) and all(isinstance(one, str) for one in value)
        wanted = "a list of strings"
    else:
        fits = isinstance(value, (str, int, float)) and not isinstance(value, bool)
        wanted = "a string or a number"
    if not fits:
        place = f"{path}: [tool.exportcheck] {key(option)}"
        raise UsageError(f"{place} is {value!r} where {wanted} was expected")
    if option.name in PATHS:
        return str(path.parent / str(value))
    return value if option.is_flag or option.multiple else str(value)
