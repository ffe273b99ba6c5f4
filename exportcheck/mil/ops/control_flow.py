"""Constants, choices, loops and lists of tensors.

Source: `iOS15/control_flow.py` in coremltools 9.0, converters/mil/mil/ops/defs, whose docstrings
are the operators' specification; what a list holds before it is written to is what
`tests/iOS14/test_control_flow.py` beside it expects.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Sequence

import numpy as np

from exportcheck.mil import ir
from exportcheck.mil.evaluator import Context
from exportcheck.mil.registry import op

Array = np.ndarray


@op
def const(val: Any) -> Any:
    """`val` as it stands in the program or its weight file."""
    return val


@op
def select(cond: Array, a: Array, b: Array) -> Array:
    """`a` where `cond` holds, else `b`, all broadcast together; NaN on the other side is gone."""
    return np.where(cond, a, b)


@op(name="cond")
def cond_(pred: Array, context: Context) -> tuple[Any, ...]:
    """The outputs of the first block if `pred` holds, else of the second; only that one runs."""
    if_true, if_false = context.blocks
    return context.run(if_true if pred.item() else if_false)


@op(variadic=["loop_vars"])
def while_loop(loop_vars: tuple[Any, ...], context: Context) -> tuple[Any, ...]:
    """body(body(... loop_vars)) for as long as cond(loop_vars) holds, perhaps not once.

    A condition that always holds never returns.
    """
    condition, body = context.blocks
    while context.run(condition, loop_vars)[0].item():
        loop_vars = context.run(body, loop_vars)
    return loop_vars


@dataclass(frozen=True)
class TensorList:
    """A list as a value: writing gives a new one.

    Attributes:
        elements: the tensors in order.
        blank: what an element is before it is written; None where the program leaves its shape
            open, and then only a written element can be read.
        grows: whether writing past the end makes it longer.
    """

    elements: tuple[Array | None, ...]
    blank: Array | None
    grows: bool

    def read(self, index: int) -> Array:
        """The element at `index`."""
        if not 0 <= index < len(self.elements):
            raise IndexError(f"index {index} in a list of length {len(self.elements)}")
        element = self.elements[index]
        if element is None:
            raise ValueError(f"element {index} of the list has not been written, so has no shape")
        return element

    def written(self, indices: Sequence[int], values: Sequence[Array]) -> TensorList:
        """This list with `values` at `indices`, in order, longer where they need it."""
        length = max((len(self.elements), *(index + 1 for index in indices)))
        if min(indices, default=0) < 0 or (length > len(self.elements) and not self.grows):
            raise IndexError(f"indices {indices} in a list of fixed length {len(self.elements)}")
        elements = [*self.elements] + [self.blank] * (length - len(self.elements))
        for index, value in zip(indices, values):
            elements[index] = value
        return replace(self, elements=tuple(elements))


@op(variadic=["elem_shape"])
def make_list(
    elem_shape: tuple[Array | str, ...] = (),
    init_length: int | Array = 1,
    dynamic_length: bool | Array = True,
    dtype: str = "fp32",
) -> TensorList:
    """`init_length` zero tensors of shape `elem_shape`; a size that is a name is not known yet."""
    sizes = [int(size) for size in elem_shape if not isinstance(size, str)]
    named = len(sizes) < len(elem_shape)
    blank = None if named else np.zeros(sizes, ir.NUMPY_DTYPES[dtype])
    return TensorList((blank,) * int(init_length), blank, bool(dynamic_length))


@op
def list_length(ls: TensorList) -> Array:
    """How many elements `ls` has now."""
    return np.array(len(ls.elements))


@op
def list_read(ls: TensorList, index: Array) -> Array:
    """ls[index]; zeros where nothing was written. An index outside is an error."""
    return ls.read(index.item())


@op
def list_write(ls: TensorList, index: Array, value: Array) -> TensorList:
    """`ls` with ls[index] = value; a list of dynamic length grows to hold it, zeros between."""
    return ls.written([index.item()], [value])


@op
def list_gather(ls: TensorList, indices: Array) -> Array:
    """[ls[i] for i in indices] as one tensor, the indices' axis first."""
    if not indices.size and ls.blank is not None:
        return np.zeros((0, *ls.blank.shape), ls.blank.dtype)
    return np.stack([ls.read(index) for index in indices.tolist()])


@op
def list_scatter(ls: TensorList, indices: Array, value: Array) -> TensorList:
    """`ls` with ls[indices[k]] = value[k]; of indices that repeat the last counts."""
    return ls.written(indices.tolist(), list(value))
