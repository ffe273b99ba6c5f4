"""The data of a history: runs of the catalogue, one a toolchain, and their JSON.

A run is kept as the JSON it came as, and read through `Run`: adding one never rewrites another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from exportcheck.errors import UsageError
from exportcheck.results import Stage, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "1.0"
"""Version of the JSON form: the major part changes when a reader of the old one would misread."""

ORDERING = ("torch", "coremltools")
"""The packages that runs are put in order by."""

MISSING = "missing"
"""Stands for the version of a package that was not installed."""


@dataclass(frozen=True)
class Column:
    """A target run by one runtime."""

    target: str
    runtime: str

    @property
    def name(self) -> str:
        """Both, as the file has them."""
        return f"{self.target}/{self.runtime}"


@dataclass(frozen=True)
class Outcome:
    """What became of one form in one column and one network on one toolchain.

    Attributes:
        status: as in the run.
        stage: the last one reached.
        message: the beginning of what went wrong, in the words of that day; empty for a pass.
        max_error: the largest |actual - eager| / max(1, |eager|) over the gating input classes, to
            one digit, which is what cells show; None where nothing was compared.
        notes: of a pass, input class and kind of each difference that does not gate.
    """

    status: Status
    stage: Stage
    message: str = ""
    max_error: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def converts(self) -> bool:
        """Whether a file was made and saved that nothing here runs; it is no pass."""
        return self.status is Status.UNAVAILABLE and self.stage in (Stage.LOAD, Stage.RUN)


@dataclass(frozen=True)
class Run:
    """One toolchain's run, read from its JSON.

    Attributes:
        toolchain: its name, `torch-1.7` or `torch-1.7+coremltools-5.2.0`.
        data: what the file holds of it.
    """

    toolchain: str
    data: Mapping[str, Any]

    @property
    def versions(self) -> Mapping[str, str]:
        """The packages whose versions decide its cells."""
        return self.data["versions"]

    @property
    def environment(self) -> Mapping[str, str]:
        """Platform, machine, Python and the version of this tool."""
        return self.data["environment"]

    @property
    def forms(self) -> Mapping[str, Mapping[str, Any]]:
        """What is known of each form."""
        return self.data["forms"]

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in the order that cells have."""
        return tuple(Column(*name.split("/", 1)) for name in self.data["columns"])

    @cached_property
    def _outcomes(self) -> tuple[Outcome, ...]:
        return tuple(_outcome(one) for one in self.data["outcomes"])

    def networks(self, form: str) -> tuple[str, ...]:
        """The networks that `form` was run in, the bare one first."""
        found = self.forms.get(form, {}).get("cells", {})
        return tuple(sorted(found, key=lambda name: (name != "bare", name)))

    def outcome(self, form: str, network: str, column: Column) -> Outcome | None:
        """What became of a cell; None where it was not run."""
        place = self._place(form, column, "cells", network)
        return None if place is None else self._outcomes[place]

    def operators(self, form: str, column: Column) -> Mapping[str, int]:
        """The operators of the exported file of the bare form; empty where none was made."""
        place = self._place(form, column, "operators")
        return {} if place is None else self.data["operators"][place]

    def mobile(self, form: str, column: Column) -> Mapping[str, Mapping[str, int]]:
        """What a phone's accelerators take of it between two convolutions; empty if not known."""
        place = self._place(form, column, "mobile")
        return {} if place is None else self.data["mobile"][place]

    def saved_bytes(self, form: str) -> int | None:
        """What autograd keeps of a batch for backward; None where that was not measured."""
        return self.forms.get(form, {}).get("saved_bytes")

    def _place(self, form: str, column: Column, *way: str) -> int | None:
        found: Any = self.forms.get(form, {})
        for step in way:
            found = found.get(step, {})
        return found[self.columns.index(column)] if found and column in self.columns else None

    @cached_property
    def cells(self) -> frozenset[str]:
        """Every cell that was run: `form/network/target/runtime`."""
        return frozenset(
            f"{form}/{network}/{self.data['columns'][at]}"
            for form, facts in self.forms.items()
            for network, row in facts["cells"].items()
            for at, place in enumerate(row)
            if place is not None
        )

    @property
    def count(self) -> int:
        """How many cells were run."""
        return len(self.cells)

    @property
    def order(self) -> tuple[Version, Version]:
        """Runs by this: PyTorch's version, then coremltools'."""
        torch, coremltools = map(self.version, ORDERING)
        return torch, coremltools

    def version(self, package: str) -> Version:
        """That of a package without what follows a plus sign; 0 where it was not there."""
        return version_in(self.versions, package)


def version_in(versions: Mapping[str, str], package: str) -> Version:
    """That of a package without what follows a plus sign; 0 where it was not there.

    Raises:
        UsageError: it is no version.
    """
    text = versions.get(package, MISSING)
    try:
        return Version("0" if text == MISSING else text.partition("+")[0])
    except InvalidVersion as error:
        raise UsageError(f"versions.{package}: {text!r} is no version") from error


def _outcome(data: Mapping[str, Any]) -> Outcome:
    return Outcome(
        Status(data["status"]),
        Stage(data["stage"]),
        data.get("message", ""),
        data.get("max_error"),
        tuple(data.get("notes", ())),
    )


@dataclass(frozen=True)
class History:
    """Every run there is.

    Attributes:
        data: the runs by toolchain, each as the file holds it.
    """

    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The runs, oldest versions first."""
        found = (Run(name, one) for name, one in self.data.items())
        return tuple(sorted(found, key=lambda run: (run.order, run.toolchain)))

    def families(self) -> dict[str, tuple[str, ...]]:
        """Each family's forms, as the runs have them, newest run first."""
        found: dict[str, dict[str, None]] = {}
        for run in reversed(self.runs):
            for form, facts in run.forms.items():
                found.setdefault(facts["family"], {}).setdefault(form)
        return {family: tuple(forms) for family, forms in found.items()}

    def with_runs(self, more: Mapping[str, Mapping[str, Any]]) -> History:
        """The same with `more`, which take the place of runs of the same name."""
        return History({**self.data, **more})
