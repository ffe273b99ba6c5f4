"""Writes limitations from a run, for a person to edit: what they edited stays while it holds."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from exportcheck.covering import cover
from exportcheck.escaping import brief
from exportcheck.limitations import Limitation, LimitationFile
from exportcheck.results import Culprit, Stage, Status
from exportcheck.toml_files import toml_string
from exportcheck.versions import fits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from exportcheck.results import Blame, Case, Report, Result

_BEFORE_A_RUNTIME = (Stage.BUILD, Stage.EXPORT, Stage.SAVE)

_HEADER = """\
# Known failures: `exportcheck all` ends with 1 where another case fails, and where one of these
# passes. Made by `exportcheck all --update-limitations`, to be edited: the next update keeps every
# entry whose cases all still fail, and the reason and issue of those whose cases fail in part.
# A reason that is deleted is written anew.
"""


def update(
    old: LimitationFile, report: Report, cases: Sequence[Case], others: Sequence[Limitation] = ()
) -> LimitationFile:
    """The limitations that make `report` as expected.

    Args:
        old: those in the file now.
        report: a run, of all cases or of some.
        cases: all cases there are, in the order in which the file shall name them.
        others: limitations in force from elsewhere, which need not be written again.
    """
    versions = report.environment.get("versions", {})
    kept, gone = _sifted(old.limitations, report, cases)
    failing = [
        result
        for result in report.failures
        if not any(one.names(result, versions) for one in (*kept, *others))
    ]
    found = (*kept, *_for_new(failing, gone, cases))
    order = {case.id: place for place, case in enumerate(cases)}

    def place(one: Limitation) -> int:
        matching = (order[case_id] for case_id in order if fnmatchcase(case_id, one.pattern))
        return next(matching, len(order))

    # `+cpu` says where a package came from; its numbers are those of the version before it.
    pins = {name: versions.get(name, wish).partition("+")[0] for name, wish in old.versions.items()}
    return LimitationFile(tuple(sorted(found, key=place)), pins, old.alone)


def _sifted(
    old: Iterable[Limitation], report: Report, cases: Sequence[Case]
) -> tuple[list[Limitation], list[Limitation]]:
    """The old limitations that still hold, those without a reason given one, and the others."""
    versions = report.environment.get("versions", {})
    kept: list[Limitation] = []
    gone: list[Limitation] = []
    for one in old:
        matched = [result for result in report.results if one.names(result, versions)]
        failing = [result for result in matched if result.status.failed]
        if not matched:
            elsewhere = not fits(one.versions, versions)
            exists = any(fnmatchcase(case.id, one.pattern) for case in cases)
            (kept if elsewhere or exists else gone).append(one)
        elif any(result.status is Status.PASS for result in matched):
            gone.append(one)
        elif failing and not one.reason:
            kept.append(replace(one, reason=reason_of(failing[0])))
        else:
            kept.append(one)
    return kept, gone


def _for_new(
    failing: Iterable[Result], gone: Sequence[Limitation], cases: Sequence[Case]
) -> Iterator[Limitation]:
    """Limitations for the failures that none names, those of one cause together."""
    grouped: dict[tuple[str, ...], list[Result]] = {}
    for result in failing:
        before = next((one for one in gone if fnmatchcase(result.id, one.pattern)), None)
        cause = before.pattern if before else _cause(result)
        key = (result.case.activation, result.case.toolchain, result.stage, result.status, cause)
        grouped.setdefault(key, []).append(result)
    for (*_, cause), results in grouped.items():
        narrowed = next((one for one in gone if one.pattern == cause), Limitation("", ""))
        any_runtime = results[0].stage in _BEFORE_A_RUNTIME
        wanted = [result.case for result in results]
        for pattern in cover(wanted, cases, any_runtime=any_runtime):
            covered = next(result for result in results if fnmatchcase(result.id, pattern))
            yield Limitation(pattern, narrowed.reason or reason_of(covered), narrowed.issue)


def _cause(result: Result) -> str:
    """What equal failures have in common.

    Of wrong numbers that is the culprit, which other evidence may convict in each network; of
    anything else the reason, without the numbers in it.
    """
    if result.status is not Status.MISMATCH:
        return re.sub(r"\d+", "#", reason_of(result))
    return result.blame.culprit.value if result.blame else Culprit.UNDECIDED.value


def reason_of(result: Result) -> str:
    """Why a case fails, in one line: the verdict on it where there is one, else its cause."""
    if result.blame and _settled(result.blame, result.status):
        cause = result.blame.sentence
    else:
        # Where in somebody's folder the code lies is no part of the reason.
        cause = re.sub(r'[\s:]*File "[^"]*".*', "", result.first_line)
    what = {
        Status.MISMATCH: "wrong numbers",
        Status.CRASH: f"crash at {result.stage.value}",
        Status.TIMEOUT: f"hangs at {result.stage.value}",
    }.get(result.status, f"fails at {result.stage.value}")
    return f"{what}: {brief(cause, 160)}" if cause else what


def _settled(blame: Blame, status: Status) -> bool:
    """Whether the verdict says more than the message does: a culprit, and what is refused."""
    return blame.culprit is not Culprit.UNDECIDED and bool(
        blame.operators or status is Status.MISMATCH
    )


def to_toml(limitations: LimitationFile) -> str:
    """The text of a limitations file."""
    parts = [_HEADER]
    if limitations.alone:
        parts.append("# In force instead of those that come with exportcheck.\nalone = true\n")
    if limitations.versions:
        parts.append("[versions]\n" + _table(limitations.versions))
    for one in limitations.limitations:
        lines = {"pattern": one.pattern, "reason": one.reason}
        if one.issue:
            lines["issue"] = one.issue
        text = "[[limitation]]\n" + _table(lines)
        if one.versions:
            inline = ", ".join(f"{_key(k)} = {toml_string(v)}" for k, v in one.versions.items())
            text += f"versions = {{ {inline} }}\n"
        parts.append(text)
    return "\n".join(parts)


def _table(pairs: Mapping[str, str]) -> str:
    return "".join(f"{_key(key)} = {toml_string(value)}\n" for key, value in pairs.items())


def _key(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else toml_string(name)
