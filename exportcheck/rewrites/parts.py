"""Parts of a model: what each is called with, and each as a subject of its own."""

from __future__ import annotations

import copy
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Iterator, Sequence, Tuple

import numpy as np

from exportcheck.custom.guessing import Guess
from exportcheck.custom.laws import law_of
from exportcheck.custom.module_spec import FLOATS, INTEGERS, InputSpec
from exportcheck.custom.modules import FromModule
from exportcheck.custom.resolving import Resolved
from exportcheck.rewrites.swapping import are_hooks
from exportcheck.subject import Subject, run_eager
from exportcheck.trees import arrays, leaves

if TYPE_CHECKING:
    from torch import nn

_SIDE = 16
_POINTS = 4096


@contextmanager
def quiet(model: nn.Module) -> Iterator[None]:
    """`model` in eval mode and without hooks, modes and hooks back as they were afterwards."""
    import torch

    kept: list[tuple[nn.Module, bool, dict[str, Any]]] = []
    for module in model.modules():
        compiled = isinstance(module, torch.jit.ScriptModule)
        hooks = {} if compiled else {n: v for n, v in vars(module).items() if are_hooks(n, v)}
        kept.append((module, module.training, hooks))
        module.training = False
        vars(module).update({name: type(value)() for name, value in hooks.items()})
    try:
        yield
    finally:
        for module, training, hooks in kept:
            module.training = training
            vars(module).update(hooks)


def bare_copy(module: nn.Module) -> nn.Module:
    """A copy in eval mode on the CPU, without hooks, floats in float32.

    Raises:
        Exception: a module may hold what cannot be copied.
    """
    with quiet(module):
        return copy.deepcopy(module).cpu().float().eval()


def calls(model: nn.Module, example: Sequence[Any]) -> tuple[Any, dict[str, tuple[Any, ...]]]:
    """What `model` returns, and what each of its submodules was first called with, by its path.

    Only calls with positional tensors; no hook but our own runs.
    """
    import torch

    seen: dict[str, tuple[Any, ...]] = {}

    def note(path: str) -> Any:
        def hook(module: nn.Module, given: tuple[Any, ...], named: Any = ()) -> None:
            if path not in seen:
                seen[path] = copies(given) + ((named,) if named else ())

        return hook

    with quiet(model), torch.no_grad():
        for path, module in model.named_modules():
            if not isinstance(module, torch.jit.ScriptModule):
                _register(module, note(path))
        outputs = model(*example)
    usable = {
        path: given
        for path, given in seen.items()
        if given and all(isinstance(x, torch.Tensor) for x in given)
    }
    return outputs, usable


def copies(example: Sequence[Any]) -> tuple[Any, ...]:
    """The example with its tensors copied: a model may write to them."""
    import torch

    return tuple(x.clone() if isinstance(x, torch.Tensor) else x for x in example)


def tensors(outputs: Any) -> list[Any]:
    """The tensors among nested outputs."""
    import torch

    return [leaf for leaf in leaves(outputs) if isinstance(leaf, torch.Tensor)]


def _register(module: nn.Module, hook: Any) -> None:
    try:
        module.register_forward_pre_hook(hook, with_kwargs=True)
    except TypeError:  # it came with PyTorch 2.0; before, keywords go unseen
        module.register_forward_pre_hook(hook)


def part(module: nn.Module, given: Sequence[np.ndarray], *, inside: bool = True) -> Subject:
    """`module`, a bare copy, as a subject that is called with arrays like `given`.

    An elementwise one gets a shape of its own: the rank and channels of `given`, as many points as
    the grid has.

    Args:
        module: in eval mode; every build is a copy.
        given: what it is called with.
        inside: whether it stands inside a model: one that writes to its input then writes to what
            the model computed, and no exporter minds.
    """
    values = tuple(given)
    if len(values) == 1 and values[0].dtype.kind == "f":
        values = _handy(module, values[0])
    specs = tuple(InputSpec(a.shape, str(a.dtype)) for a in values)
    made = fed(module, values) if inside else module
    name = type(module).__name__
    resolved = Resolved(lambda: copy.deepcopy(made), name, ready=True)
    return Subject(FromModule(name, resolved, Guess(specs, ""), values=values))


def _handy(module: nn.Module, values: np.ndarray) -> tuple[np.ndarray, ...]:
    """`values`, those of an elementwise module cut or repeated to a size that tells enough."""
    if not law_of(module, values).elementwise or values.ndim < 2:
        return (values,)
    cut = values[(slice(None), slice(None), *(slice(_SIDE) for _ in values.shape[2:]))]
    size = math.prod(cut.shape)
    batch = max(1, math.ceil(_POINTS * cut.shape[0] / size))
    shape = (batch, *cut.shape[1:])
    try:
        run_eager(module, (np.resize(cut, shape),))
    except Exception:  # it insists on its own size
        return (values,)
    return (np.resize(cut, shape),)


def fed(module: nn.Module, values: tuple[np.ndarray, ...]) -> nn.Module:
    """`module`, behind a copy of its input where it writes to it."""
    import torch
    from torch import nn

    tensors = [torch.from_numpy(array.copy()) for array in values]
    with torch.no_grad():
        copy.deepcopy(module)(*tensors)
    if len(tensors) > 1 or np.array_equal(tensors[0].numpy(), values[0], equal_nan=True):
        return module

    class Copied(nn.Module):
        """Its input, computed."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.clone()

    return nn.Sequential(Copied(), module).eval()


Place = Tuple[str, "nn.Module"]
"""The path of a submodule, and it."""


def places(model: nn.Module) -> tuple[list[Place], list[Place]]:
    """The submodules that hold no others, and those that do, innermost first, `model` last.

    A module that stands in several places comes once. What parametrizations and TorchScript are
    made of is left out.
    """
    import torch

    inner: list[Place] = []
    holders: list[Place] = []
    inside: tuple[str, ...] = ()
    for path, module in model.named_modules():
        if path.startswith(inside) and inside:
            continue
        if isinstance(module, torch.jit.ScriptModule):
            inside += (f"{path}.",)
        (holders if module._modules else inner).append((path, module))
    holders.sort(key=lambda place: -len(place[0].split(".")) if place[0] else 1)
    return inner, holders


def supported(given: Sequence[Any]) -> bool:
    """Whether every tensor is of a type that a subject's inputs may have."""
    return all(str(x.dtype).partition(".")[2] in (*FLOATS, *INTEGERS, "bfloat16") for x in given)


def numpy_of(given: Sequence[Any]) -> tuple[np.ndarray, ...]:
    """Tensors as arrays, floats in float32."""
    found = arrays(tuple(given))
    return tuple(a.astype(np.float32) if a.dtype.kind == "f" else a for a in found)


def example_of(subject: Subject) -> tuple[np.ndarray, ...]:
    """The example of a subject as arrays."""
    return arrays(tuple(subject.example()))
