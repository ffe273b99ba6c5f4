"""A history as a file: one line a form, keys sorted, so that a new run is a readable diff."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exportcheck.errors import UsageError
from exportcheck.history.runs import ORDERING, SCHEMA, History, version_in
from exportcheck.json_files import read_json
from exportcheck.json_schema import Misfit, compile_schema

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA_FILE = Path(__file__).with_name("history.schema.json")
DEPTH = 4
"""So deep a value is spread over lines: the file, its runs, a run, its forms."""


def to_text(history: History) -> str:
    """The history as JSON text; the same runs give the same bytes."""
    data = {"runs": dict(sorted(history.data.items())), "schema": SCHEMA}
    return f"{_spread(data, 0)}\n"


def _spread(value: Any, depth: int) -> str:
    if depth >= DEPTH or not isinstance(value, (dict, list)) or not value:
        return _compact(value)
    indent = " " * (depth + 1)
    if isinstance(value, list):
        inner = (_compact(one) for one in value)
        opening, closing = "[]"
    else:
        inner = (f"{json.dumps(k)}: {_spread(value[k], depth + 1)}" for k in sorted(value))
        opening, closing = "{}"
    return f"{opening}\n{indent}" + f",\n{indent}".join(inner) + f"\n{' ' * depth}{closing}"


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def read_history(path: Path) -> History:
    """The history in the file at `path`; newer minor versions of its schema are read.

    Raises:
        UsageError: there is no such file, or it holds no history; the message has the place.
    """
    expected = "a history of `exportcheck history add` was expected"
    data = read_json(path, expected)
    if not isinstance(data, dict) or not isinstance(data.get("schema"), str):
        raise UsageError(f"{path} is JSON but no history; {expected}")
    if data["schema"].partition(".")[0] != SCHEMA.partition(".")[0]:
        raise UsageError(f"{path} has schema {data['schema']!r}, this exportcheck reads {SCHEMA}")
    try:
        _check()(data)
    except Misfit as misfit:
        raise UsageError(f"{path}: {misfit.place}: {misfit.problem}; {expected}") from misfit
    for name, run in data["runs"].items():
        _check_places(run, f"{path}: runs.{name}")
        _check_versions(run, f"{path}: runs.{name}")
    return History(data["runs"])


def _check_places(run: dict[str, Any], place: str) -> None:
    """Every list is as long as there are columns, every number a place in its pool.

    Raises:
        UsageError: it is not so.
    """
    for form, facts in run["forms"].items():
        rows = {**{f"cells.{n}": ("outcomes", row) for n, row in facts["cells"].items()}}
        rows |= {n: (n, facts[n]) for n in ("operators", "mobile") if n in facts}
        for name, (pool, row) in rows.items():
            bad = [n for n in row if n is not None and not 0 <= n < len(run[pool])]
            if len(row) != len(run["columns"]) or bad:
                raise UsageError(
                    f"{place}.forms.{form}.{name} does not fit the columns or {pool} of its run; "
                    "add the run anew"
                )


def _check_versions(run: dict[str, Any], place: str) -> None:
    """Raises UsageError where the run cannot be put in order by its versions."""
    for package in ORDERING:
        try:
            version_in(run["versions"], package)
        except UsageError as error:
            raise UsageError(f"{place}.{error}") from error


@lru_cache(maxsize=None)
def _check() -> Callable[[Any], None]:
    return compile_schema(json.loads(SCHEMA_FILE.read_text("utf-8")))
