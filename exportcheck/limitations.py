"""Known failures as data: which cases are said to fail, why, and what becomes of a report so."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase, translate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier

from exportcheck.errors import UsageError
from exportcheck.results import Known
from exportcheck.selection import nearest
from exportcheck.toml_files import read_toml
from exportcheck.versions import fits, specifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from exportcheck.results import Report, Result

SHIPPED = Path(__file__).with_name("limitations.toml")
"""The known failures of our own catalogue, with the versions they were measured with."""


@dataclass(frozen=True)
class Limitation:
    """Cases that are known to fail: one that passes is as unexpected as a new failure.

    Attributes:
        pattern: matches the ids of the cases (fnmatch).
        reason: why they fail.
        issue: link to whoever follows it.
        versions: distribution to versions, as pip writes them (`<1.32`), that it holds for.
    """

    pattern: str
    reason: str
    issue: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    def names(self, result: Result, versions: Mapping[str, str]) -> bool:
        """Whether it speaks of `result`, whose own versions come before the machine's."""
        return fnmatchcase(result.id, self.pattern) and fits(
            self.versions, {**versions, **result.versions}
        )


@dataclass(frozen=True)
class LimitationFile:
    """What a limitations file holds.

    Attributes:
        limitations: in the order of the file.
        versions: what must be installed for any of it to hold; empty for anything.
        alone: whether it stands for those that come with exportcheck, and not beside them.
    """

    limitations: tuple[Limitation, ...]
    versions: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False


def read_limitations(path: Path, *, drafts: bool = False) -> LimitationFile:
    """The limitations in the TOML file at `path`.

    Args:
        path: the file.
        drafts: whether a reason may still be missing, as when the file is about to be updated.

    Raises:
        UsageError: it cannot be read, or something in it is not as expected; says where.
    """
    data = read_toml(path)
    _check_keys(data, ("alone", "versions", "limitation"), str(path))
    if not isinstance(data.get("alone", False), bool):
        raise UsageError(f"{path}: alone is true or false")
    return LimitationFile(
        parse_limitations(data.get("limitation", []), str(path), drafts=drafts),
        _versions(data.get("versions", {}), str(path)),
        data.get("alone", False),
    )


def parse_limitations(data: Any, place: str, *, drafts: bool = False) -> tuple[Limitation, ...]:
    """The limitations in an array of TOML tables; `place` is where it stands.

    Raises:
        UsageError: something is not as expected; says where.
    """
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise UsageError(f"{place}: limitations are written as [[limitation]] tables")
    return tuple(
        _parsed(one, f"{place}: limitation {number}", drafts) for number, one in enumerate(data, 1)
    )


def _parsed(data: Mapping[str, Any], place: str, drafts: bool) -> Limitation:
    _check_keys(data, ("pattern", "reason", "issue", "versions"), place)
    pattern, reason, issue = (data.get(key, "") for key in ("pattern", "reason", "issue"))
    if not all(isinstance(text, str) for text in (pattern, reason, issue)):
        raise UsageError(f"{place}: pattern, reason and issue are strings")
    if not pattern:
        raise UsageError(f"{place}: has no pattern")
    if not reason and not drafts:
        raise UsageError(f"{place} ({pattern}): has no reason")
    return Limitation(pattern, reason, issue, _versions(data.get("versions", {}), place))


def _check_keys(data: Mapping[str, Any], known: Sequence[str], place: str) -> None:
    for key in data:
        if key not in known:
            raise UsageError(f"{place}: unknown key {key!r}{nearest(key, known)}")


def _versions(data: Any, place: str) -> Mapping[str, str]:
    if not isinstance(data, dict):
        raise UsageError(f'{place}: versions are written as {{ onnxruntime = "<1.32" }}')
    for name, wish in data.items():
        try:
            specifier(wish)
        except (InvalidSpecifier, TypeError) as error:
            raise UsageError(f"{place}: {name} = {wish!r} is no version") from error
    return data


def judge(report: Report, limitations: Sequence[Limitation], ids: Collection[str]) -> Report:
    """`report` with the limitation that names each result, and those that match no case at all.

    Args:
        report: the results, of which only some cases may have been chosen.
        limitations: those in force; the first that names a result is the one it is known by.
        ids: the ids of all cases there are.
    """
    versions = report.environment.get("versions", {})
    # Hardly a result is named by any, which one expression tells sooner than all patterns in turn.
    named = re.compile("|".join(translate(one.pattern) for one in limitations) or "(?!)").match
    results = tuple(
        _known_by(result, limitations if named(result.id) else (), versions)
        for result in report.results
    )
    stale = tuple(
        one.pattern
        for one in limitations
        if fits(one.versions, versions) and not _any_matches(one.pattern, ids)
    )
    return replace(report, results=results, stale=stale)


def _known_by(
    result: Result, limitations: Iterable[Limitation], versions: Mapping[str, str]
) -> Result:
    for one in limitations:
        if one.names(result, versions):
            return replace(result, known=Known(one.pattern, one.reason, one.issue))
    return result if result.known is None else replace(result, known=None)


def _any_matches(pattern: str, ids: Iterable[str]) -> bool:
    return any(map(re.compile(translate(pattern)).match, ids))
