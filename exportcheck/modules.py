"""A user's module as a subject: built from its spec, its inputs given or guessed."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Callable

import numpy as np

from exportcheck import inputs, networks
from exportcheck.calling import arranged, named_arguments, with_keywords
from exportcheck.errors import BadModule
from exportcheck.guessing import Guess, call, guess, sample
from exportcheck.importing import defined_at
from exportcheck.inputs import InputClass
from exportcheck.laws import Law, law_of
from exportcheck.module_spec import TRACING, InputSpec, ModuleSpec
from exportcheck.resolving import Resolved, resolve, seed
from exportcheck.subject import Subject

if TYPE_CHECKING:
    from torch import nn

Announce = Callable[[str, str], None]
"""Is told, before user code runs, what runs and at which file and line it begins."""

NOTES_LIMIT = 1_000_000
"""A module of more parameters is run on the gating inputs alone: a note is not worth minutes."""

_KNEE_POINTS = 18
"""How many numbers stand for a knee."""


class FromModule:
    """A user's module in a network, weights seeded unless they are its own.

    Attributes:
        name: of the spec.
        network: what it stands in.
        resolved: makes the module and knows where it is defined.
        given: the inputs of the module, and how they were found.
        dynamic: the axes whose size may change.
        values: the example itself where the caller gave one.
        traced: whether it may be traced, to find where its law changes.
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
        self.traced = traced
        self._template: nn.Module | None = None

    @property
    def elementwise(self) -> bool:
        """Whether each output depends on the input at the same place only, found by trying."""
        return self.network == "bare" and self.law.elementwise

    def build(self) -> nn.Module:
        """A new module in eval mode, always with the same weights.

        Parameters that the constructor leaves all alike are moved a little, or an exporter that
        mixes channels up would go unseen; an instance's own weights are never touched.
        """
        if self._template is None:
            self._template = self._made()
        try:
            return copy.deepcopy(self._template)
        except Exception:  # some modules cannot be copied; made anew they are the same
            return self._made()

    def _made(self) -> nn.Module:
        import torch

        module = with_keywords(self.resolved.make(), self.given.inputs)
        seed()
        if not self.resolved.ready:
            _unsettle(module)
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
            found += _of_law(self.law, self.given.inputs[0], dtype)
        elif not self.values:
            found.append(InputClass("normal", self._batch(self.given.inputs, dtype), gates=True))
        found += self._resized(dtype)
        found = [one for one in found if one.gates or self._accepts(one)]
        if not self.elementwise and self.parameters <= NOTES_LIMIT:
            found += filter(self._accepts, _changed(found[0], self.given.inputs))
        return tuple(found)

    def _accepts(self, given: InputClass) -> bool:
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
            specs = [_resized(spec, self.dynamic, larger) for spec in self.given.inputs]
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


def _resized(spec: InputSpec, axes: tuple[int, ...], larger: Callable[[int], int]) -> InputSpec:
    sizes = (larger(n) if axis in axes else n for axis, n in enumerate(spec.shape))
    return dataclasses.replace(spec, shape=tuple(sizes))


def _of_law(law: Law, spec: InputSpec, dtype: str) -> Iterator[InputClass]:
    """The input classes of an elementwise module, within its range where it has one."""
    size = math.prod(spec.shape)
    shown = dataclasses.replace(law, knees=law.knees[: max(1, size // _KNEE_POINTS)])
    if spec.dtype == "float16":
        dtype = "float16"
    classes = inputs.bare_inputs(shown, spec.shape, dtype)
    if spec.low is None or spec.high is None:
        for one in classes:
            yield dataclasses.replace(one, arrays=(one.values.astype(spec.dtype),))
        return
    grid = np.linspace(spec.low, spec.high, size).reshape(spec.shape)
    yield InputClass("grid", (grid.astype(dtype).astype(spec.dtype),), gates=True)
    knees = next(one.values for one in classes if one.name == "knees")
    inside = knees[(knees >= spec.low) & (knees <= spec.high)]
    if inside.size:
        yield InputClass("knees", (np.resize(inside, spec.shape).astype(spec.dtype),), gates=True)


def _changed(ordinary: InputClass, specs: Sequence[InputSpec]) -> Iterator[InputClass]:
    """The negative of ordinary inputs of a module that is not elementwise, and, as notes, odd ones.

    Negated inputs gate: they are as ordinary as the given ones, and a trace that kept one side of a
    branch on data (`if x.sum() > 0`) shows only where the other is taken. Large, zero, infinite and
    undefined inputs are notes.
    """
    free = [spec.floating and spec.low is None for spec in specs]
    if not any(free):
        return
    random = np.random.RandomState(1)

    def changed(change: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, ...]:
        pairs = zip(ordinary.arrays, free)
        return tuple(change(a).astype(a.dtype) if wanted else a for a, wanted in pairs)

    def spoilt(values: Sequence[float]) -> Callable[[np.ndarray], np.ndarray]:
        def change(array: np.ndarray) -> np.ndarray:
            places = random.permutation(array.size)[: max(1, array.size // 64)]
            result = array.copy()
            result.flat[places] = np.resize(values, places.size)
            return result

        return change

    yield InputClass("negated", changed(lambda a: -a), gates=True)
    yield InputClass("scaled", changed(lambda a: a * 16), gates=False)
    yield InputClass("all zero", changed(lambda a: a * 0), gates=False)
    yield InputClass("infinities", changed(spoilt([np.inf, -np.inf])), gates=False)
    yield InputClass("nan", changed(spoilt([np.nan])), gates=False)


def _unsettle(module: nn.Module) -> None:
    """Moves parameters whose values are all alike, and the statistics of batch norms."""
    import torch
    from torch import nn

    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.is_floating_point() and bool((parameter == parameter.flatten()[:1]).all()):
                parameter.add_(0.1 * torch.randn_like(parameter))
        for layer in module.modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.track_running_stats:
                layer.running_mean.normal_(0.0, 0.2)  # type: ignore[union-attr]  # tracked
                layer.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]  # tracked


def _from_spec(spec: ModuleSpec, network: str, announce: Announce) -> FromModule:
    """The source that `spec` describes; runs the user's import, constructor and forward.

    Raises:
        BadModule: one of them fails, with the line that does.
    """
    announce("the import", "")
    resolved = resolve(spec)
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
