"""Whether one module computes what another does: in eager PyTorch, on every input class."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from exportcheck import inputs
from exportcheck.compare import Tolerance, tolerance_for
from exportcheck.custom.laws import law_of
from exportcheck.inputs import InputClass
from exportcheck.judge import compared, described, notes_of, verdict
from exportcheck.results import Comparison, Status
from exportcheck.rewrites.interface import Candidate, Proof, Refuted
from exportcheck.rewrites.reaching import unreached
from exportcheck.rewrites.slopes import Slope, difference, gradients
from exportcheck.subject import SEED, Expected, Subject, run_eager, writes_to_its_input

if TYPE_CHECKING:
    from torch import nn

WIDE = Tolerance(1e-9, 2.5e-9, "PyTorch's own softplus is a straight line from 20 on: 2.1e-9 off")
"""In float64, where the two must be the same function and not only alike in float32."""


class _Differs(Exception):
    def __init__(self, why: str, *numbers: float | None) -> None:
        super().__init__(why)
        self.numbers = numbers


def prove(
    what: Subject, original: nn.Module, candidate: Candidate, path: str = ""
) -> Proof | Refuted:
    """Whether the candidate is the original: numbers in float32 and float64, and the gradient.

    Args:
        what: the original as a subject, with the inputs to try.
        original: the module that the candidate is to replace, in eval mode.
        candidate: what may replace it.
        path: of the original, for the refutation.
    """
    try:
        return _Trial(what, original, candidate).proof()
    except _Differs as found:
        return Refuted(path, candidate.replacement, str(found), *found.numbers)
    except Exception as error:  # a candidate that raises is none
        why = f"it raises {described(error).splitlines()[0]}"
        return Refuted(path, candidate.replacement, why)


class _Trial:
    """One candidate under proof."""

    def __init__(self, what: Subject, original: nn.Module, candidate: Candidate) -> None:
        self.what = what
        self.original = original
        self.candidate = candidate
        self.other = candidate.module
        self.given = what.inputs("float32") + tuple(_more_inputs(what, original, self.other))
        self.narrow = any(a.dtype == np.float16 for a in self.given[0].arrays)
        self.remarks: list[str] = []

    def proof(self) -> Proof:
        """What was proved.

        Raises:
            _Differs: the candidate is not the original, or nobody can tell.
        """
        self._reaches()
        lines = [*self._numbers(), self._wide_numbers(), self._gradient()]
        self._remark_input()
        return Proof(
            tuple(filter(None, lines)), tuple(self.remarks), when_training=self._trains_alike()
        )

    def _reaches(self) -> None:
        """Every line that was rewritten must have been run by some input."""
        if self.candidate.function is None:
            return
        runs = [c.arrays for c in self.given]
        code = self.candidate.function.__code__
        for line, text in unreached(self.original, code, self.candidate.rewritten, runs):
            raise _Differs(f"no input reaches line {line}, {text!r}: what it does is not proved")

    def _numbers(self) -> list[str]:
        kind = "float16" if self.narrow else "float32"
        results = self._compared(tolerance_for(kind, "bare"), double=False)
        self.remarks += notes_of(results)
        gating = [name for name, c in results.items() if c.gates]
        alike = [name for name, c in results.items() if not c.gates and c.close and not c.kinds]
        error = max(results[name].max_error for name in gating)
        lines = [f"equal in {kind} on {', '.join(gating)}: largest error {error:.1g}"]
        return lines + ([f"special values alike: {', '.join(alike)}"] if alike else [])

    def _wide_numbers(self) -> str:
        try:
            results = self._compared(WIDE, double=True)
        except _CannotWiden:
            self.remarks.append("not compared in float64, in which the original cannot be run")
            return ""
        error = max(c.max_error for c in results.values() if c.gates)
        return f"equal in float64 on the same: largest error {error:.1g}"

    def _compared(self, tolerance: Tolerance, *, double: bool) -> dict[str, Comparison]:
        """The comparisons by input class.

        Raises:
            _Differs: one that gates differs, the most ordinary inputs first.
        """
        one, other = (copy.deepcopy(m) for m in (self.original, self.other))
        wide = copy.deepcopy(one).double()
        if double:
            one, other = wide, other.double()
        results: dict[str, Comparison] = {}
        for given in self.given:
            eager, truth = _answers(one, wide, given, double)
            if eager is None:
                continue
            actual = run_eager(other, given.arrays, double)
            expected = Expected(eager, truth)
            results.update(compared(self.what, given, actual, expected, tolerance))
        for name, found in results.items():
            status, message = verdict({name: found})
            if status is Status.MISMATCH:
                worst = found.worst
                numbers = (worst.input, worst.actual, worst.expected) if worst else ()
                text = message.replace("eager gives", "the original gives")
                raise _Differs(("in float64, " if double else "") + text, *numbers)
        return results

    def _gradient(self) -> str:
        finite = [c for c in self.given if c.gates and c.name != "infinities"]
        proved: list[str] = []
        for given in finite:
            try:
                theirs = gradients(self.original, given.arrays, self.what.elementwise)
            except Exception as error:  # what cannot be differentiated has no gradient to keep
                self.remarks.append(f"no gradient: {described(error).splitlines()[0]}")
                return ""
            mine = gradients(self.other, given.arrays, self.what.elementwise)
            point = given.values if self.what.elementwise else None
            wrong, kink = difference(mine, theirs, self.original, point)
            if wrong is not None:
                of = "" if wrong.of.isdigit() else f" of {wrong.of}"
                raise _Differs(
                    f"its gradient{of} differs on {given.name}: {wrong}", *_numbers(wrong)
                )
            if kink is not None:
                self._remark_kink(kink)
            proved.append(given.name)
        return f"the same gradient in float64 on {', '.join(proved)}"

    def _remark_kink(self, kink: Slope) -> None:
        remark = f"at a kink, where there is no gradient, autograd says {kink}"
        if not any(r.startswith("at a kink") for r in self.remarks):
            self.remarks.append(remark)

    def _remark_input(self) -> None:
        """Somebody may count on the input being overwritten; the outputs do not show it."""
        import torch

        given = tuple(torch.from_numpy(array) for array in self.given[0].arrays)
        modules = (copy.deepcopy(self.original), copy.deepcopy(self.other))
        theirs, mine = (writes_to_its_input(module, given) for module in modules)
        if theirs and not mine:
            self.remarks.append("the original writes to its input, which this leaves as it was")

    def _trains_alike(self) -> bool:
        """Whether the two agree in training mode too, random numbers drawn from the same seed."""
        modules = (self.original, self.other)
        results = [_when_training(module, self.given[0].arrays) for module in modules]
        if isinstance(results[0], str) or isinstance(results[1], str):
            return bool(results[0] == results[1])
        return all(np.allclose(a, b, 1e-5, 1e-6, equal_nan=True) for a, b in zip(*results))


class _CannotWiden(Exception):
    """The original cannot be run in float64."""


def _answers(
    one: nn.Module, wide: nn.Module, given: InputClass, double: bool
) -> tuple[Any | None, Any]:
    """What the original answers and the same in float64; None where it refuses a special input."""
    try:
        eager = run_eager(one, given.arrays, double)
    except Exception as error:
        if double:
            raise _CannotWiden from error
        if given.gates:
            raise
        return None, ()
    if double:
        return eager, (None,) * len(eager)
    try:
        truth: Any = run_eager(wide, given.arrays, double=True)
    except Exception:  # whoever makes a float32 tensor in forward cannot be run in float64
        truth = ()
    known = [t.shape for t in truth] == [e.shape for e in eager]
    return eager, truth if known else (None,) * len(eager)


def _more_inputs(what: Subject, original: nn.Module, other: nn.Module) -> list[InputClass]:
    """The replacement's own knees where both are elementwise, else batches off the middle."""
    first = what.inputs("float32")[0]
    if what.elementwise:
        law = law_of(other, first.values)
        classes = inputs.bare_inputs(law, first.values.shape, "float32")
        return [replace(c, name="the other's knees") for c in classes if c.name == "knees"]
    changes = {"shifted up": (1.0, 3.0), "shifted down": (1.0, -3.0), "small": (0.01, 0.0)}
    made = [
        InputClass(
            name,
            tuple(
                (a * factor + offset).astype(a.dtype) if a.dtype.kind == "f" else a
                for a in first.arrays
            ),
            gates=True,
        )
        for name, (factor, offset) in changes.items()
    ]
    return [c for c in made if _takes(original, c)]


def _takes(module: nn.Module, given: InputClass) -> bool:
    try:
        run_eager(copy.deepcopy(module), given.arrays)
    except Exception:  # a module may be meant for a range
        return False
    return True


def _numbers(slope: Slope) -> tuple[float | None, float, float]:
    return slope.input, slope.actual, slope.expected


def _when_training(module: nn.Module, arrays: tuple[np.ndarray, ...]) -> Any:
    """The outputs in training mode, or the name of the exception."""
    import torch

    torch.manual_seed(SEED)
    try:
        return run_eager(copy.deepcopy(module).train(), arrays)
    except Exception as error:  # compared, not hidden
        return type(error).__name__
