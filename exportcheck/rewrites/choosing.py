"""Which candidate may stand in one place: it is equal, and a target passes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Iterable, Iterator

from exportcheck.rewrites import swapping
from exportcheck.rewrites.interface import Candidate, Proof, Refuted, Rewrite
from exportcheck.rewrites.known_forms import arguments
from exportcheck.rewrites.proving import prove
from exportcheck.rewrites.rules import candidates
from exportcheck.rewrites.sources import defined
from exportcheck.rewrites.trying import failures
from exportcheck.subject import Subject

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Choice:
    """A candidate that was proved, at its place.

    Attributes:
        path: of the submodule.
        original: what stands there, as people read it.
        candidate: what may.
        proof: that they are the same.
        fixed: the targets that failed and pass.
    """

    path: str
    original: str
    candidate: Candidate
    proof: Proof
    fixed: tuple[str, ...]

    def rewrite(self, model: nn.Module, targets: tuple[str, ...]) -> Rewrite:
        """It as people are told of it, in `model`, for the targets that pass in the end."""
        module = dict(model.named_modules())[self.path]
        # What the copy that was proved has lost, its hooks, decides how it is put in place.
        swap = renewed(self.candidate, module).swap
        swap = swap.format(place=place_of(model, self.path), places=places_of(model, module))
        remarks = tuple(f"but {remark}" for remark in self.proof.remarks)
        if not self.proof.when_training:
            remarks += ("but in eval mode only: in training the two differ",)
        lines = (*self.proof.lines, *remarks, f"passes {', '.join(targets)}")
        replacement = self.candidate.replacement
        return Rewrite(
            self.path,
            self.original,
            replacement,
            self.candidate.code,
            f"{swap}\n",
            lines,
            targets,
        )

    def put(self, model: nn.Module) -> nn.Module:
        """`model` with it in place: the code for people is run, where it does all that is needed.

        A function that a module calls by name is another one in its own file, which no line about
        `model` says.

        Raises:
            Exception: the code does not run as it stands.
        """
        module = dict(model.named_modules())[self.path]
        if "{place" not in self.candidate.swap:
            return swapping.put(model, module, renewed(self.candidate, module).module)[0]
        code = self.rewrite(model, ()).code
        scope = {**self.candidate.beside, "model": model, "__name__": "pasted"}
        changed: nn.Module = defined(code, scope)["model"]
        return changed


def choose(
    path: str,
    module: nn.Module,
    subject: Subject,
    failed: tuple[str, ...],
    swapped: Callable[[nn.Module], Subject],
    options: Iterable[Candidate] | None = None,
) -> tuple[Choice | None, list[Refuted]]:
    """The candidate with which most targets pass, and those that were refuted before it.

    Args:
        path: where it stands.
        module: what stands there, a bare copy.
        subject: the same with the inputs to prove it by.
        failed: the targets that it fails on.
        swapped: the subject to try on the targets, for a module that is put there.
        options: the candidates, made of `module`; all there are when absent.
    """
    best = None
    refuted: list[Refuted] = []
    for candidate in candidates(module) if options is None else options:
        proof = prove(subject, module, candidate, path)
        if isinstance(proof, Refuted):
            refuted.append(proof)
            continue
        reasons = failures(swapped(candidate.module), failed)
        fixed = tuple(name for name in failed if name not in reasons)
        if not fixed:
            refuted.append(useless(path, candidate.replacement, reasons))
        elif best is None or len(fixed) > len(best.fixed):
            best = Choice(path, text_of(module), candidate, proof, fixed)
        if not reasons:
            break
    return best, refuted


def renewed(candidate: Candidate, module: nn.Module) -> Candidate:
    """The same candidate made of another instance: `candidate` was made of a copy."""
    alike = (c for c in candidates(module) if c.replacement == candidate.replacement)
    # TorchScript may refuse a module for its hooks, and then there is no such candidate.
    return next(alike, candidate)


def useless(path: str, replacement: str, reasons: dict[str, str]) -> Refuted:
    """A replacement that is equal and does not help."""
    name, reason = next(iter(reasons.items()))
    return Refuted(path, replacement, f"it is equal, but {name} fails with it too: {reason}")


def text_of(module: nn.Module) -> str:
    """`Softplus(threshold=1.0)`, arguments as by default left out; the bare name of a holder."""
    name = type(module).__name__
    if module._modules:
        return name
    given = {
        name: getattr(module, name)
        for name, parameter in arguments(type(module)).items()
        if isinstance(getattr(module, name, parameter.default), _WORTH_SHOWING)
        and getattr(module, name, parameter.default) != parameter.default
    }
    return f"{name}({', '.join(f'{name}={value!r}' for name, value in given.items())})"


_WORTH_SHOWING = (bool, int, float, str, tuple, list)


def places_of(model: nn.Module, module: nn.Module) -> str:
    """How code assigns to every place of a submodule: `model.a = model.blocks[3].act`."""
    paths = [
        f"{path}.{name}".lstrip(".")
        for path, parent in model.named_modules()
        for name, child in parent._modules.items()
        if child is module
    ]
    return " = ".join(place_of(model, path) for path in paths or [""])


def place_of(model: nn.Module, path: str) -> str:
    """How code reaches the submodule at `path`: `model.blocks[3].act`."""
    return "model" + "".join(_steps(model, path))


def _steps(model: nn.Module, path: str) -> Iterator[str]:
    from torch import nn

    for name in filter(None, path.split(".")):
        if isinstance(model, (nn.Sequential, nn.ModuleList)) and name.isdigit():
            yield f"[{name}]"
        elif isinstance(model, nn.ModuleDict):
            yield f"[{name!r}]"
        else:
            yield f".{name}" if name.isidentifier() else f"._modules[{name!r}]"
        child = model._modules[name]
        assert child is not None
        model = child
