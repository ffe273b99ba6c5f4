"""What is checked: an activation in a network, its inputs and what eager PyTorch makes of them."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any, Protocol

from exportcheck import inputs, networks, trees
from exportcheck.catalog import Activation
from exportcheck.custom.deciding import decided_by_data
from exportcheck.errors import Unavailable

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from exportcheck.targets import Target

SEED = 0


@dataclass(frozen=True)
class Expected:
    """Eager PyTorch's answer to one input class: outputs, and the same computed in float64.

    There is no truth, but `None` for each output, where a module insists on float32.
    """

    outputs: tuple[np.ndarray, ...]
    truth: tuple[np.ndarray | None, ...]


class Source(Protocol):
    """Where a subject comes from: the catalogue, or a user's module.

    Attributes:
        name: of the activation or module.
        family: which it belongs to.
        network: what it stands in.
        elementwise: whether each output depends on the one input at the same place only.
    """

    @property
    def name(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def network(self) -> str: ...
    @property
    def elementwise(self) -> bool: ...

    def build(self) -> nn.Module:
        """A new module in eval mode, always with the same weights."""

    def inputs(self, dtype: str) -> tuple[inputs.InputClass, ...]:
        """The input classes for programs that compute in `dtype`."""

    def example(self) -> tuple[Any, ...]:
        """The tensors to export with."""


class Subject:
    """What is checked, with eager's answers, computed once.

    Every `build` returns the same weights, and a new module each time: exporters may change the one
    they are given.

    Attributes:
        is_module: whether it is somebody's module, of any depth, and none of the catalogue.
        dynamic: the axes of its inputs whose size may change after the export.
    """

    def __init__(self, source: Source) -> None:
        self.name = source.name
        self.family = source.family
        self.network = source.network
        self.elementwise = source.elementwise
        self.is_module: bool = getattr(source, "is_module", False)
        self.dynamic: tuple[int, ...] = getattr(source, "dynamic", ())
        self.build = source.build
        self.example = source.example
        self._source = source
        self._inputs: dict[str, tuple[inputs.InputClass, ...]] = {}
        self._expected: dict[str, dict[str, Expected]] = {}

    @property
    def changes_its_input(self) -> bool:
        """Whether the module writes to the tensors it is given, as in-place ones do."""
        return writes_to_its_input(self.build(), self.example())

    @property
    def place(self) -> str:
        """File and line of a user's module; empty for the catalogue's."""
        return getattr(self._source, "place", "")

    @cached_property
    def decisions(self) -> tuple[str, ...]:
        """The lines where a user's forward decides by its data; none for the catalogue's."""
        return decided_by_data(self.build(), self.example()) if self.is_module else ()

    def exported(self, target: Target) -> Any:
        """What `target` makes of it."""
        options = {"dynamic": self.dynamic} if self.dynamic else {}
        return target.export(self.build(), self.example(), **options)

    def inputs(self, dtype: str) -> tuple[inputs.InputClass, ...]:
        """The input classes for programs that compute in `dtype`."""
        if dtype not in self._inputs:
            self._inputs[dtype] = self._source.inputs(dtype)
        return self._inputs[dtype]

    def expected(self, dtype: str) -> dict[str, Expected]:
        """Eager's answers by input class. Inputs are cloned, for in-place modules change them."""
        if dtype not in self._expected:
            module, wide = self.build(), self.build().double()
            self._expected[dtype] = {c.name: _answered(module, wide, c) for c in self.inputs(dtype)}
        return self._expected[dtype]


def _answered(module: nn.Module, wide: nn.Module, given: inputs.InputClass) -> Expected:
    outputs = given.through(partial(run_eager, module))
    try:
        truth = given.through(partial(run_eager, wide, double=True))
    except Exception:  # whoever makes a float32 tensor in forward cannot be run in float64
        truth = ()
    known = [t.shape for t in truth] == [o.shape for o in outputs]
    return Expected(outputs, truth if known else (None,) * len(outputs))


@dataclass(frozen=True)
class FromCatalogue:
    """An activation of the catalogue in one of the networks, weights seeded."""

    activation: Activation
    network: str

    @property
    def name(self) -> str:
        """The activation's name."""
        return self.activation.name

    @property
    def family(self) -> str:
        """The activation's family."""
        return self.activation.family

    @property
    def elementwise(self) -> bool:
        """True for a bare elementwise activation; layers mix their inputs."""
        return self.network == "bare" and self.activation.elementwise

    def build(self) -> nn.Module:
        """The network.

        Raises:
            Unavailable: this PyTorch has no such class, or one without such an argument.
        """
        import torch

        if self.activation.unavailable:
            raise Unavailable(self.activation.unavailable)
        torch.manual_seed(SEED)
        path, kwargs = self.activation.module, self.activation.kwargs
        factory = import_object(path)
        unknown = set(kwargs) - set(inspect.signature(factory).parameters)
        if unknown:
            raise Unavailable(f"{path} of this version takes no {', '.join(sorted(unknown))}")
        module = networks.NETWORKS[self.network](factory(**kwargs))
        networks.randomise(module)
        return module.eval()

    def inputs(self, dtype: str) -> tuple[inputs.InputClass, ...]:
        """Grid, knees, tails and special values for a bare activation, else a seeded batch."""
        shape = networks.EXAMPLE_SHAPES[self.network]
        if self.network == "bare":
            return inputs.bare_inputs(self.activation, shape, dtype)
        return inputs.network_inputs(shape, dtype)

    def example(self) -> tuple[Any, ...]:
        """A batch of ordinary numbers."""
        import torch

        shape = networks.EXAMPLE_SHAPES[self.network]
        return tuple(map(torch.from_numpy, inputs.network_inputs(shape, "float32")[0].arrays))


@lru_cache(maxsize=8)
def subject(name: str, network: str) -> Subject:
    """The subject of a case; the last few are kept, since cases of one follow each other.

    Raises:
        Unavailable: the catalogue of this version has no such activation.
    """
    from exportcheck.catalog import activations

    if name not in activations():
        raise Unavailable(f"no activation {name!r} in this catalogue")
    return Subject(FromCatalogue(activations()[name], network))


def run_eager(
    module: nn.Module, arrays: tuple[np.ndarray, ...], double: bool = False
) -> tuple[np.ndarray, ...]:
    """The outputs of `module` for copies of `arrays`, floats widened to float64 on demand."""
    import torch

    tensors = [torch.from_numpy(array.copy()) for array in arrays]
    if double:
        tensors = [t.double() if t.is_floating_point() else t for t in tensors]
    with torch.no_grad():
        return trees.arrays(module(*tensors))


def writes_to_its_input(module: nn.Module, given: tuple[Any, ...]) -> bool:
    """Whether `module` leaves other numbers in the tensors that it is given."""
    import torch

    tensors = [tensor.clone() for tensor in given]
    with torch.no_grad():
        module(*tensors)
    # NaN, which is equal to nothing, stays NaN.
    return any(bool(((a != b) & ((a == a) | (b == b))).any()) for a, b in zip(tensors, given))


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
