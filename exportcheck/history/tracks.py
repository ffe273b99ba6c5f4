"""Targets as people follow them over the years, whatever options an exporter was asked with.

An opset is an option: whoever exports takes the one that works. So the opsets of one exporter are
one track, and so are Core ML's neural networks of coremltools 4 and the ML programs that followed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exportcheck.targets import targets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exportcheck.history.runs import Column, Run


@dataclass(frozen=True)
class Track:
    """Columns of which the best counts.

    Attributes:
        name: lower-case kebab.
        title: for people.
        packages: those whose versions label its runs, what exports first.
        main: whether it is the one of its format that most look at.
        short: the title where only main tracks are named.
    """

    name: str
    title: str
    packages: tuple[str, ...]
    main: bool = False
    short: str = ""

    @property
    def has_own_operators(self) -> bool:
        """Whether its files have a format's operators; PyTorch's own say no more than the code."""
        return self.packages != ("torch",)


_KNOWN = (
    Track("onnx-trace", "ONNX, TorchScript exporter", ("torch", "onnxruntime"), True, "ONNX"),
    Track("coreml", "Core ML, float32", ("coremltools", "torch"), True, "Core ML"),
    Track("onnx-dynamo", "ONNX, dynamo exporter", ("torch", "onnxruntime")),
    Track("coreml-fp16", "Core ML, float16", ("coremltools", "torch")),
    Track("coreml-export", "Core ML through torch.export", ("coremltools", "torch")),
    Track("torchscript-trace", "TorchScript, traced", ("torch",), True, "TorchScript traced"),
    Track("torchscript-script", "TorchScript, scripted", ("torch",)),
    Track("torch-export", "torch.export", ("torch",)),
)

_NAMES = {
    "coreml-neuralnetwork": "coreml",
    "coreml-fp32": "coreml",
    "coreml-export-fp32": "coreml-export",
}


def track_of(target: str) -> Track:
    """The track of a target; one that no track is known for is its own."""
    name = _NAMES.get(target, re.sub(r"-opset\d+$", "", target))
    return next((one for one in _KNOWN if one.name == name), Track(name, name, ("torch",)))


def tracks(runs: Iterable[Run]) -> tuple[Track, ...]:
    """The tracks that `runs` have a column of, those of the most readers first."""
    found = {track_of(column.target) for run in runs for column in run.columns}
    known = [one for one in _KNOWN if one in found]
    return (*known, *sorted(found - set(known), key=lambda track: track.name))


def columns(run: Run, track: Track) -> tuple[Column, ...]:
    """The columns of `run` that belong to `track`, lower opsets first."""
    found = [column for column in run.columns if track_of(column.target) == track]
    return tuple(sorted(found, key=lambda column: (_opset(column), column.name)))


def option(column: Column) -> str:
    """What tells a column from the others of its track: `opset 12`, else its target."""
    opset = _opset(column)
    return f"opset {opset}" if opset else column.target


def ran_in(column: Column) -> str:
    """The same, and whose numbers they are where a reference evaluator computed them."""
    known = targets().get(column.target)
    runtimes = known.runtimes if known else ()
    simulated = any(r.simulated and r.name == column.runtime for r in runtimes)
    return option(column) + (f" in {column.runtime} (simulated)" if simulated else "")


def _opset(column: Column) -> int:
    found = re.search(r"-opset(\d+)$", column.target)
    return int(found[1]) if found else 0
