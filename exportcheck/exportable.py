"""Makes a whole model exportable in place: what fails is swapped for a form that was proved."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Callable, Iterator, Sequence

import numpy as np

from exportcheck.compare import compare, tolerance_for
from exportcheck.custom.guessing import guess, sample
from exportcheck.errors import UsageError
from exportcheck.judge import described, verdict
from exportcheck.rewrites.choosing import Choice, choose, renewed
from exportcheck.rewrites.interface import Candidate, Refuted, Rewrite
from exportcheck.rewrites.parts import (
    bare_copy,
    calls,
    copies,
    example_of,
    fed,
    numpy_of,
    part,
    places,
    supported,
    tensors,
)
from exportcheck.rewrites.rules import candidates
from exportcheck.rewrites.swapping import become
from exportcheck.rewrites.trying import Swapped, failures
from exportcheck.targets import targets as known_targets
from exportcheck.trees import arrays

if TYPE_CHECKING:
    from torch import nn


@dataclass
class Swaps:
    """What was swapped in a model; in a `with` it is undone at the end.

    Attributes:
        rewrites: what was replaced, each with its path, its proof, and the code to paste.
        refuted: what was tried and is not the original, or does not help.
    """

    rewrites: tuple[Rewrite, ...] = ()
    refuted: tuple[Refuted, ...] = ()
    _undos: list[Callable[[], None]] = field(default_factory=list, repr=False)

    def undo(self) -> None:
        """Puts back what stood there before; a second time it does nothing."""
        while self._undos:
            self._undos.pop()()

    def __enter__(self) -> Swaps:
        return self

    def __exit__(self, *error: object) -> None:
        self.undo()

    def __iter__(self) -> Iterator[Rewrite]:
        return iter(self.rewrites)

    def __len__(self) -> int:
        return len(self.rewrites)


def make_exportable(
    model: nn.Module, *, targets: Sequence[str] | str, example_inputs: Any = None
) -> Swaps:
    """Swaps, in place, each submodule that fails on one of `targets` for a form that was proved.

    A submodule is tried alone: exported, saved, loaded, run and compared, once for each class with
    the same arguments (and weights, where it holds no other modules). Whatever passes is left as it
    is, and whatever nothing is proved for. What is swapped stays the same object with the same
    parameters, hooks, mode, device and names; its class and its plain attributes are others. A
    submodule that stands in several places is swapped once. In the end the outputs of the whole
    model are compared with those before, where there are example inputs, and a swap that changes
    them is taken back. The model itself is not exported: check it afterwards. Undo the swaps before
    pickling the model: a rewritten class cannot be imported, its state_dict needs none.

    Args:
        model: any module, in training or eval mode, on any device.
        targets: names or patterns such as `onnx-*`, or one of them.
        example_inputs: a tensor or a tuple of them. Without, submodules are tried on NCHW, (N, C)
            and (N, L, C), and the whole is not compared.

    Raises:
        UsageError: there is no such target, or the model does not take the example inputs.
    """
    names = _names(targets)
    example = _tuple_of(example_inputs)
    with _unheard():
        return _Swapping(model, names, example).run()


def _names(patterns: Sequence[str] | str) -> tuple[str, ...]:
    known = known_targets()
    patterns = [patterns] if isinstance(patterns, str) else patterns
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise UsageError(f"no target {pattern!r}; there are: {', '.join(known)}")
    return tuple(name for name in known if any(fnmatchcase(name, p) for p in patterns))


def _tuple_of(example: Any) -> tuple[Any, ...] | None:
    if example is None or isinstance(example, tuple):
        return example
    return tuple(example) if isinstance(example, list) else (example,)


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Exporters print, from C++ too; none of it is the caller's business."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()
    hole = os.open(os.devnull, os.O_WRONLY)
    kept = [(number, os.dup(number)) for number in (1, 2) if _is_open(number)]
    try:
        for number, _ in kept:
            os.dup2(hole, number)
        yield
    finally:
        for number, copy in kept:
            os.dup2(copy, number)
            os.close(copy)
        os.close(hole)


def _is_open(number: int) -> bool:
    """Whether there is such a stream; a process without a terminal may have none."""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


@dataclass
class _Swap:
    """A submodule that is another one now."""

    module: nn.Module
    choice: Choice
    rewrite: Rewrite
    undo: Callable[[], None]

    def redo(self) -> None:
        self.undo = become(self.module, renewed(self.choice.candidate, self.module).module)


class _Swapping:
    """A model under way."""

    def __init__(
        self, model: nn.Module, names: tuple[str, ...], example: tuple[Any, ...] | None
    ) -> None:
        self.model = model
        self.names = names
        self.example = example
        self.before: Any = None
        self.given: dict[str, tuple[Any, ...]] = {}
        self.refuted: list[Refuted] = []
        self.decided: dict[Any, Choice | None] = {}

    def run(self) -> Swaps:
        """Looks at every place, then at the whole.

        Raises:
            UsageError: the model does not take the example inputs.
        """
        if self.example is not None:
            try:
                self.before, self.given = calls(self.model, copies(self.example))
            except Exception as error:  # a user's model may raise anything
                text = described(error).splitlines()[0]
                raise UsageError(f"the model does not take the example inputs: {text}") from error
        swaps: list[_Swap] = []
        inner, holders = places(self.model)
        for path, module in inner + holders:
            choice = self._decided(path, module)
            if choice is not None:
                rewrite = choice.rewrite(self.model, choice.fixed)
                swaps.append(_Swap(module, choice, rewrite, lambda: None))
                swaps[-1].redo()
        if self._change():
            swaps = list(self._harmless(swaps))
        rewrites = tuple(swap.rewrite for swap in swaps)
        return Swaps(rewrites, tuple(self.refuted), [swap.undo for swap in swaps])

    def _harmless(self, swaps: list[_Swap]) -> Iterator[_Swap]:
        """Takes all back and makes one after the other, those that change the whole excepted."""
        for swap in reversed(swaps):
            swap.undo()
        for swap in swaps:
            swap.redo()
            change = self._change()
            if not change:
                yield swap
                continue
            swap.undo()
            why = f"alone it is equal, but the whole model changes: {change}"
            self.refuted.append(Refuted(swap.choice.path, swap.choice.candidate.replacement, why))

    def _change(self) -> str:
        """How the outputs of the model differ from those before; empty where they do not."""
        if self.example is None:
            return ""
        try:
            now, _ = calls(self.model, copies(self.example))
        except Exception as error:  # a swap may break what stands around it
            return described(error).splitlines()[0]
        narrow = any(x.dtype.itemsize < 4 for x in tensors(self.before) if x.is_floating_point())
        tolerance = tolerance_for("float16" if narrow else "float32", "network")
        one, other = arrays(self.before), arrays(now)
        if len(one) != len(other):
            return f"{len(other)} outputs for {len(one)}"
        results = {
            f"output {n}": compare(b, a, tolerance) for n, (a, b) in enumerate(zip(one, other))
        }
        return verdict(results)[1]

    def _decided(self, path: str, module: nn.Module) -> Choice | None:
        """What to put at `path`; decided once for all that are alike."""
        if next(_for_good(module), None) is None:
            return None
        key = self._key(path, module)
        if key not in self.decided:
            self.decided[key] = self._choice(path, module)
        choice = self.decided[key]
        if choice is None:
            return None
        if module.training and not choice.proof.when_training:
            why = "in training the two differ, and the model is in training mode; say eval() first"
            self.refuted.append(Refuted(path, choice.candidate.replacement, why))
            return None
        return replace(choice, path=path)

    def _key(self, path: str, module: nn.Module) -> Any:
        """Equal for modules of the same class, arguments and, for those without others, weights.

        What holds others is told by the shapes of its weights: its own `forward` is at stake.
        """
        plain = {n: v for n, v in vars(module).items() if isinstance(v, _PLAIN)}
        weights = module.state_dict()
        told = [(name, tuple(value.shape)) for name, value in weights.items()]
        given = [(x.dim(), str(x.dtype), tuple(x.shape[1:2])) for x in self.given.get(path, ())]
        if module._modules:
            return type(module), repr(plain), repr(told), len(given)
        digest = hashlib.sha256()
        for value in weights.values():
            digest.update(np.ascontiguousarray(value.detach().float().cpu().numpy()).tobytes())
        return type(module), repr(plain), repr(told), repr(given), digest.hexdigest()

    def _choice(self, path: str, module: nn.Module) -> Choice | None:
        try:
            bare = bare_copy(module)
            subject = part(bare, self._inputs(path, bare), inside=bool(path))
        except Exception:  # what cannot be copied, or called alone, stays as it is
            return None
        failed = tuple(failures(subject, self.names))
        if not failed:
            return None
        given = example_of(subject)
        choice, refuted = choose(
            path,
            bare,
            subject,
            failed,
            lambda other: Swapped(subject, fed(other, given) if path else other),
            options=_for_good(bare),
        )
        self.refuted += refuted
        return choice

    def _inputs(self, path: str, module: nn.Module) -> tuple[np.ndarray, ...]:
        """What the submodule is called with, or takes.

        Raises:
            LookupError: it is called with what no subject takes.
            BadModule: it takes none of the usual shapes.
        """
        if path not in self.given:
            return tuple(sample(spec) for spec in guess(module, path).inputs)
        if not supported(self.given[path]):
            raise LookupError(path)
        return numpy_of(self.given[path])


_PLAIN = (bool, int, float, complex, str, bytes, tuple, list, type(None))


def _for_good(module: nn.Module) -> Iterator[Candidate]:
    """The candidates that a module can become in place; TorchScript's are objects of their own."""
    import torch

    for candidate in candidates(module):
        if not isinstance(candidate.module, torch.jit.ScriptModule):
            yield candidate
