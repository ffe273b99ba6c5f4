"""Makes ready what a proof runs: exported files, the shape of a call, the journal's key."""

from __future__ import annotations

import hashlib
import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exportcheck import content_key
from exportcheck.errors import BadModule
from exportcheck.exhaustive import line
from exportcheck.exhaustive.prover import CHUNK, Prover, Proving, keep_memory
from exportcheck.judge import described
from exportcheck.places import is_theirs
from exportcheck.targets import targets
from exportcheck.targets.interface import Run, Runtime, Target

if TYPE_CHECKING:
    from exportcheck.subject import Subject

JOURNAL = 1
"""Layout and meaning of what journals keep."""

_SAMPLE_STEP = 2**15
"""Every so many numbers, one is run to find the largest answer and to recognise a module by."""


@dataclass
class Prepared:
    """What is ready to be proved, and what the host is told.

    Attributes:
        prover: takes pieces through the modules and runtimes.
        key: equal keys mean that figures would come out the same.
        answers: a digest of what all sides answer to a sample.
        refused: `target/runtime` -> why it cannot be run.
        folder: holds the exported files as long as this object lives.
    """

    prover: Prover
    key: str
    answers: str
    refused: dict[str, str]
    folder: Any = field(repr=False)


def prepare(what: Subject, runs: Sequence[tuple[str, str]], spec: Any) -> Prepared:
    """Exports `what` once for each target, for calls as large as it takes.

    Args:
        what: the subject.
        runs: target and runtime of each.
        spec: the user's spec as JSON; None for an activation of the catalogue.

    Raises:
        BadModule: it is not elementwise in float32, or not the same function at every place.
    """
    keep_memory()
    place = what.place or what.name
    if not what.elementwise:
        raise BadModule(
            f"{place}: not elementwise; every input can be tried only where each output depends on "
            "one float input, at the same place"
        )
    example = _stretched(what, place)
    _must_be_one_function(what, example, place)
    folder = tempfile.TemporaryDirectory(prefix="exportcheck-prove-")
    load: dict[str, Callable[[], Run]] = {}
    refused: dict[str, str] = {}
    for target_name, runtime_name in runs:
        target = targets()[target_name]
        runtime = next(r for r in target.runtimes if r.name == runtime_name)
        name = f"{target_name}/{runtime_name}"
        path = Path(folder.name) / f"{target_name}-{runtime_name}{target.suffix}"
        try:
            load[name] = _loader(what, target, runtime, example, path)
        except Exception as error:  # what an exporter or a runtime refuses is an answer
            refused[name] = described(error).splitlines()[0]
    wide = _computes_wide(what, example)
    shape = tuple(example[0].shape)
    prover = Prover(Proving(what.build, load, shape, what.changes_its_input, wide))
    prover.largest, answers = _sampled(prover)
    files = _their_files()
    key = content_key.proof_key(what.name, sorted(load), JOURNAL, spec, shape, files, answers)
    return Prepared(prover, key, answers, refused, folder)


def _stretched(what: Subject, place: str) -> tuple[Any, ...]:
    """The example, repeated along its first axis as often as fits into a chunk.

    Not at all where the module accepts no other size, or answers otherwise then.
    """
    import torch

    (example,) = what.example()
    if str(example.dtype) != "torch.float32":
        dtype = str(example.dtype).rpartition(".")[2]
        raise BadModule(f"{place}: takes {dtype}; every input is tried in float32 only")
    times = 2 ** int(math.log2(max(1, CHUNK // example.numel())))
    repeated = example.repeat(times, *(1,) * (example.dim() - 1))
    try:
        with torch.no_grad():
            once, many = what.build()(example.clone()), what.build()(repeated.clone())
        if torch.equal(once.repeat(times, *(1,) * (once.dim() - 1)), many):
            return (repeated,)
    except Exception:  # a module may insist on its size; then that is what it gets
        return (example,)
    return (example,)


def _must_be_one_function(what: Subject, example: tuple[Any, ...], place: str) -> None:
    """Refuses a module that computes another function in each channel."""
    import torch

    module = what.build()
    for value in (-2.0, -0.3, 0.3, 2.0):
        with torch.no_grad():
            answer = module(torch.full_like(example[0], value)).flatten()
        if not bool((answer == answer[0]).all()):
            raise BadModule(
                f"{place}: another function at each place, as with a parameter for each channel; "
                "every input is tried only where there is one function of one number"
            )


def _loader(
    what: Subject, target: Target, runtime: Runtime, example: tuple[Any, ...], path: Path
) -> Callable[[], Run]:
    """Makes a runtime's function from a file that is written now."""
    target.save(target.export(what.build(), example), path)

    def load() -> Run:
        return runtime.load(path).run

    (answer,) = load()((example[0].numpy(),))
    if answer.dtype != np.float32 or answer.size != example[0].numel():
        raise ValueError(f"gives {answer.dtype} {answer.shape} where float32 was expected")
    return load


def _computes_wide(what: Subject, example: tuple[Any, ...]) -> bool:
    """Whether the module computes in float64: one that makes float32 tensors itself does not."""
    import torch

    try:
        with torch.no_grad():
            answer = what.build().double()(example[0].double())
    except Exception:  # then there is no truth to hold anything against, which is said
        return False
    return bool(answer.dtype == torch.float64 and answer.shape == example[0].shape)


def _sampled(prover: Prover) -> tuple[float, str]:
    """The largest finite answer of eager, and a digest of all sides' answers, over a sample."""
    bits = np.arange(0, line.TOTAL, _SAMPLE_STEP, dtype=np.int64).astype(np.uint32).view(np.int32)
    largest, digest = 1.0, hashlib.sha256()
    for first in range(0, bits.size, prover.size):
        answers = prover.answers_to(np.resize(bits[first : first + prover.size], prover.size))
        eager = np.abs(answers.eager)
        largest = max(largest, float(eager.max(initial=1.0, where=np.isfinite(eager))))
        for side in (answers.eager, answers.truth, *answers.runs.values()):
            digest.update(b"" if side is None else side.tobytes())
    return largest, digest.hexdigest()


def _their_files() -> str:
    """A digest of every file of a user's that this process has imported."""
    digest = hashlib.sha256()
    files = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
    for file in sorted(file for file in files if file.endswith(".py") and is_theirs(file)):
        # What is installed is known by its version, and PyTorch makes up the names of some files.
        if "site-packages" not in file and Path(file).is_file():
            digest.update(Path(file).read_bytes())
    return digest.hexdigest()
