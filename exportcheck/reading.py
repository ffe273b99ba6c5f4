"""Reads result files, from whatever source and version: a report, or one line that says why not."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exportcheck.errors import UsageError
from exportcheck.json_files import read_json
from exportcheck.json_schema import Misfit, compile_schema
from exportcheck.records import SCHEMA, report_from_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from exportcheck.results import Report

SCHEMA_FILE = Path(__file__).with_name("render") / "matrix.schema.json"
_EXPECTED = "a matrix.json of `exportcheck all` was expected"


def read(path: Path) -> Report:
    """The report in the file at `path`; newer minor versions of its schema are read.

    Raises:
        UsageError: there is no such file, or it is no result file, or one of another version; the
            message has the file and the place in it.
    """
    data = read_json(path, _EXPECTED)
    if not isinstance(data, dict) or "schema" not in data or "results" not in data:
        raise UsageError(f"{path} is JSON but no result file; {_EXPECTED}")
    _check_version(path, data["schema"])
    try:
        _check()(data)
    except Misfit as misfit:
        raise UsageError(f"{path}: {misfit.place}: {misfit.problem}; {_EXPECTED}") from misfit
    report = report_from_json(data)
    seen: dict[str, int] = {}
    for index, result in enumerate(report.results):
        if seen.setdefault(result.id, index) != index:
            places = f"results[{seen[result.id]}] and results[{index}]"
            raise UsageError(f"{path}: {places} are the same case, {result.id}")
    return report


def _check_version(path: Path, seen: Any) -> None:
    """Refuses another major version; what to do depends on which of the two is older."""
    major = str(seen).partition(".")[0]
    known = SCHEMA.partition(".")[0]
    if major == known:
        return
    newer = major.isdecimal() and int(major) > int(known)
    advice = "update exportcheck" if newer else "run `exportcheck all` anew"
    raise UsageError(f"{path} has schema {seen!r}, this exportcheck reads {known}.*: {advice}")


@lru_cache(maxsize=None)
def _check() -> Callable[[Any], None]:
    return compile_schema(json.loads(SCHEMA_FILE.read_text("utf-8")))
