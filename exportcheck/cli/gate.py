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
    misfits,
    read_limitations,
)
from exportcheck.selection import all_cases, toolchains

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exportcheck.results import Report

DEFAULT_FILE = Path("limitations.toml")


@dataclass(frozen=True)
class Gate:
    """What is known to fail, and where it is written.

    Attributes:
        others: limitations in force that are not in the file.
        file: what is in the file.
        path: the file; None where none was named.
        remark: why the shipped limitations are not in force; empty where they are.
    """

    others: tuple[Limitation, ...] = ()
    file: LimitationFile = field(default_factory=lambda: LimitationFile(()))
    path: Path | None = None
    remark: str = ""

    def judged(self, report: Report) -> Report:
        """`report` with known failures marked as such, and the limitations that are stale."""
        in_force = (*self.file.limitations, *self.others)
        # A pattern may be about a runtime or a toolchain that this machine does not have.
        ids = [c.id for name in toolchains() for c in all_cases(name, anywhere=True)]
        return judge(report, in_force, ids) if in_force else report

    def updated(self, report: Report, toolchain: str) -> Gate:
        """A gate whose file makes `report` as expected; nothing is written."""
        from exportcheck.limitations_update import update

        cases = all_cases(toolchain, anywhere=True)
        file = update(self.file, report, cases, self.others)
        return replace(self, file=file)


def gate(
    path: Path | None, own: Sequence[Limitation], *, ignore: bool = False, drafts: bool = False
) -> Gate:
    """The gate for a run.

    Args:
        path: a limitations file, in force beside the others.
        own: the limitations that the project's settings hold.
        ignore: whether nothing is known.
        drafts: whether the file may be missing, and reasons in it, since it is to be written.

    Raises:
        UsageError: the file cannot be used; says why.
    """
    if ignore and drafts:
        raise UsageError("--no-limitations and --update-limitations exclude each other")
    if ignore:
        return Gate()
    if drafts:
        path = path or DEFAULT_FILE
    versions: dict[str, str] = describe()["versions"]  # type: ignore[assignment]  # as described
    shipped, remark = _shipped(versions)
    if path and path.exists() and path.samefile(SHIPPED):
        shipped, remark = (), ""
    file = LimitationFile(())
    if path and (path.exists() or not drafts):
        file = read_limitations(path, drafts=drafts)
    if not drafts and (wrong := misfits(file.versions, versions)):
        file, remark = LimitationFile(()), f"{path} is for {', '.join(wrong)}: not applied"
    return Gate((*own, *shipped), file, path, remark)


def _shipped(versions: Mapping[str, str]) -> tuple[tuple[Limitation, ...], str]:
    """The limitations of our own catalogue, none and a remark where they are for other versions."""
    file = read_limitations(SHIPPED)
    if wrong := misfits(file.versions, versions):
        return (), (
            f"the known failures that come with exportcheck are for {', '.join(wrong)}: "
            "not applied; --update-limitations writes those of this machine"
        )
    return file.limitations, ""
