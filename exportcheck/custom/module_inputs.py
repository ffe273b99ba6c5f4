"""The input classes of a user's module, from what is known of it and of its ordinary inputs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Callable

import numpy as np

from exportcheck import inputs
from exportcheck.custom.laws import Law
from exportcheck.custom.module_spec import InputSpec
from exportcheck.errors import BadModule
from exportcheck.inputs import InputClass

_KNEE_POINTS = 18
"""How many numbers stand for a knee."""


def refuse_vain(specs: Sequence[InputSpec], dynamic: Sequence[int]) -> None:
    """Refuses inputs that show nothing, and sizes that nothing has.

    Args:
        specs: of the inputs; none in a network, which runs at its own size.
        dynamic: the axes whose size may change.

    Raises:
        BadModule: no input has an element, or no input has one of the axes.
    """
    if dynamic and not specs:
        raise BadModule("dynamic axes are tried on the bare module only: leave the network out")
    shapes = ", ".join(spec.text.partition(":")[0] for spec in specs)
    if specs and all(0 in spec.shape for spec in specs):
        raise BadModule(
            f"input {shapes}: no elements, so that nothing would be compared; give every axis 1 or "
            "more"
        )
    rank = max((len(spec.shape) for spec in specs), default=0)
    for axis in dynamic:
        if not 0 <= axis < rank:
            known = f"0 to {rank - 1}" if rank else "none"
            raise BadModule(f"dynamic axis {axis}: no input has it; {shapes} has {known}")


def resized(spec: InputSpec, axes: tuple[int, ...], larger: Callable[[int], int]) -> InputSpec:
    """`spec` with other sizes on `axes`."""
    sizes = (larger(n) if axis in axes else n for axis, n in enumerate(spec.shape))
    return dataclasses.replace(spec, shape=tuple(sizes))


def of_law(law: Law, spec: InputSpec, dtype: str) -> Iterator[InputClass]:
    """The input classes of an elementwise module, within its range where it has one."""
    size = math.prod(spec.shape)
    shown = dataclasses.replace(law, knees=law.knees[: max(1, size // _KNEE_POINTS)])
    if spec.dtype == "float16":
        dtype = "float16"
    classes = inputs.bare_inputs(shown, spec.shape, dtype)
    if spec.low is None or spec.high is None:
        for one in classes:
            yield dataclasses.replace(one, arrays=(one.values.astype(spec.dtype),))
        return
    grid = np.linspace(spec.low, spec.high, size).reshape(spec.shape)
    yield InputClass("grid", (grid.astype(dtype).astype(spec.dtype),), gates=True)
    knees = next(one.values for one in classes if one.name == "knees")
    inside = knees[(knees >= spec.low) & (knees <= spec.high)]
    if inside.size:
        yield InputClass("knees", (np.resize(inside, spec.shape).astype(spec.dtype),), gates=True)


def large_and_negative(
    ordinary: InputClass, specs: Sequence[InputSpec], *, finite: bool
) -> Iterator[InputClass]:
    """The negative and the sixteenfold of ordinary inputs of a module that is not elementwise.

    Negated inputs gate: they are as ordinary as the given ones, and a trace that kept one side of a
    branch on data (`if x.sum() > 0`) shows only where the other is taken. Scaled ones are a note.

    Args:
        ordinary: inputs.
        specs: of them.
        finite: whether an overflow of scaled ones, where eager gives a number, fails the case.
    """
    yield from _changed("negated", lambda a: -a, ordinary, specs, gates=True)
    for one in _changed("scaled", lambda a: a * 16, ordinary, specs):
        yield dataclasses.replace(one, finite=finite)


def odd(ordinary: InputClass, specs: Sequence[InputSpec]) -> Iterator[InputClass]:
    """Zeros, and ordinary inputs with some infinite or undefined among them: notes."""
    random = np.random.RandomState(1)

    def spoilt(values: Sequence[float]) -> Callable[[np.ndarray], np.ndarray]:
        def change(array: np.ndarray) -> np.ndarray:
            places = random.permutation(array.size)[: max(1, array.size // 64)]
            result = array.copy()
            result.flat[places] = np.resize(values, places.size)
            return result

        return change

    yield from _changed("all zero", lambda a: a * 0, ordinary, specs)
    yield from _changed("infinities", spoilt([np.inf, -np.inf]), ordinary, specs)
    yield from _changed("nan", spoilt([np.nan]), ordinary, specs)


def _changed(
    name: str,
    change: Callable[[np.ndarray], np.ndarray],
    ordinary: InputClass,
    specs: Sequence[InputSpec],
    *,
    gates: bool = False,
) -> Iterator[InputClass]:
    """The class of this name: floats without a range are changed; none where there are none."""
    free = [spec.floating and spec.low is None for spec in specs]
    if any(free):
        pairs = zip(ordinary.arrays, free)
        arrays = tuple(change(a).astype(a.dtype) if wanted else a for a, wanted in pairs)
        yield InputClass(name, arrays, gates)
