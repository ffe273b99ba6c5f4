"""The limitations that are in force: shipped ones, the project's, and those of a file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from exportcheck.environment import describe
from exportcheck.errors import UsageError
from exportcheck.limitations import (
    SHIPPED,
    Limitation,
    LimitationFile,
    judge,
    read_limitations,
)
from exportcheck.limitations_update import update
from exportcheck.selection import all_cases, toolchains
from exportcheck.versions import misfits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exportcheck.environment import Environment
    from exportcheck.results import Report

DEFAULT_FILE = Path("limitations.toml")


@dataclass(frozen=True)
class Gate:
    """What is known to fail, and where it is written.

    Attributes:
        own: limitations that the project's settings hold.
        shipped: those that come with exportcheck, none where they are not in force.
        file: what is in the file.
        path: the file; None where none was named.
        remark: what is not in force, and why; empty where everything is.
        modules: the names of the project's own, which limitations may be about.
    """

    own: tuple[Limitation, ...] = ()
    shipped: tuple[Limitation, ...] = ()
    file: LimitationFile = field(default_factory=lambda: LimitationFile(()))
    path: Path | None = None
    remark: str = ""
    modules: tuple[str, ...] = ()

    def judged(self, report: Report) -> Report:
        """`report` with known failures marked as such, and the limitations that are stale."""
        in_force = (*self.file.limitations, *self.own, *self.shipped)
        if not in_force:
            return report
        seen = list(dict.fromkeys(result.case.toolchain for result in report.results))
        judged = judge(report, in_force, self._ids(seen))
        # A pattern may be about a toolchain that this machine does not have.
        return (
            judge(report, in_force, self._ids([*seen, *toolchains()])) if judged.stale else judged
        )

    def _ids(self, names: Sequence[str]) -> list[str]:
        """The ids of all cases of these toolchains, those that run on other machines too."""
        return [
            case.id
            for name in names
            for case in all_cases(name, anywhere=True, modules=self.modules)
        ]

    def updated(self, report: Report, toolchain: str) -> Gate:
        """A gate whose file makes `report` as expected; nothing is written.

        Where a shipped limitation does not hold, those that do move to the file, and it alone is
        in force from now on.
        """
        cases = all_cases(toolchain, anywhere=True, modules=self.modules)
        file, shipped = self.file, self.shipped
        if judge(report, shipped, [case.id for case in cases]).fixed:
            every = (*file.limitations, *shipped)
            file, shipped = replace(file, limitations=every, alone=True), ()
        file = update(file, report, cases, (*self.own, *shipped))
        return replace(self, file=file, shipped=shipped)


def gate(
    path: Path | None,
    own: Sequence[Limitation],
    *,
    ignore: bool = False,
    drafts: bool = False,
    environments: Sequence[Environment] = (),
) -> Gate:
    """The gate for a run.

    Args:
        path: a limitations file, in force beside the others.
        own: the limitations that the project's settings hold.
        ignore: whether nothing is known.
        drafts: whether the file may be missing, and reasons in it, since it is to be written.
        environments: where the cases run, if not in this process's own only.

    Raises:
        UsageError: the file cannot be used; says why.
    """
    if ignore and drafts:
        raise UsageError("--no-limitations and --update-limitations exclude each other")
    if ignore:
        return Gate()
    if drafts:
        path = path or DEFAULT_FILE
    described = [one.describe() for one in environments] or [describe()]
    versions: list[dict[str, str]] = [one["versions"] for one in described]  # type: ignore[misc]
    elsewhere = any(one.versions is not None for one in environments)
    file, remark = LimitationFile(()), ""
    if path and (path.exists() or not drafts):
        file = read_limitations(path, drafts=drafts)
    if not drafts and (wrong := _wrong(file, versions)):
        file, remark = LimitationFile(()), f"{path} is for {', '.join(wrong)}: not applied"
    if file.alone or (path and path.exists() and path.samefile(SHIPPED)):
        return Gate(tuple(own), (), file, path, remark)
    shipped, unfit = _shipped(versions, elsewhere)
    return Gate(tuple(own), shipped, file, path, "; ".join(filter(None, (remark, unfit))))


def _wrong(file: LimitationFile, versions: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """What is not as the file wants it, in any of the environments."""
    return tuple(dict.fromkeys(one for each in versions for one in misfits(file.versions, each)))


def _shipped(
    versions: Sequence[Mapping[str, str]], elsewhere: bool
) -> tuple[tuple[Limitation, ...], str]:
    """The limitations of our own catalogue, none and a remark where they are for other versions.

    No remark where that is what was asked for.
    """
    file = read_limitations(SHIPPED)
    if wrong := _wrong(file, versions):
        return (), "" if elsewhere else (
            f"the known failures that come with exportcheck are for {', '.join(wrong)}: "
            "not applied; --update-limitations writes those of this machine"
        )
    return file.limitations, ""
