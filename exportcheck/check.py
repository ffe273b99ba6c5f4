"""Takes one case through its stages, in this process: build, export, save, load, run, compare."""

from __future__ import annotations

import re
import tempfile
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Mapping, Tuple, TypeVar

import numpy as np

from exportcheck.compare import HARMLESS, Tolerance, compare, incomparable, tolerance_for
from exportcheck.errors import Unavailable
from exportcheck.inputs import InputClass
from exportcheck.results import Case, Comparison, Result, Stage, Status
from exportcheck.subject import Expected, Subject, subject
from exportcheck.targets import targets
from exportcheck.targets.interface import Arrays, Inspection, Runtime

Announce = Callable[[Stage], None]


@dataclass
class _Course:
    """A case under way: the stage it is in and the facts so far, which its result keeps."""

    announce: Announce
    stage: Stage = Stage.BUILD
    durations_s: Dict[str, float] = field(default_factory=dict)
    facts: Dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def at(self, stage: Stage) -> Iterator[None]:
        self.stage = stage
        self.announce(stage)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.durations_s[stage.value] = time.perf_counter() - start


def check(case: Case, announce: Announce = lambda stage: None) -> Result:
    """The result of `case`. Whatever an exporter or a runtime raises is part of it.

    Args:
        case: what to check.
        announce: called as each stage begins, so that a crash can be blamed on it.
    """
    course = _Course(announce)
    try:
        with tempfile.TemporaryDirectory(prefix="exportcheck-") as folder:
            _take(case, course, Path(folder))
        status, message = _verdict(course.facts["comparisons"])
    except Unavailable as error:
        status, message = Status.UNAVAILABLE, str(error)
    except (Exception, SystemExit) as error:  # any failure of an exporter or module is the result
        status, message = Status.ERROR, described(error)
        traceback.print_exc()
    facts = {"family": "", **course.facts}
    return Result(
        case=case,
        status=status,
        stage=course.stage,
        message=message,
        durations_s=course.durations_s,
        **facts,
    )


def _take(case: Case, course: _Course, folder: Path) -> None:
    """Takes `case` through every stage, noting facts as they become known."""
    facts = course.facts
    with course.at(Stage.BUILD):
        target = _named(targets(), case.target, "target")
        runtime = _named({r.name: r for r in target.runtimes}, case.runtime, "runtime")
        facts["versions"] = _versions((*target.distributions, *runtime.distributions))
        facts["actual"] = {"computed_by": display_name(runtime)}
        what = subject(case.activation, case.network)
        facts["family"] = what.activation.family
        module, expected = what.build(), what.expected(target.precision)
    path = folder / f"model{target.suffix}"
    with course.at(Stage.EXPORT):
        exported = target.export(module, what.example())
    with course.at(Stage.SAVE):
        target.save(exported, path)
    with course.at(Stage.LOAD):
        inspection = target.inspect(path)
        facts["actual"].update(inspection.actual)
        facts["notes"] = _altered(inspection)
        facts["graph_ops"] = dict(inspection.graph_ops)
        loaded = runtime.load(path)
        facts["graph_ops"].update(loaded.graph_ops)
    with course.at(Stage.RUN):
        outputs = {c.name: loaded.run((c.values,)) for c in what.inputs(target.precision)}
    with course.at(Stage.COMPARE):
        tolerance = tolerance_for(target.precision, case.network)
        facts["tolerance"] = vars(tolerance)
        facts["comparisons"] = dict(
            comparison
            for c in what.inputs(target.precision)
            for comparison in _compared(what, c, outputs[c.name], expected[c.name], tolerance)
        )
        facts["notes"] += _differences(facts["comparisons"])


def _compared(
    what: Subject, given: InputClass, actual: Arrays, expected: Expected, tolerance: Tolerance
) -> Iterator[Tuple[str, Comparison]]:
    """The comparison of the one output that a network of this package has, under its class's name.

    Where eager itself makes NaN of an infinity (0 * inf), another answer may well be the better
    one: those points are judged apart and, like NaN inputs, do not gate.
    """
    if len(actual) != 1 or len(expected.outputs) != 1:
        yield given.name, incomparable("outputs", len(expected.outputs))
        return
    options: Dict[str, Any] = {
        "gates": given.gates,
        "signed_zeros": given.name == "zeros",
        "inputs": given.values if what.elementwise else None,
        "truth": expected.truth[0],
    }
    undefined = np.isnan(expected.outputs[0])
    if given.name != "infinities" or not undefined.any():
        yield given.name, compare(actual[0], expected.outputs[0], tolerance, **options)
        return
    for name, where in ((given.name, ~undefined), (f"{given.name} to nan", undefined)):
        options.update(where=where, gates=name == given.name)
        yield name, compare(actual[0], expected.outputs[0], tolerance, **options)


def _altered(inspection: Inspection) -> Tuple[str, ...]:
    """A note for whatever was asked of the exporter and is not what the file has."""
    facts = inspection.actual
    names = [name for name in facts if "asked_" + name in facts]
    return tuple(
        f"asked for {name} {facts['asked_' + name]}, the file has {facts[name]}"
        for name in names
        if facts["asked_" + name] != facts[name]
    )


def _differences(comparisons: Mapping[str, Comparison]) -> Tuple[str, ...]:
    """A note for each input class that differs without failing the case."""
    return tuple(
        f"{name}: {_figures(c)}"
        for name, c in comparisons.items()
        if (not c.close and not c.gates) or (c.close and c.kinds)
    )


def _verdict(comparisons: Mapping[str, Comparison]) -> Tuple[Status, str]:
    """Pass, or mismatch with the gating input classes that differ, the worst first."""
    failed = [(name, c) for name, c in comparisons.items() if c.gates and not c.close]
    if not failed:
        return Status.PASS, ""
    failed.sort(key=lambda item: -item[1].max_error)
    return Status.MISMATCH, "; ".join(f"{name}: {_figures(c)}" for name, c in failed)


def _figures(comparison: Comparison) -> str:
    """For example `nan-lost 4096 of 4096: 0 where eager gives nan at x = nan`."""
    kinds = [k for k in comparison.kinds if comparison.close or k not in HARMLESS]
    counted = ", ".join(f"{kind} {comparison.kinds[kind]}" for kind in kinds)
    text = f"{counted} of {comparison.total}"
    worst = comparison.worst
    if worst is not None:
        text += f": {worst.actual:.8g} where eager gives {worst.expected:.8g}"
        text += "" if worst.input is None else f" at x = {worst.input:.8g}"
    return text


_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def described(error: BaseException) -> str:
    """The cause in its first line: the innermost exception, which exporters like to wrap."""
    chain = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    cause = chain[-1]
    text = _TERMINAL_CODES.sub("", str(cause)).strip()
    outer = f" (raised as {type(error).__name__})" if cause is not error else ""
    return f"{type(cause).__name__}: {text}{outer}"


def display_name(runtime: Runtime) -> str:
    """The runtime's name as shown beside a number."""
    return f"{runtime.name} (simulated)" if runtime.simulated else runtime.name


Found = TypeVar("Found")


def _named(known: Mapping[str, Found], name: str, kind: str) -> Found:
    if name not in known:
        raise Unavailable(f"no {kind} {name!r} here; there are: {', '.join(known)}")
    return known[name]


def _versions(distributions: Tuple[str, ...]) -> Dict[str, str]:
    """Installed versions by distribution, `missing` where one is not installed."""
    versions = {}
    for name in dict.fromkeys(distributions):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "missing"
    return versions
