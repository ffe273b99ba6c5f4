"""What a module returns, however nested, as a row of arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def leaves(tree: Any) -> Iterator[Any]:
    """The leaves of nested tuples, lists, mappings and dataclasses, in their own order.

    Exporters flatten in the same order: a mapping's keys as they were inserted, `None` nowhere.
    """
    if isinstance(tree, Mapping):
        children: Any = tree.values()
    elif isinstance(tree, (tuple, list)):
        children = tree
    elif is_dataclass(tree) and not isinstance(tree, type):
        children = [getattr(tree, field.name) for field in fields(tree)]
    else:
        if tree is not None:
            yield tree
        return
    for child in children:
        yield from leaves(child)


def arrays(outputs: Any) -> tuple[np.ndarray, ...]:
    """The tensors among the leaves as NumPy arrays; what is no tensor is left out.

    NumPy has no bfloat16, so that becomes float32; a complex number becomes two real ones.
    """
    import torch

    return tuple(_array(leaf) for leaf in leaves(outputs) if isinstance(leaf, torch.Tensor))


def _array(tensor: Any) -> np.ndarray:
    import torch

    tensor = tensor.detach().cpu()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    if tensor.dtype is torch.bfloat16:
        tensor = tensor.float()
    array: np.ndarray = tensor.numpy()
    return array
