"""Takes one case through its stages, in this process: build, export, save, load, run, compare."""

from __future__ import annotations

import dataclasses
import re
import sys
import tempfile
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, TypeVar

from exportcheck.curves import curves
from exportcheck.errors import Unavailable
from exportcheck.inputs import InputClass
from exportcheck.judge import compared, described, notes_of, verdict, without_us
from exportcheck.mismatch import Mismatch
from exportcheck.refusal import blame_failure
from exportcheck.results import TRACE_FIXES, Blame, Case, Result, Stage, Status
from exportcheck.rounding import tolerance_of
from exportcheck.subject import Expected, Subject, subject
from exportcheck.targets import targets
from exportcheck.targets.interface import Arrays, Inspection, Run, Runtime, Target
from exportcheck.training import training_facts
from exportcheck.triage import blame_mismatch

Announce = Callable[[Stage], None]


@dataclass
class _Course:
    """A case under way: the stage it is in and the facts so far, which its result keeps."""

    find: Callable[[], Subject]
    announce: Announce
    strict: bool = False
    stage: Stage = Stage.BUILD
    durations_s: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def at(self, stage: Stage) -> Iterator[None]:
        self.stage = stage
        self.announce(stage)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.durations_s[stage.value] = time.perf_counter() - start


def check(
    case: Case,
    announce: Announce = lambda stage: None,
    *,
    strict: bool = False,
    find: Callable[[], Subject] | None = None,
) -> Result:
    """The result of `case`. Whatever an exporter or a runtime raises is part of it.

    Args:
        case: what to check.
        announce: called as each stage begins, so that a crash can be blamed on it.
        strict: whether every input class gates, NaN, signed zeros and subnormals too.
        find: gives the subject, the same each time; that of the catalogue when absent.
    """
    find = find or partial(subject, case.activation, case.network)
    course = _Course(find, announce, strict)
    try:
        with tempfile.TemporaryDirectory(prefix="exportcheck-") as folder:
            _take(case, course, Path(folder))
        status, message = verdict(course.facts["comparisons"])
    except Unavailable as error:
        status, message = Status.UNAVAILABLE, str(error)
    except (Exception, SystemExit) as error:  # any failure of an exporter or module is the result
        status, message = Status.ERROR, described(error)
        print(without_us(error), file=sys.stderr)
        _release(error)
        course.facts["blame"] = _blamed(case, course, error)
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
        what = course.find()
        facts["family"] = what.family
        expected = _eager(what, target.precision)
        facts["actual"]["changes_its_input"] = what.changes_its_input
        given = what.inputs(target.precision)
        if case.network == "bare" and not what.is_module:
            facts["training"] = training_facts(what)
        if course.strict:
            given = tuple(dataclasses.replace(c, gates=True, strict=True) for c in given)
    path = folder / f"model{target.suffix}"
    with course.at(Stage.EXPORT):
        exported = what.exported(target)
    with course.at(Stage.SAVE):
        target.save(exported, path)
    with course.at(Stage.LOAD):
        inspection = target.inspect(path)
        facts["actual"].update(inspection.actual)
        fixed = _fixed(what, target)
        facts["notes"] = (*_altered(inspection), *fixed)
        given = tuple(_gating(one) for one in given) if fixed else given
        facts["graph_ops"] = dict(inspection.graph_ops)
        loaded = runtime.load(path)
        facts["graph_ops"].update(loaded.graph_ops)
        facts["actual"].update(loaded.facts)
    with course.at(Stage.RUN):
        outputs, refused = _answers(loaded.run, given)
        facts["notes"] += refused
        given = tuple(c for c in given if c.name in outputs)
    with course.at(Stage.COMPARE):
        tolerance = tolerance_of(what, target.precision)
        facts["tolerance"] = vars(tolerance)
        facts["comparisons"] = dict(
            comparison
            for c in given
            for comparison in compared(what, c, outputs[c.name], expected[c.name], tolerance)
        )
        facts["notes"] += notes_of(facts["comparisons"])
        facts["curves"] = curves(what, target.precision, outputs, expected, facts["comparisons"])
        if verdict(facts["comparisons"])[0] is Status.MISMATCH:
            facts["blame"] = blame_mismatch(
                Mismatch(
                    what,
                    given,
                    target,
                    runtime,
                    path,
                    loaded.run,
                    outputs,
                    facts["comparisons"],
                    tolerance,
                )
            )


def _eager(what: Subject, precision: str) -> dict[str, Expected]:
    """Eager's answers by input class.

    Raises:
        Unavailable: a form of the catalogue is written with something that this PyTorch has not.
    """
    try:
        return what.expected(precision)
    except AttributeError as error:
        if what.is_module or not re.match(r"module 'torch[\w.]*' has no attribute", str(error)):
            raise
        raise Unavailable(f"not with this version of PyTorch: {error}") from error


def _answers(run: Run, given: tuple[InputClass, ...]) -> tuple[dict[str, Arrays], tuple[str, ...]]:
    """The outputs by input class, and a note for each that only notes and that `run` refuses."""
    outputs, notes = {}, []
    for one in given:
        try:
            outputs[one.name] = one.through(run)
        except Exception as error:  # what does not gate fails nothing, but is not kept back
            if one.gates:
                raise
            notes.append(f"{one.name}: cannot be run: {described(error).splitlines()[0]}")
    return outputs, tuple(notes)


def _blamed(case: Case, course: _Course, error: BaseException) -> Blame | None:
    """Who is to blame for a failure; None where the module itself cannot be built or run."""
    if course.stage is Stage.BUILD:
        return None
    return blame_failure(course.find(), targets()[case.target], course.stage, error)


def _release(error: BaseException) -> None:
    """Lets go of what the frames of `error`, and of those that led to it, hold.

    They hold the graph of an export that failed, and to make another graph meanwhile, as the look
    for the culprit does, ends the process in PyTorch 1.7.
    """
    waiting: list[BaseException | None] = [error]
    seen = []
    while waiting:
        one = waiting.pop()
        if one is not None and one not in seen:
            seen.append(one)
            traceback.clear_frames(one.__traceback__)
            waiting += [one.__cause__, one.__context__]


def _altered(inspection: Inspection) -> tuple[str, ...]:
    """A note for whatever was asked of the exporter and is not what the file has."""
    facts = inspection.actual
    names = [name for name in facts if "asked_" + name in facts]
    return tuple(
        f"asked for {name} {facts['asked_' + name]}, the file has {facts[name]}"
        for name in names
        if facts["asked_" + name] != facts[name]
    )


def _fixed(what: Subject, target: Target) -> tuple[str, ...]:
    """A note where what forward decides by data is decided once and for all by a trace."""
    if not getattr(target, "traces", False):
        return ()
    try:
        lines = what.decisions
    except Exception as error:  # forward runs, but may not bear being watched
        reason = described(error).splitlines()[0]
        return (f"whether forward decides by data, which a trace fixes, is not known: {reason}",)
    return (TRACE_FIXES + ", ".join(lines),) if lines else ()


def _gating(given: InputClass) -> InputClass:
    """Numbers of another size fail a case where a trace fixed what the data of one run decided.

    Else they are a note, for they magnify rounding errors.
    """
    return dataclasses.replace(given, gates=given.gates or given.finite)


def display_name(runtime: Runtime) -> str:
    """The runtime's name as shown beside a number."""
    return f"{runtime.name} (simulated)" if runtime.simulated else runtime.name


Found = TypeVar("Found")


def _named(known: Mapping[str, Found], name: str, kind: str) -> Found:
    if name not in known:
        raise Unavailable(f"no {kind} {name!r} here; there are: {', '.join(known)}")
    return known[name]


def _versions(distributions: tuple[str, ...]) -> dict[str, str]:
    """Installed versions by distribution, `missing` where one is not installed."""
    return {name: _version(name) for name in distributions}


@lru_cache(maxsize=None)
def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "missing"
