"""Named sets of inputs, deterministic, each judged and reported apart.

Random inputs hide most known-wrong conversions: they miss the tails, the knees and every special
value. So a bare activation gets a dense grid, the places where its law changes, the tails and the
special values; only networks, whose layers mix inputs anyway, get a seeded normal batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable, Iterator, Protocol, Tuple

import numpy as np

EVERY_FLOAT16 = "every float16"
"""The class of all normal float16 numbers within ±250."""

GATING = ("grid", "knees", "tails", EVERY_FLOAT16, "infinities", "normal")
"""Input classes whose differences fail a case; those of the others are notes."""

GRID_LIMIT = 30.0
TAIL_LIMITS = {"float32": 1e30, "float16": 250.0}
"""Where the tails end, for a program that computes in this type.

Beyond 1e30 a float32 function that multiplies by a constant overflows in one order of operations
only; beyond 255 every float16 program that squares its input does, whoever exported it. What lies
farther out is in `largest`.
"""

BATCHES_LIMIT = 64
"""A class is laid out over no more batches than this; a shape of few elements gets samples."""

_Arrays = Tuple[np.ndarray, ...]
_KNEE_STEPS_ULP = (0, 1, 2, 3, 4, 8, 16, 64, 1024)


@dataclass(frozen=True)
class InputClass:
    """The inputs of one run under a name, and whether differences there fail a case.

    Attributes:
        name: of the class.
        arrays: one for each input of the module, float32 where they are floats.
        gates: whether differences fail the case.
        strict: whether even those do where eager makes NaN of an infinity.
        finite: whether, where differences fail nothing else, an infinity or NaN in place of eager's
            ordinary number still does.
        count: of the batches that are laid behind each other along the first axis: an exported
            program may take one size only.
    """

    name: str
    arrays: tuple[np.ndarray, ...]
    gates: bool
    strict: bool = False
    finite: bool = False
    count: int = 1

    @property
    def values(self) -> np.ndarray:
        """The first input: the only one of an activation."""
        return self.arrays[0]

    def batches(self) -> Iterator[_Arrays]:
        """The inputs of one call after another."""
        return zip(*(np.split(array, self.count) for array in self.arrays))

    def rows_of(self, row: int) -> slice:
        """Where, along the first axis, the batch stands that has this row."""
        if self.count == 1:
            return slice(None)
        size = len(self.values) // self.count
        first = row // size * size
        return slice(first, first + size)

    def through(self, run: Callable[[_Arrays], _Arrays]) -> _Arrays:
        """What `run` answers to all of it, batch by batch, joined again."""
        if self.count == 1:
            return run(self.arrays)
        return tuple(map(np.concatenate, zip(*map(run, self.batches()))))


class Law(Protocol):
    """What the inputs of a bare activation depend on.

    Attributes:
        elementwise: whether each output depends on the input at the same place only.
        knees: inputs where the function changes its law.
    """

    @property
    def elementwise(self) -> bool: ...
    @property
    def knees(self) -> tuple[float, ...]: ...


def bare_inputs(activation: Law, shape: tuple[int, ...], dtype: str) -> tuple[InputClass, ...]:
    """Every input class of a bare activation, float32 tensors of `shape`.

    The classes of an elementwise function in float16 together hold all 65 536 numbers of that type,
    each at one place at least.

    Args:
        activation: its knees and whether it is elementwise matter.
        shape: of each tensor.
        dtype: `float16` keeps every value exactly representable in float16, so that the rounding of
            the input itself is not held against a float16 program.
    """
    limits = np.finfo(dtype)
    tail = np.geomspace(GRID_LIMIT, TAIL_LIMITS[dtype], 256)
    largest = np.geomspace(TAIL_LIMITS[dtype], float(limits.max), 64)[1:]
    normal = float(limits.tiny)
    smallest = float(np.nextafter(np.zeros((), dtype), np.ones((), dtype)))
    classes: dict[str, np.ndarray] = {
        "grid": np.linspace(-GRID_LIMIT, GRID_LIMIT, math.prod(shape)),
        "knees": _around(activation.knees, dtype),
        "tails": np.concatenate([-tail[::-1], tail]),
        "infinities": np.array([np.inf, -np.inf]),
        "nan": np.array([np.nan]),
        "zeros": np.array([0.0, -0.0]),
        "subnormals": np.array([smallest, -smallest, normal / 2, -normal / 2, normal, -normal]),
        "largest": np.concatenate([-largest[::-1], largest]),
    }
    if dtype == "float16" and activation.elementwise:
        every = _every_float16()
        if max(map(len, every.values())) <= BATCHES_LIMIT * math.prod(shape):
            classes.update(every)
    lay_out = _tiled if activation.elementwise else _scattered
    found = []
    for name, values in classes.items():
        count = math.ceil(len(values) / math.prod(shape))
        whole = (count * shape[0], *shape[1:]) if shape else ()
        array = lay_out(values, name, whole).astype(dtype).astype("float32")
        found.append(InputClass(name, (array,), name in GATING, count=count))
    return tuple(found)


def _every_float16() -> dict[str, np.ndarray]:
    """All float16 numbers but the zeros and the infinities, by class; each is a float16 array."""
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    every = every[np.argsort(every.astype("float32"), kind="stable")]  # NaN comes last
    size, limits = np.abs(every), np.finfo(np.float16)
    normal = np.isfinite(every) & (size >= limits.tiny)
    return {
        EVERY_FLOAT16: every[normal & (size <= TAIL_LIMITS["float16"])],
        "nan": every[np.isnan(every)],
        "subnormals": every[(size > 0) & (size < limits.tiny)],
        "largest": every[normal & (size > TAIL_LIMITS["float16"])],
    }


def network_inputs(shape: tuple[int, ...], dtype: str) -> tuple[InputClass, ...]:
    """The one input class of a network: a seeded normal batch of `shape`, standard deviation 2."""
    values = np.random.RandomState(0).standard_normal(shape) * 2.0
    return (InputClass("normal", (values.astype(dtype).astype("float32"),), gates=True),)


def _around(knees: tuple[float, ...], dtype: str) -> np.ndarray:
    """Each knee in `dtype` and its neighbours to either side, so many representable numbers away.

    Numbers are half as far apart below a power of two as above it; the steps are the smaller ones.
    """
    points: list[float] = []
    for knee in np.array(knees, dtype):
        size = np.abs(knee)
        step = size - np.nextafter(size, np.zeros((), dtype)) if knee else np.finfo(dtype).eps / 4
        points.extend(knee + sign * n * step for n in _KNEE_STEPS_ULP for sign in (1, -1))
    return np.array(points, dtype)


def _tiled(values: np.ndarray, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """`values` over and over: every channel, and every lane of a vectorised kernel, sees each."""
    return np.resize(values, shape)


def _scattered(values: np.ndarray, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """`values` at some places of a normal batch, where one would else spoil its whole row.

    The grid and the tails are no special values: they fill the tensor in a seeded order.
    """
    random = np.random.RandomState(1)
    if name in ("grid", "tails", "largest"):
        return np.resize(random.permutation(values), shape)
    batch = random.standard_normal(shape)
    places = random.permutation(batch.size)[: batch.size // 32]
    batch.flat[places] = np.resize(values, places.size)
    return batch
