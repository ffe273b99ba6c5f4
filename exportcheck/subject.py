"""What is checked: an activation in a network, its inputs and what eager PyTorch makes of them."""

from __future__ import annotations

import copy
import importlib
import inspect
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Dict, Tuple

from exportcheck import inputs, networks
from exportcheck.catalog import Activation
from exportcheck.errors import Unavailable

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

SEED = 0


@dataclass(frozen=True)
class Expected:
    """Eager PyTorch's answer to one input class: outputs, and the same computed in float64."""

    outputs: Tuple[np.ndarray, ...]
    truth: Tuple[np.ndarray, ...]


class Subject:
    """An activation in a network.

    Every `build` returns the same weights, and a new module each time: exporters may change the one
    they are given.
    """

    def __init__(self, activation: Activation, network: str) -> None:
        self.activation = activation
        self.network = network
        self._inputs: Dict[str, Tuple[inputs.InputClass, ...]] = {}
        self._expected: Dict[str, Dict[str, Expected]] = {}

    def build(self) -> nn.Module:
        """The network in eval mode, seeded.

        Raises:
            Unavailable: this PyTorch has no such class, or one without such an argument.
        """
        import torch

        torch.manual_seed(SEED)
        activation = self._activation()
        module = networks.NETWORKS[self.network](activation)
        networks.randomise(module)
        return module.eval()

    def _activation(self) -> nn.Module:
        path, kwargs = self.activation.module, self.activation.kwargs
        factory = import_object(path)
        unknown = set(kwargs) - set(inspect.signature(factory).parameters)
        if unknown:
            raise Unavailable(f"{path} of this version takes no {', '.join(sorted(unknown))}")
        return factory(**kwargs)

    @property
    def elementwise(self) -> bool:
        """Whether each output depends on the input at the same place only."""
        return self.network == "bare" and self.activation.elementwise

    @property
    def changes_its_input(self) -> bool:
        """Whether the module writes to the tensor it is given, as in-place ones do."""
        import torch

        given = self.example()
        before = [tensor.clone() for tensor in given]
        with torch.no_grad():
            self.build()(*given)
        return any(not torch.equal(a, b) for a, b in zip(given, before))

    def inputs(self, dtype: str) -> Tuple[inputs.InputClass, ...]:
        """The input classes for programs that compute in `dtype`."""
        if dtype not in self._inputs:
            shape = networks.EXAMPLE_SHAPES[self.network]
            self._inputs[dtype] = (
                inputs.bare_inputs(self.activation, shape, dtype)
                if self.network == "bare"
                else inputs.network_inputs(shape, dtype)
            )
        return self._inputs[dtype]

    def example(self) -> Tuple[Any, ...]:
        """The tensors to export with: a batch of ordinary numbers."""
        import torch

        shape = networks.EXAMPLE_SHAPES[self.network]
        return (torch.from_numpy(inputs.network_inputs(shape, "float32")[0].values),)

    def expected(self, dtype: str) -> Dict[str, Expected]:
        """Eager's answers by input class. Inputs are cloned, for in-place modules change them."""
        if dtype not in self._expected:
            module = self.build()
            wide = copy.deepcopy(module).double()
            self._expected[dtype] = {
                c.name: Expected(
                    run_eager(module, c.values), run_eager(wide, c.values, double=True)
                )
                for c in self.inputs(dtype)
            }
        return self._expected[dtype]


@lru_cache(maxsize=8)
def subject(name: str, network: str) -> Subject:
    """The subject of a case; the last few are kept, since cases of one follow each other.

    Raises:
        Unavailable: the catalogue of this version has no such activation.
    """
    from exportcheck.catalog import activations

    if name not in activations():
        raise Unavailable(f"no activation {name!r} in this catalogue")
    return Subject(activations()[name], network)


def run_eager(
    module: nn.Module, values: np.ndarray, double: bool = False
) -> Tuple[np.ndarray, ...]:
    """The outputs of `module` for a copy of `values`, which are widened to float64 on demand."""
    import torch

    tensor = torch.from_numpy(values.copy())
    with torch.no_grad():
        outputs = module(tensor.double() if double else tensor)
    outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    return tuple(output.numpy() for output in outputs)


def import_object(path: str) -> Any:
    """The object at dotted `path`.

    Raises:
        Unavailable: this version of its package does not have it.
    """
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except AttributeError as error:
        raise Unavailable(f"this version of {module} has no {name}") from error
