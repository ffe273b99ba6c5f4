"""One module in another's place, with everything that others know it by left as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


def twin(module: nn.Module, kind: type[nn.Module] | None = None, **attributes: Any) -> nn.Module:
    """A module that shares parameters, buffers, submodules and hooks with `module`.

    Args:
        module: the original; it is not changed.
        kind: the class of the twin; the original's where none is given.
        attributes: what the twin has otherwise.
    """
    kind = kind or type(module)
    other = kind.__new__(kind)
    vars(other).update(vars(module))
    vars(other).update(attributes)
    return other


def adopt(form: nn.Module, module: nn.Module) -> nn.Module:
    """`form` itself, now with the parameters, submodules, hooks and mode of `module`."""
    for name in _state():
        vars(form)[name] = vars(module)[name]
    return form


def become(module: nn.Module, other: nn.Module) -> Callable[[], None]:
    """Gives `module` the class and attributes of `other`; returns what takes them back.

    The object stays the same one, so whoever holds it need not be told: parents, shared places,
    lists, hooks' handles, optimizers. Parameters, buffers, submodules, hooks and mode are not
    touched, and what changes there before the undo stays changed.
    """
    kind, mine = type(module), vars(module)
    changed = {name: mine.get(name, _ABSENT) for name in changes(module, other)}
    mine.update(changes(module, other))
    module.__class__ = type(other)

    def undo() -> None:
        module.__class__ = kind
        for name, value in changed.items():
            mine[name] = value
            if value is _ABSENT:
                del mine[name]

    return undo


def put(
    model: nn.Module, module: nn.Module, other: nn.Module
) -> tuple[nn.Module, Callable[[], None]]:
    """`model` with `other` for its submodule `module`, wherever that stands; and the undo.

    What TorchScript compiled cannot be become: it takes the slots, and for `model` itself it is
    what is returned.
    """
    import torch

    if not isinstance(other, torch.jit.ScriptModule):
        return model, become(module, other)
    slots = [
        (parent, name)
        for parent in model.modules()
        for name, child in parent._modules.items()
        if child is module
    ]
    for parent, name in slots:
        setattr(parent, name, other)

    def undo() -> None:
        for parent, name in slots:
            setattr(parent, name, module)

    return (other if module is model else model), undo


_ABSENT = object()


def are_hooks(name: str, value: Any) -> bool:
    """Whether an attribute of a module holds its hooks of one kind."""
    return name.startswith("_") and "_hooks" in name and isinstance(value, dict)


def is_hooked(module: nn.Module) -> bool:
    """Whether anybody hooked into the module itself."""
    return any(value and are_hooks(name, value) for name, value in vars(module).items())


def changes(module: nn.Module, other: nn.Module) -> dict[str, Any]:
    """The plain attributes that `module` lacks, or has otherwise, to be what `other` is."""
    mine, state = vars(module), _state()
    return {
        name: value
        for name, value in vars(other).items()
        if name not in state and mine.get(name, _ABSENT) is not value
    }


def _state() -> dict[str, Any]:
    """What every module has: its parameters, hooks and so on, by the names of the attributes."""
    from torch import nn

    return vars(nn.Module())
