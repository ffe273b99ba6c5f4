"""Runs in a row by the version of one package."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from exportcheck.history.tracks import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exportcheck.history.runs import History, Run
    from exportcheck.history.tracks import Track


@dataclass(frozen=True)
class Axis:
    """Runs ordered by one package.

    Attributes:
        package: whose version labels each run.
        fixed: what stays the same, `torch 1.7.1`; empty where each run has packages of its own.
        runs: oldest first.
    """

    package: str
    fixed: str
    runs: tuple[Run, ...]

    def label(self, run: Run) -> str:
        """The version of the axis' package in `run`, without what follows a plus sign."""
        return run.versions.get(self.package, "?").partition("+")[0]


def axes(history: History, track: Track) -> tuple[Axis, ...]:
    """The rows of runs to show `track` on: whole toolchains, then coremltools over one PyTorch.

    Only runs that have a column of the track are on them.
    """
    runs = [run for run in history.runs if columns(run, track)]
    whole = tuple(run for run in runs if "+" not in run.toolchain)
    found = [Axis(track.packages[0], "", whole)] if whole else []
    if "coremltools" in track.packages:
        # Where a whole toolchain has the same version, it stands for both. A row is of runs with a
        # coremltools of their own; whole toolchains alone are on the axis above.
        by_torch: dict[str, dict[str, Run]] = {}
        for run in runs:
            some = by_torch.setdefault(run.versions["torch"].partition("+")[0], {})
            some.setdefault(run.versions.get("coremltools", ""), run)
        found += [
            Axis("coremltools", f"torch {torch}", tuple(some.values()))
            for torch, some in by_torch.items()
            if any("+" in run.toolchain for run in some.values())
        ]
    return tuple(found)


def versions_text(axis: Axis, runs: Sequence[Run]) -> str:
    """For example `1.6.0 to 1.7.1`, `1.8.1`; whatever lies between was on the axis too."""
    first, last = axis.label(runs[0]), axis.label(runs[-1])
    return first if first == last else f"{first} to {last}"


def places_text(axis: Axis, places: Sequence[int]) -> str:
    """The versions at some places of an axis, neighbours joined: `1.6.0 to 1.7.1, 2.1.2`."""
    parts = []
    for _, group in groupby(enumerate(places), lambda pair: pair[1] - pair[0]):
        parts.append(versions_text(axis, [axis.runs[place] for _, place in group]))
    return ", ".join(parts)
