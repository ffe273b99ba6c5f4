"""What a target and a runtime are: a way to export a module, and a way to run what was saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Mapping, Protocol, Sequence, Tuple

from exportcheck.results import Culprit

if TYPE_CHECKING:
    import numpy as np

Arrays = Tuple["np.ndarray", ...]
Axes = Tuple[int, ...]
Run = Callable[[Arrays], Arrays]
"""Inputs in the module's order to outputs in the module's order, arrays to arrays."""


@dataclass(frozen=True)
class Loaded:
    """A saved model ready to run.

    Attributes:
        run: calls it.
        graph_ops: operator histograms that only the runtime knows, for example `optimized`.
        facts: what else the runtime says of the model.
    """

    run: Run
    graph_ops: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Inspection:
    """What the saved file says of itself.

    Attributes:
        actual: for example opset, precision, specification version, size in bytes.
        graph_ops: operator histograms, `exported` first.
    """

    actual: Mapping[str, Any]
    graph_ops: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Opinion:
    """A second way to compute what a runtime computed, asked for only where a case differs.

    Attributes:
        tried: what it is, in a few words.
        load: makes the function that computes it; may raise whatever stands in the way.
        culprit: who is guilty if this one agrees with eager; None where that decides nothing.
        independent: whether the exporter is guilty if this one repeats the wrong numbers.
    """

    tried: str
    load: Callable[[], Run]
    culprit: Culprit | None = None
    independent: bool = False


Agrees = Callable[[Run], bool]
"""Whether a way to compute agrees with eager on the inputs that differ."""


class Runtime(Protocol):
    """Something that runs a saved model.

    Attributes:
        name: shown to people and part of a case's id.
        simulated: whether its numbers are a reference evaluator's, not the real runtime's.
        distributions: the packages whose versions decide its numbers.
    """

    @property
    def name(self) -> str: ...
    @property
    def simulated(self) -> bool: ...
    @property
    def distributions(self) -> tuple[str, ...]: ...

    def missing(self) -> str | None:
        """Why it cannot run on this machine and what to do; None where it can. Imports nothing."""

    def load(self, path: Path) -> Loaded:
        """The model at `path`, ready to run.

        Raises:
            Unavailable: the runtime is not there.
            Exception: whatever the runtime raises for a model that it refuses.
        """

    def opinions(self, path: Path) -> Sequence[Opinion]:
        """Second opinions on the model at `path`, the most telling first."""

    def pinpoint(self, path: Path, culprit: Culprit, agrees: Agrees, inputs: Arrays) -> str:
        """What in the runtime is guilty: an operator, a fusion; empty where that is not known.

        Args:
            path: the model.
            culprit: what the opinions came to.
            agrees: judges a way to compute.
            inputs: inputs that show the difference.
        """


class Target(Protocol):
    """A format and the options it is exported with.

    Attributes:
        name: lower-case kebab, part of a case's id.
        group: heading over the targets of one exporter (`torch.jit`).
        label: what tells this one from its group (`trace`).
        suffix: ending of the saved file or folder.
        precision: `float32` or `float16`, what the exported program computes in.
        quick: whether `--quick` keeps it.
        distributions: the packages whose versions decide its files.
        runtimes: what can run it.
        siblings: other targets worth a second opinion -> who is guilty if they agree with eager.

    A target may have `versions` too: package -> the versions of it that the target is for, as
    `{"torch": ">=2.1"}`. In a toolchain with another one it is no column.
    It may have `traces`: whether it records one run of forward, whatever that decides by data.
    And it may have `variants`: the same exporter, first with as much as possible left out,
    then with one thing each. One that agrees with eager tells what in the exporter is guilty.
    """

    @property
    def name(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def suffix(self) -> str: ...
    @property
    def precision(self) -> str: ...
    @property
    def quick(self) -> bool: ...
    @property
    def distributions(self) -> tuple[str, ...]: ...
    @property
    def runtimes(self) -> Sequence[Runtime]: ...
    @property
    def siblings(self) -> Mapping[str, Culprit]: ...

    def export(self, module: Any, example: tuple[Any, ...], dynamic: Axes = ()) -> Any:
        """`module`, an `nn.Module` in eval mode, exported for inputs like the tensors in `example`.

        Args:
            module: what to export.
            example: tensors; of other sizes only on the axes in `dynamic` of every input.
            dynamic: axes, as numbers.

        Raises:
            Exception: whatever the exporter raises for what it cannot export.
        """

    def save(self, exported: Any, path: Path) -> None:
        """Writes what `export` returned to `path`.

        Raises:
            Exception: whatever the exporter raises for what it cannot write.
        """

    def inspect(self, path: Path) -> Inspection:
        """What the saved file says of itself, checked by the format's own checker where it has one.

        Raises:
            Exception: the checker's, for an invalid file.
        """

    def untranslated(self, module: Any, example: tuple[Any, ...]) -> Sequence[str]:
        """Every operator of `module` that the exporter has no translation for, `aten::celu`."""
