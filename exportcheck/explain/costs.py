"""The figures of `exportcheck cost` as a file, `reports/cost.json`, and what they say."""

from __future__ import annotations

import json
import os
import platform
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exportcheck.content_key import processor
from exportcheck.environment import version
from exportcheck.errors import UsageError
from exportcheck.json_files import read_json
from exportcheck.json_schema import Misfit, compile_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SCHEMA = "1.0"
SCHEMA_FILE = Path(__file__).with_name("cost.schema.json")
PACKAGES = ("torch", "onnx", "onnxruntime")


def machine() -> dict[str, Any]:
    """What the figures depend on; one thread, as every worker has."""
    return {
        "processor": processor(),
        "cores": os.cpu_count() or 0,
        "threads": 1,
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version(name) or "missing" for name in PACKAGES},
    }


def machine_text(facts: Mapping[str, Any]) -> str:
    """The same in one line."""
    versions = ", ".join(f"{name} {found}" for name, found in facts["versions"].items())
    return (
        f"{facts['processor'] or 'unknown processor'}, {facts['platform']}, "
        f"{facts['threads']} thread, {versions}"
    )


def to_text(costs: Mapping[str, Any]) -> str:
    """The costs by family as JSON text, one measurement a line."""
    families = (f"  {json.dumps(name)}: {_family(costs[name])}" for name in sorted(costs))
    return f'{{\n "schema": "{SCHEMA}",\n "families": {{\n' + ",\n".join(families) + "\n }\n}\n"


def _family(facts: Mapping[str, Any]) -> str:
    lines = []
    for key in sorted(facts):
        value = facts[key]
        if isinstance(value, list) and value:
            inner = ",\n".join(f"    {json.dumps(one, sort_keys=True)}" for one in value)
            lines.append(f"   {json.dumps(key)}: [\n{inner}\n   ]")
        else:
            lines.append(f"   {json.dumps(key)}: {json.dumps(value, sort_keys=True)}")
    return "{\n" + ",\n".join(lines) + "\n  }"


def read_costs(path: Path) -> dict[str, Any]:
    """The figures by family in the file at `path`.

    Raises:
        UsageError: there is no such file, or it holds no costs; the message has the place.
    """
    expected = "a cost.json of `exportcheck cost` was expected"
    data = read_json(path, expected)
    try:
        _check()(data)
    except Misfit as misfit:
        raise UsageError(f"{path}: {misfit.place}: {misfit.problem}; {expected}") from misfit
    if data["schema"].partition(".")[0] != SCHEMA.partition(".")[0]:
        raise UsageError(f"{path} has schema {data['schema']!r}, this exportcheck reads {SCHEMA}")
    return dict(data["families"])


@lru_cache(maxsize=None)
def _check() -> Callable[[Any], None]:
    return compile_schema(json.loads(SCHEMA_FILE.read_text("utf-8")))
