"""The environments that `exportcheck all` was asked to run in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from exportcheck.environment import Environment
from exportcheck.errors import UsageError
from exportcheck.merging import joined_environment
from exportcheck.selection import current_toolchain
from exportcheck.toolchains.installed import Place, environment_of
from exportcheck.toolchains.locks import JOINT, locked_toolchains, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exportcheck.results import Report

ALL = "all"
"""Stands for this process's own toolchain and every one that is installed, of which one must be."""


def asked_environments(toolchains: Sequence[str], coremltools: Sequence[str]) -> list[Environment]:
    """The environments of these toolchains, this process's own where none is named.

    Args:
        toolchains: as for `asked_names`.
        coremltools: as for `asked_names`.

    Raises:
        UsageError: there is no such toolchain or version.
        EnvironmentBroken: one is not installed, or broken; says what to do.
    """
    here = current_toolchain()
    names = asked_names(toolchains, coremltools)
    return [Environment(name) if name == here else environment_of(name) for name in names]


def asked_names(toolchains: Sequence[str], coremltools: Sequence[str]) -> list[str]:
    """The names of these toolchains, installed or not; this process's own where none is named.

    Args:
        toolchains: their names; `all` for this process's own and every one that is installed.
        coremltools: the versions that stand in, one after the other, for that of each toolchain.

    Raises:
        UsageError: there is no such toolchain or version, or none is installed.
    """
    here = current_toolchain()
    if coremltools and not toolchains:
        raise UsageError("--coremltools says with which one a --toolchain is to run: name that too")
    names: list[str] = []
    for name in toolchains or [here]:
        names += [here, *_installed()] if name == ALL else [name]
    if ALL in toolchains and not _installed():
        raise UsageError(
            f"no toolchain is installed: `exportcheck toolchains list` shows them; {here} is "
            "checked without --toolchain"
        )
    if coremltools:
        if here in toolchains:
            raise UsageError(f"{here} is this process's own: no other coremltools can stand in")
        names = [f"{n}{JOINT}{v}" for n in names if n != here for v in coremltools]
    for name in names:
        if name != here:
            split(name)
    return list(dict.fromkeys(names))


def _installed() -> list[str]:
    return [t.name for t in locked_toolchains().values() if Place(t).state == "installed"]


def described(report: Report, environments: Sequence[Environment]) -> Report:
    """`report` with its environment; of several, each result says which is its own."""
    if len(environments) == 1:
        return replace(report, environment=environments[0].describe())
    machines = {one.toolchain: one.describe() for one in environments}
    return replace(
        report,
        environment=joined_environment(machines),
        results=tuple(replace(r, machine=r.case.toolchain) for r in report.results),
    )
