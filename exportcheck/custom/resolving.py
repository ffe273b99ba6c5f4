"""From a spec to the module it names. Runs a user's code: in a worker only."""

from __future__ import annotations

import ast
import copy
import inspect
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exportcheck.custom.calling import function_module
from exportcheck.custom.importing import assigned_at, defined_at, import_named
from exportcheck.custom.module_spec import ModuleSpec
from exportcheck.errors import BadModule
from exportcheck.escaping import brief
from exportcheck.logs import tidy
from exportcheck.places import place, short
from exportcheck.subject import SEED

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Resolved:
    """What a spec names.

    Attributes:
        make: a new module each time, seeded anew, in eval mode; may raise `BadModule`.
        place: file and line of its constructor, or of the function.
        ready: whether its weights are its own and are not to be touched.
    """

    make: Callable[[], nn.Module]
    place: str
    ready: bool = False


def resolve(spec: ModuleSpec) -> Resolved:
    """The module that `spec` names, with the weights of `spec.state`.

    Raises:
        BadModule: it cannot be imported or is no module; or there are no weights in the file.
    """
    import torch

    found = _named(spec)
    file, _, name = spec.spec.rpartition(":")
    where = defined_at(found) or assigned_at(file, name)
    kwargs = {key: ast.literal_eval(value) for key, value in spec.args}
    if isinstance(found, torch.nn.Module):
        where = assigned_at(file, name)
        if kwargs:
            raise BadModule(f"{where}: {name} is an instance already; --arg is for a class")
        resolved = Resolved(lambda: copy.deepcopy(found).eval(), where, ready=True)
    elif isinstance(found, type) and issubclass(found, torch.autograd.Function):
        resolved = Resolved(lambda: function_module(found.apply, kwargs, len(spec.inputs)), where)
    elif callable(found) and (not isinstance(found, type) or issubclass(found, torch.nn.Module)):
        resolved = Resolved(_maker(found, kwargs, where, spec), where)
    else:
        kind = "a class" if isinstance(found, type) else f"of type {type(found).__name__}"
        raise BadModule(
            f"{where}: {name} is {kind}; an nn.Module (class, instance or factory) or a function "
            "of tensors was expected"
        )
    return _with_state(resolved, spec.state) if spec.state else resolved


def complaint(error: BaseException, where: str, what: str) -> BadModule:
    """`my.py:9: what fails: ValueError: …`, one line, for an exception of the user's code.

    Args:
        error: what it raised.
        where: the line to name where the error passed through none of the user's.
        what: what was tried.
    """
    where = place(error) or where
    text = " ".join(tidy(str(error)).split())
    if isinstance(error, SystemExit):
        return BadModule(f"{where}: {what} calls sys.exit({error.code!r})")
    if "CUDA" in text or "NVIDIA" in text:
        advice = "take the device from the input"
        return BadModule(f"{where}: {what} needs CUDA, which is not here: {advice} ({text})")
    return BadModule(f"{where}: {what} fails: {type(error).__name__}: {text}")


def _named(spec: ModuleSpec) -> Any:
    """The object, by import.

    Raises:
        BadModule: there is no such file, module or name, or the import fails.
    """
    file, _, name = spec.spec.rpartition(":")
    if file.endswith(".py") and not Path(file).is_file():
        raise BadModule(f"{file}: there is no such file")
    try:
        found: Any = import_named(file)
    except (Exception, SystemExit) as error:  # a user's file may raise anything
        absent = isinstance(error, ModuleNotFoundError) and error.name
        if absent and f"{file}.".startswith(f"{absent}."):
            raise BadModule(f"{file}: there is no module {absent!r}") from error
        raise complaint(error, short(file), "the import") from error
    for part in name.split("."):
        if not hasattr(found, part):
            near = get_close_matches(part, [n for n in vars(found) if not n.startswith("_")])
            hint = f"; nearest: {', '.join(near)}" if near else ""
            raise BadModule(f"{short(file)}: there is no {name!r} in it{hint}")
        found = getattr(found, part)
    return found


def _maker(
    found: Callable[..., Any], kwargs: dict[str, Any], where: str, spec: ModuleSpec
) -> Callable[[], nn.Module]:
    """Makes the module of a class, of a factory, or of a function of tensors."""
    import torch

    name = spec.spec.rpartition(":")[2]
    if not isinstance(found, type) and not _may_be_factory(found, kwargs):
        return lambda: function_module(found, kwargs, len(spec.inputs))
    what = f"the constructor of {name}" if isinstance(found, type) else f"{name}()"

    def make() -> nn.Module:
        seed()
        try:
            made = found(**kwargs)
        except (Exception, SystemExit) as error:  # a user's constructor may raise anything
            raise BadModule(f"{complaint(error, where, what)}{_advice(found, kwargs)}") from error
        if isinstance(made, torch.nn.Module):
            return made.eval()
        return function_module(found, kwargs, len(spec.inputs))

    return make


def _advice(found: Callable[..., Any], kwargs: Mapping[str, Any]) -> str:
    """What to say with `--arg`, where arguments are missing or not known."""
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return ""
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    missing = [p.name for p in named if p.default is p.empty and p.name not in kwargs]
    if missing:
        return f"; say {' '.join(f'--arg {name}=…' for name in missing)}"
    if set(kwargs) - {p.name for p in named} and len(named) == len(parameters):
        return f"; it takes {', '.join(p.name for p in named) or 'no arguments'}"
    return ""


def seed() -> None:
    """Makes what is drawn at random the same each time."""
    import numpy as np
    import torch

    random.seed(SEED)
    np.random.seed(SEED)
    torch.manual_seed(SEED)


def _may_be_factory(found: Callable[..., Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether it can be called with nothing but `kwargs`, which a function of tensors cannot."""
    try:
        signature = inspect.signature(found)
        signature.bind(**kwargs)
    except (TypeError, ValueError):
        return False
    # Whoever takes `*tensors` can be called with none, and is seldom a factory.
    return all(p.kind is not p.VAR_POSITIONAL for p in signature.parameters.values())


def _with_state(resolved: Resolved, file: str) -> Resolved:
    """The same with the weights in `file`."""
    weights = _weights(file)

    def make() -> nn.Module:
        module = resolved.make()
        try:
            module.load_state_dict(weights)
        except RuntimeError as error:
            text = " ".join(str(error).split())
            raise BadModule(f"{resolved.place}: --state {file} does not fit: {text}") from error
        return module

    return Resolved(make, resolved.place, ready=True)


def _weights(file: str) -> Mapping[str, Any]:
    """The state_dict in a file, or under the usual keys of a checkpoint.

    Nothing but tensors and plain containers is unpickled: the file may be anybody's.
    """
    import torch

    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and PyTorch each raise errors of their own
        text = " ".join(tidy(str(error)).split())
        other = re.search(r"Unsupported (?:global|class|operand)\S* (?:GLOBAL )?(\S+)", text)
        reason = f"it holds {other[1]}, and code is not loaded" if other else brief(text, 200)
        raise BadModule(
            f"--state {file}: cannot be loaded as weights alone: {reason}; save the weights with "
            "torch.save(module.state_dict(), FILE)"
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict):
        raise BadModule(
            f"--state {file} holds {type(found).__name__} where a dict was expected: a state_dict"
        )
    return found
