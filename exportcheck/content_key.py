"""Keys under which results are cached: equal keys mean that a case would come out the same.

A key is made of all that a result depends on. What cannot be known from here, a user's module or a
plug-in with whatever files they import, gets no key, and is checked anew every time.
"""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import sys
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from exportcheck.catalog import Activation, activations
from exportcheck.records import SCHEMA
from exportcheck.targets import targets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exportcheck.environment import Environment
    from exportcheck.results import Case

_PACKAGE = Path(__file__).parent

_ELSEWHERE = (
    "cli",
    "render",
    "history",
    "explain",
    "pages.py",
    "catalog",
    "forms.py",
    "toolchains",
)
"""Source that no result depends on, and that whose every definition has a key of its own."""

FORMS = "exportcheck.forms"
NATIVE = "torch."


def content_keys(
    cases: Iterable[Case], *, strict: bool, environment: Environment
) -> dict[Case, str]:
    """The keys of those cases that have one.

    Args:
        cases: of the catalogue or not.
        strict: whether every input class gates.
        environment: where they run; cases of other toolchains have no key.
    """
    python = sys.version if environment.versions is None else environment.python
    shared = (_machine(), python, _code(), strict)
    packages_of = lru_cache(maxsize=None)(partial(_packages, environment))
    keys = {}
    for case in cases:
        activation = _activation(case.activation)
        packages = packages_of(case.target, case.runtime)
        if activation and packages and case.toolchain == environment.toolchain:
            keys[case] = _digest(case.id, activation, packages, *shared)
    return keys


def proof_key(name: str, runs: Iterable[str], *more: object) -> str:
    """The key of a proof over every input; empty where a plug-in takes part.

    Args:
        name: of an activation, or of a module of which `more` says what it is.
        runs: each a target and a runtime, `onnx-trace-opset17/onnxruntime`.
        more: what else it depends on.
    """
    from exportcheck.environment import Environment

    here = Environment("")
    packages = {run: _packages(here, *run.split("/")) for run in runs}
    if not all(packages.values()):
        return ""
    shared = (_machine(), sys.version, _code())
    return _digest(name, _activation(name), packages, *shared, *more)


@lru_cache(maxsize=None)
def _activation(name: str) -> str:
    """The declaration and the source of an activation; empty where the source is not known."""
    activation = activations().get(name)
    if activation is None or activation.unavailable:
        return ""
    module, _, attribute = activation.module.rpartition(".")
    if module == FORMS:
        return _digest(_declared(activation), form_source(attribute))
    # PyTorch's version, which every key holds, says what its classes are.
    return _digest(_declared(activation)) if activation.module.startswith(NATIVE) else ""


def _declared(activation: Activation) -> str:
    return json.dumps(vars(activation), sort_keys=True, default=repr)


def form_source(name: str, path: Path = _PACKAGE / "forms.py") -> str:
    """The source of a definition in `path` and of all in that file that it leads to."""
    text = path.read_text("utf-8")
    pieces = _definitions(text)
    waiting, reached = [name], {"": pieces[""]}
    while waiting:
        one = waiting.pop()
        if one in pieces and one not in reached:
            reached[one] = pieces[one]
            waiting += _names(pieces[one])
    return "\n".join(reached[key] for key in sorted(reached))


@lru_cache(maxsize=8)
def _definitions(text: str) -> dict[str, str]:
    """Source by name of each class and function of a file; what stands outside them under ""."""
    pieces = {"": ""}
    lines = text.splitlines()
    for node in ast.parse(text).body:
        named = isinstance(node, (ast.ClassDef, ast.FunctionDef))
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        source = "\n".join(lines[first - 1 : node.end_lineno])
        name = node.name if named else ""  # type: ignore[attr-defined]  # only these have one
        pieces[name] = f"{pieces.get(name, '')}{source}\n"
    return pieces


@lru_cache(maxsize=None)
def _names(source: str) -> frozenset[str]:
    return frozenset(n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name))


def _packages(environment: Environment, target_name: str, runtime_name: str) -> str:
    """The versions that a target and a runtime depend on; empty for a plug-in's, or for none."""
    target = targets().get(target_name)
    runtimes = {r.name: r for r in target.runtimes} if target else {}
    if target is None or runtime_name not in runtimes:
        return ""
    runtime = runtimes[runtime_name]
    if not all(type(one).__module__.startswith("exportcheck.") for one in (target, runtime)):
        return ""
    names = {"torch", "numpy", *target.distributions, *runtime.distributions}
    for sibling in target.siblings:  # second opinions come from them
        names.update(targets()[sibling].distributions)
    return json.dumps({name: environment.version(name) for name in sorted(names)})


@lru_cache(maxsize=None)
def _machine() -> str:
    """The system and the processor, for kernels are chosen by what it can do."""
    return json.dumps([platform.system(), platform.machine(), _processor()])


def processor() -> str:
    """The processor by its maker's name; empty where the system does not say."""
    names = [line.partition(":")[2] for line in _processor().splitlines() if "model name" in line]
    return names[0].strip() if names else platform.processor()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:  # not on Linux
        return platform.processor()
    return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags"))}))


@lru_cache(maxsize=None)
def _code() -> str:
    """This tool's own source, and the layout that results are stored in."""
    files = [
        path
        for path in sorted(_PACKAGE.rglob("*.py"))
        if path.relative_to(_PACKAGE).parts[0] not in _ELSEWHERE
    ]
    parts = [f"{path.relative_to(_PACKAGE)}\n{path.read_text('utf-8')}" for path in files]
    return _digest(SCHEMA, *parts)


def _digest(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()
