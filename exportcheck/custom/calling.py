"""How a module is called: functions made modules, keyword inputs made positional ones."""

from __future__ import annotations

import dataclasses
import inspect
import linecache
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from exportcheck.custom.module_spec import InputSpec
from exportcheck.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def positional(function: Callable[..., Any], *, required: bool = False) -> list[str]:
    """The names of the positional parameters; none where the signature is not known.

    Args:
        function: asked of.
        required: only those without a default.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [
        p.name
        for p in parameters
        if p.kind in _POSITIONAL and not (required and p.default is not p.empty)
    ]


def named_arguments(function: Callable[..., Any]) -> list[str] | None:
    """The names that a function may be called by; None where any will do, or nobody knows."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.POSITIONAL_ONLY)]


def function_module(
    function: Callable[..., Any], bound: Mapping[str, Any], given: int = 0
) -> nn.Module:
    """A module whose forward calls a function of tensors.

    Args:
        function: takes and returns tensors.
        bound: its arguments that are no tensors, by name.
        given: how many tensors there are; as many as it demands, or one, when 0.
    """
    free = [name for name in positional(function) if name not in bound]
    demanded = [name for name in positional(function, required=True) if name not in bound]
    count = given or len(demanded) or 1
    names = (free + [f"x{index}" for index in range(len(free), count)])[:count]
    call = [*names, *(f"{k}={v!r}" for k, v in bound.items())]
    owner = getattr(function, "__self__", None)
    if isinstance(owner, type):  # the `apply` of an autograd.Function
        name = f"{owner.__name__}.{function.__name__}"
        return _spelt_out(name, names, call, {owner.__name__: owner})
    name = getattr(function, "__name__", "")
    name = name if name.isidentifier() and name not in names else "function"
    return _spelt_out(name, names, call, {name: function})


def arranged(inputs: Sequence[InputSpec], module: nn.Module) -> tuple[InputSpec, ...]:
    """The inputs in the order of forward's parameters, unnamed where the position says enough."""
    names = positional(module.forward)
    unnamed = [one for one in inputs if not one.name]
    placed = dict(enumerate(unnamed))
    for one in inputs:
        if one.name in names:
            placed[names.index(one.name)] = one
    if sorted(placed) == list(range(len(inputs))):
        return tuple(dataclasses.replace(placed[k], name="") for k in range(len(inputs)))
    return (*unnamed, *(one for one in inputs if one.name))


def with_keywords(module: nn.Module, inputs: Sequence[InputSpec]) -> nn.Module:
    """A module that passes its positional inputs on by name; `module` itself where none has one."""
    if not any(one.name for one in inputs):
        return module
    names = [one.name or f"x{index}" for index, one in enumerate(inputs)]
    call = [f"{n}={n}" if one.name else n for n, one in zip(names, inputs)]
    wrapped = _spelt_out("self.module", names, call, {})
    wrapped.module = module
    return wrapped.eval()


def with_structure(
    module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[nn.Module, list[Any]]:
    """A module of positional tensors alone, and those tensors, for a call of any structure.

    `module` itself where the call has no other: tensors in nested tuples, lists and dictionaries
    become inputs of their own, everything else becomes part of the call.

    Args:
        module: what is called.
        args: its positional arguments.
        kwargs: its keyword arguments.

    Raises:
        UsageError: an argument is neither a tensor nor something that can be written down.
    """
    import torch

    names = positional(module.forward)
    while kwargs and len(args) < len(names) and names[len(args)] in kwargs:
        args = (*args, kwargs[names[len(args)]])
        kwargs = {k: v for k, v in kwargs.items() if k != names[len(args) - 1]}
    if not kwargs and all(isinstance(arg, torch.Tensor) for arg in args):
        return module, list(args)
    tensors: list[Any] = []
    call = [_written(arg, tensors) for arg in args]
    call += [f"{name}={_written(arg, tensors)}" for name, arg in kwargs.items()]
    wrapped = _spelt_out("self.module", [f"x{k}" for k in range(len(tensors))], call, {})
    wrapped.module = module
    return wrapped, tensors


def _written(value: Any, tensors: list[Any]) -> str:
    """The expression for a value, its tensors added to `tensors` and called `x0`, `x1`, …."""
    import torch

    if isinstance(value, torch.Tensor):
        tensors.append(value)
        return f"x{len(tensors) - 1}"
    if type(value) in (tuple, list):
        inside = "".join(f"{_written(one, tensors)}, " for one in value)
        return f"({inside})" if isinstance(value, tuple) else f"[{inside}]"
    if type(value) is dict and all(isinstance(key, str) for key in value):
        return f"{{{', '.join(f'{k!r}: {_written(v, tensors)}' for k, v in value.items())}}}"
    if value is None or type(value) in (bool, int, float, str):
        return repr(value)
    raise UsageError(
        f"example_inputs holds {type(value).__name__}; tensors, numbers, strings, None, and "
        "tuples, lists and dictionaries of those were expected"
    )


def _spelt_out(
    called: str, names: Sequence[str], call: Sequence[str], scope: dict[str, Any]
) -> nn.Module:
    """A module whose forward is written down for these names and this call.

    `torch.jit.script` wants a fixed number of arguments and the source of `forward`.
    """
    from torch import nn

    lines = (
        f"def forward({', '.join(['self', *names])}):\n",
        f"    return {called}({', '.join(call)})\n",
    )
    file = f"<{called}({', '.join(call)})>"
    linecache.cache[file] = (sum(map(len, lines)), None, list(lines), file)
    exec(compile("".join(lines), file, "exec"), scope)
    # Named for the function, since people read the name of what has another form.
    name = called.rpartition(".")[2] if "self." not in called else "Calling"
    kind = type(name, (nn.Module,), {"forward": scope["forward"]})
    module: nn.Module = kind()
    return module.eval()


def is_call(module: nn.Module) -> bool:
    """Whether a module was made here, of a function or around another module."""
    return type(module).__module__ == __name__
