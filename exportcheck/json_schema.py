"""Holds JSON data against a JSON Schema and says where it does not fit.

As much of JSON Schema as our own schema uses, with closures made once, since a report may hold
millions of values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[Any], None]

_KNOWN_WORDS = {
    "$schema", "$defs", "$ref", "title", "description", "type", "enum", "anyOf", "properties",
    "required", "additionalProperties", "items",
}  # fmt: skip


class Misfit(ValueError):
    """A value that does not fit, and where it stands: `results[3].status`."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self._way: list[str] = []

    def within(self, step: str) -> Misfit:
        """The same, seen from one level further out."""
        self._way.insert(0, step)
        return self

    @property
    def place(self) -> str:
        """The way from the top to the value."""
        return "".join(self._way).lstrip(".")


def compile_schema(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Check:
    """A function that raises `Misfit` for data that `schema` does not allow.

    Args:
        schema: the schema; references are to `#/$defs` of `root`.
        root: the whole schema, when `schema` is a part of it.

    Raises:
        NotImplementedError: the schema uses a word that is not implemented here.
    """
    root = root or schema
    if unknown := set(schema) - _KNOWN_WORDS:
        raise NotImplementedError(f"JSON Schema's {', '.join(sorted(unknown))}")
    if "$ref" in schema:
        return compile_schema(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    if "anyOf" in schema:
        return _any_of([compile_schema(one, root) for one in schema["anyOf"]])
    if "enum" in schema:
        return _enum(schema["enum"])
    if schema.get("type") == "object":
        return _object(schema, root)
    if schema.get("type") == "array":
        return _array(compile_schema(schema["items"], root))
    return _scalar(schema["type"])


def _any_of(checks: list[Check]) -> Check:
    *others, last = checks

    def check(value: Any) -> None:
        for other in others:
            try:
                return other(value)
            except Misfit:
                pass
        return last(value)

    return check


def _enum(allowed: list[str]) -> Check:
    def check(value: Any) -> None:
        if value not in allowed:
            raise Misfit(f"{_shown(value)} is none of {', '.join(allowed)}")

    return check


def _object(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Check:
    properties = {
        name: compile_schema(one, root) for name, one in schema.get("properties", {}).items()
    }
    required = schema.get("required", ())
    others = schema.get("additionalProperties")
    check_other = compile_schema(others, root) if others else None

    def check(value: Any) -> None:
        if not isinstance(value, dict):
            _wrong_type(value, "object")
        for name in required:
            if name not in value:
                raise Misfit("is missing").within(f".{name}")
        for name, one in value.items():
            if check_one := properties.get(name, check_other):
                try:
                    check_one(one)
                except Misfit as misfit:
                    raise misfit.within(f".{name}") from None

    return check


def _array(check_item: Check) -> Check:
    def check(value: Any) -> None:
        if not isinstance(value, list):
            _wrong_type(value, "array")
        for index, item in enumerate(value):
            try:
                check_item(item)
            except Misfit as misfit:
                raise misfit.within(f"[{index}]") from None

    return check


_SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


def _scalar(name: str) -> Check:
    types = _SCALARS[name]

    def check(value: Any) -> None:
        if type(value) not in types:
            _wrong_type(value, name)

    return check


def _wrong_type(value: Any, expected: str) -> NoReturn:
    raise Misfit(f"{_shown(value)} where {expected} was expected")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
