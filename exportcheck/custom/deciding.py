"""Where a module's forward decides by its data, which a trace fixes for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exportcheck.places import caller
from exportcheck.trees import leaves

if TYPE_CHECKING:
    from torch import nn

_READ = {
    "__array__",
    "__bool__",
    "__complex__",
    "__contains__",
    "__float__",
    "__index__",
    "__int__",
    "allclose",
    "equal",
    "is_nonzero",
    "item",
    "numpy",
    "tolist",
}
"""What makes a Python value of a tensor's numbers, on which then anything may depend."""


def decided_by_data(module: nn.Module, example: tuple[Any, ...]) -> tuple[str, ...]:
    """The lines that make Python values of what was computed from the inputs, each once.

    In eager PyTorch sizes are plain numbers and not among them, nor is what is read of weights
    alone: an export may well fix those. Nobody sees into a scripted submodule. None are found where
    PyTorch cannot tell what is called, before 2.0.

    Args:
        module: in eval mode; run once.
        example: tensors that it takes.

    Raises:
        Exception: whatever forward raises.
    """
    import torch

    if not hasattr(torch.overrides, "TorchFunctionMode"):
        return ()
    given = tuple(tensor.clone() for tensor in example)
    with torch.no_grad(), _watch(given) as watch:
        module(*given)
    lines: tuple[str, ...] = tuple(dict.fromkeys(watch.lines))
    return lines


def _watch(given: tuple[Any, ...]) -> Any:
    """A mode, on while in a `with`, whose `lines` read numbers that depend on `given`."""
    import torch

    class Watch(torch.overrides.TorchFunctionMode):
        def __init__(self) -> None:
            super().__init__()
            self.lines: list[str] = []
            # By identity, and kept alive: another tensor must not get the same.
            self.dependent = {id(tensor): tensor for tensor in given}

        def __torch_function__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            result = function(*args, **kwargs)
            if any(id(one) in self.dependent for one in leaves((args, kwargs))):
                name = getattr(function, "__name__", "")
                if name in _READ:
                    self.lines.append(caller() or "PyTorch's own code")
                written = args[:1] if name == "__setitem__" or _in_place(name) else ()
                changed = leaves((result, written, kwargs.get("out")))
                self.dependent.update((id(t), t) for t in changed if isinstance(t, torch.Tensor))
            return result

    return Watch()


def _in_place(name: str) -> bool:
    return name.endswith("_") and not name.endswith("__")
