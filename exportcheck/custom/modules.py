"""A user's module as a subject: built from its spec, its inputs given or guessed."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Callable

import numpy as np

from exportcheck import inputs, networks
from exportcheck.custom.calling import arranged, named_arguments, with_keywords
from exportcheck.custom.guessing import Guess, call, guess, sample
from exportcheck.custom.importing import defined_at
from exportcheck.custom.laws import Law, law_of
from exportcheck.custom.module_inputs import large_and_negative, odd, of_law, refuse_vain, resized
from exportcheck.custom.module_spec import TRACING, InputSpec, ModuleSpec
from exportcheck.custom.resolving import Resolved, resolve, seed
from exportcheck.custom.unsettling import unsettle
from exportcheck.errors import BadModule
from exportcheck.inputs import InputClass
from exportcheck.subject import Subject

if TYPE_CHECKING:
    from torch import nn

Announce = Callable[[str, str], None]
"""Is told, before user code runs, what runs and at which file and line it begins."""

NOTES_LIMIT = 1_000_000
"""A module of more parameters is not run on `odd` inputs: a note is not worth minutes."""


class FromModule:
    """A user's module in a network, weights seeded unless they are its own.

    Attributes:
        name: of the spec.
        network: what it stands in.
        resolved: makes the module and knows where it is defined.
        given: the inputs of the module, and how they were found.
        dynamic: the axes whose size may change.
        values: the example itself where the caller gave one.
        moved: the names of parameters and statistics that were moved apart, once it is built.
        traced: whether it may be traced, to find where its law changes.

    Raises:
        BadModule: the inputs have no elements, or none has one of the axes.
    """

    is_module = True

    def __init__(
        self,
        name: str,
        resolved: Resolved,
        given: Guess,
        network: str = "bare",
        dynamic: tuple[int, ...] = (),
        values: tuple[np.ndarray, ...] = (),
        *,
        traced: bool = True,
    ) -> None:
        self.name = self.family = name
        self.network = network
        self.resolved = resolved
        self.given = given
        self.dynamic = dynamic
        self.values = values
        refuse_vain(given.inputs, dynamic)
        self.moved: tuple[str, ...] = ()
        self.traced = traced
        self._template: nn.Module | None = None

    @property
    def elementwise(self) -> bool:
        """Whether each output depends on the input at the same place only, found by trying."""
        return self.network == "bare" and self.law.elementwise

    def build(self) -> nn.Module:
        """A new module in eval mode, always with the same weights.

        Parameters whose elements the constructor leaves all alike are moved apart a little, or an
        exporter that mixes channels up would go unseen. A single number is what its author meant,
        and an instance's own weights are never touched.
        """
        if self._template is None:
            self._template = self._made()
        try:
            return copy.deepcopy(self._template)
        except Exception:  # some modules cannot be copied; made anew they are the same
            return self._made()

    def _made(self) -> nn.Module:
        import torch

        module = self.resolved.make()
        seed()
        if not self.resolved.ready:
            self.moved = tuple(unsettle(module))
        module = with_keywords(module, self.given.inputs)
        if self.network != "bare":
            module = networks.NETWORKS[self.network](module)
            networks.randomise(module)
        dtypes = {one.dtype for one in self.given.inputs if one.floating} - {"float32"}
        if len(dtypes) == 1:
            module = module.to(getattr(torch, dtypes.pop()))
        return module.eval()

    @cached_property
    def law(self) -> Law:
        """What its inputs mean, found by trying it."""
        specs = self.given.inputs
        if self.network != "bare" or len(specs) != 1 or not specs[0].floating:
            return Law()
        return law_of(self.build(), self._example()[0], traced=self.traced)

    def example(self) -> tuple[Any, ...]:
        """The tensors to export with."""
        import torch

        return tuple(torch.from_numpy(array.copy()) for array in self._example())

    def _example(self) -> tuple[np.ndarray, ...]:
        if self.network != "bare":
            return inputs.network_inputs(networks.EXAMPLE_SHAPES[self.network], "float32")[0].arrays
        return self.values or self._batch(self.given.inputs)

    def _batch(self, specs: Sequence[InputSpec], dtype: str = "float32") -> tuple[np.ndarray, ...]:
        return tuple(sample(spec, number, dtype) for number, spec in enumerate(specs))

    def inputs(self, dtype: str) -> tuple[InputClass, ...]:
        """Grid, knees, tails, special values where it is elementwise; else a batch and notes."""
        if self.network != "bare":
            return inputs.network_inputs(networks.EXAMPLE_SHAPES[self.network], dtype)
        found = [InputClass("given", self.values, gates=True)] if self.values else []
        if self.elementwise:
            found += of_law(self.law, self.given.inputs[0], dtype)
        elif not self.values:
            found.append(InputClass("normal", self._batch(self.given.inputs, dtype), gates=True))
        found += self._resized(dtype)
        found = [one for one in found if one.gates or self.accepts(one)]
        if not self.elementwise:
            # Float16 overflows legitimately, whoever exported it.
            specs = self.given.inputs
            finite = "float16" not in (dtype, *(spec.dtype for spec in specs))
            more = [*large_and_negative(found[0], specs, finite=finite)]
            more += odd(found[0], specs) if self.parameters <= NOTES_LIMIT else ()
            found += filter(self.accepts, more)
        return tuple(found)

    @property
    def left_out(self) -> tuple[str, ...]:
        """The names of the input classes that it is too large for."""
        spared = self.network == "bare" and self.parameters > NOTES_LIMIT
        if self.elementwise or not spared:
            return ()
        given = InputClass("", self._example(), gates=True)
        return tuple(one.name for one in odd(given, self.given.inputs))

    def accepts(self, given: InputClass) -> bool:
        """Whether eager itself takes such inputs; a module may well refuse NaN."""
        try:
            module = self.build()
            for batch in given.batches():
                call(module, batch, self.place)
        except BadModule:
            return False
        return True

    @property
    def place(self) -> str:
        """File and line of its forward, or of whatever stands for it."""
        return forward_of(self.build()) or self.resolved.place

    @property
    def parameters(self) -> int:
        """How many numbers it learns."""
        return sum(parameter.numel() for parameter in self.build().parameters())

    def _resized(self, dtype: str) -> Iterator[InputClass]:
        """Batches of other sizes on the dynamic axes, those that eager itself accepts.

        Raises:
            BadModule: eager accepts no other size.
        """
        if not self.dynamic:
            return
        accepted = 0
        for larger in (lambda n: n + 1, lambda n: 2 * n, lambda n: 3 * n):
            specs = [resized(spec, self.dynamic, larger) for spec in self.given.inputs]
            batch = self._batch(specs, dtype)
            try:
                call(self.build(), batch, self.place)
            except BadModule as refusal:
                reason = refusal
                continue
            sizes = ", ".join("x".join(map(str, array.shape)) for array in batch)
            yield InputClass(f"size {sizes}", batch, gates=True)
            accepted += 1
            if accepted == 2:
                return
        if not accepted:
            axes = ", ".join(map(str, self.dynamic))
            raise BadModule(f"{reason}; it accepts no other size on --dynamic {axes}") from reason


def _from_spec(spec: ModuleSpec, network: str, announce: Announce) -> FromModule:
    """The source that `spec` describes; runs the user's import, constructor and forward.

    Raises:
        BadModule: one of them fails, with the line that does.
    """
    announce("the import", "")
    resolved = resolve(spec)
    resolved = dataclasses.replace(resolved, ready=resolved.ready or spec.settled)
    announce("the constructor", resolved.place)
    module = resolved.make()
    announce("forward", forward_of(module) or resolved.place)
    if network != "bare":
        given = Guess((), f"what the network {network} takes")
    elif spec.inputs:
        _check_names(spec.inputs, module, forward_of(module) or resolved.place)
        given = Guess(arranged(spec.inputs, module), "")
    else:
        given = guess(module, forward_of(module) or resolved.place)
    found = FromModule(spec.name, resolved, given, network, spec.dynamic, traced=spec.traced)
    call(found.build(), [tensor.numpy() for tensor in found.example()], found.place)
    return found


def _check_names(given: Sequence[InputSpec], module: nn.Module, where: str) -> None:
    """Raises BadModule where an input has a name that no argument of forward has."""
    known = named_arguments(module.forward)
    for one in given:
        if one.name and known is not None and one.name not in known:
            raise BadModule(
                f"{where}: forward takes no {one.name!r}; it takes {', '.join(known) or 'nothing'}"
            )


def forward_of(module: nn.Module) -> str:
    """File and line of a user's forward; empty for PyTorch's own modules and for TorchScript."""
    import torch

    if isinstance(module, torch.jit.ScriptModule):
        return ""
    found = defined_at(type(module).forward)
    return "" if found.startswith("torch/") else found


_KEPT = 4
_kept: dict[tuple[ModuleSpec, str], tuple[FromModule, Subject]] = {}


def module_source(
    spec: ModuleSpec, network: str, announce: Announce = lambda step, place: None
) -> FromModule:
    """The source of a spec; the last few are kept, since cases of one follow each other.

    Raises:
        BadModule: it cannot be imported, made or called.
    """
    return _keep(spec, network, announce)[0]


def module_subject(spec: ModuleSpec, network: str) -> Subject:
    """The subject of a spec, kept likewise.

    Raises:
        BadModule: it cannot be imported, made or called.
    """
    return _keep(spec, network, lambda step, place: None)[1]


def _keep(spec: ModuleSpec, network: str, announce: Announce) -> tuple[FromModule, Subject]:
    key = (spec, network)
    if key not in _kept:
        while len(_kept) >= _KEPT:
            del _kept[next(iter(_kept))]
        found = _from_spec(spec, network, announce)
        if spec.traced:
            announce(TRACING, found.place)
        _kept[key] = (found, Subject(found))
    return _kept[key]
