"""What the forms of a family cost: run time in each runtime, and memory kept for backward.

Measured on this machine's processor with one thread. mil-numpy is left out, for the time that a
simulator takes says nothing of what it simulates.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Sequence

from exportcheck.catalog import activations
from exportcheck.judge import described
from exportcheck.subject import SEED, subject
from exportcheck.targets import targets
from exportcheck.timing import Timed, quartiles, ratios, take_turns
from exportcheck.training import saved_for_backward

if TYPE_CHECKING:
    from torch import Tensor

    from exportcheck.catalog import Activation
    from exportcheck.subject import Subject

SHAPES = ((1, 64, 80, 80), (1, 256, 20, 20))
"""Feature maps of a detector for 640 x 640 images, one early and one late; float32."""

EXPORTED_BY = {"libtorch": "torchscript-trace", "onnxruntime": "onnx-trace-opset17"}
CONTROL = "native again"
"""The reference form a second time: how far its ratio is from 1 is what noise does."""


def measure_costs(family: str, rounds: int) -> dict[str, Any]:
    """The figures of a family.

    `measurements`: for each shape and runtime the median time of each form, microseconds, and the
    quartiles of its ratio to the reference form, round by round. `saved`: bytes that autograd keeps
    for backward, by shape and form. `refused`: what could not be timed, and why.
    """
    forms = [a for a in activations().values() if a.family == family]
    reference = next((a for a in forms if a.reference), forms[0])
    found: dict[str, Any] = {
        "reference": reference.name,
        "rounds": rounds,
        "measurements": [],
        "refused": [],
        "saved": [],
    }
    for shape in SHAPES:
        batch = _batch(shape)
        for runtime in ("eager", *EXPORTED_BY):
            found["measurements"] += _timed(forms, reference, runtime, batch, rounds, found)
        found["saved"].append({"shape": list(shape), "bytes": _saved(forms, batch)})
    return found


def _batch(shape: Sequence[int]) -> Tensor:
    import torch

    return torch.randn(*shape, generator=torch.Generator().manual_seed(SEED))


def _timed(
    forms: Sequence[Activation],
    reference: Activation,
    runtime: str,
    batch: Tensor,
    rounds: int,
    found: dict[str, Any],
) -> list[dict[str, Any]]:
    """One measurement of all forms that can be run; none where the reference cannot."""
    shape = list(batch.shape)
    ready: dict[str, Timed] = {}
    for form in forms:
        try:
            ready[form.name] = _ready(form, runtime, batch)
        except Exception as error:  # whatever an exporter raises is why there is no figure
            reason = described(error).splitlines()[0]
            found["refused"].append(
                {"form": form.name, "runtime": runtime, "shape": shape, "reason": reason}
            )
    if reference.name not in ready:
        return []
    seconds = take_turns({**ready, CONTROL: _ready(reference, runtime, batch)}, rounds)
    base = seconds[reference.name]
    return [
        {
            "runtime": runtime,
            "shape": shape,
            "median_us": {n: _short(quartiles(s).median * 1e6) for n, s in seconds.items()},
            "ratios": {n: _rounded(s, base) for n, s in seconds.items() if n != reference.name},
        }
    ]


def _rounded(seconds: Sequence[float], base: Sequence[float]) -> dict[str, float]:
    found = dataclasses.asdict(ratios(seconds, base))
    return {name: _short(value) for name, value in found.items()}


def _short(value: float) -> float:
    return float(f"{value:.3g}")


def _ready(form: Activation, runtime: str, batch: Tensor) -> Timed:
    """`form` ready to run once on a copy of `batch`, which is made anew before each time."""
    what = subject(form.name, "bare")
    mine = batch.clone()
    run = _eager(what, mine) if runtime == "eager" else _exported(what, runtime, mine)
    run()
    return Timed(run, lambda: mine.copy_(batch))


def _eager(what: Subject, batch: Tensor) -> Callable[[], Any]:
    import torch

    module = what.build()

    def run() -> Any:
        with torch.no_grad():
            return module(batch)

    return run


def _exported(what: Subject, runtime: str, batch: Tensor) -> Callable[[], Any]:
    """The saved and reloaded file, called as its runtime is: tensors or arrays, nothing copied."""
    import torch

    target = targets()[EXPORTED_BY[runtime]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model{target.suffix}"
        target.save(target.export(what.build(), (batch.clone(),)), path)
        if runtime == "onnxruntime":
            loaded, array = target.runtimes[0].load(path).run, batch.numpy()
            return lambda: loaded((array,))
        module = torch.jit.load(str(path))

    def run() -> Any:
        with torch.no_grad():
            return module(batch)

    return run


def _saved(forms: Sequence[Activation], batch: Tensor) -> dict[str, int]:
    """Bytes by form; a form that cannot be run on the batch has none."""
    found = {}
    for form in forms:
        try:
            found[form.name] = saved_for_backward(subject(form.name, "bare"), batch)["saved_bytes"]
        except Exception:  # it is among the refused already, with its reason
            continue
    return found
