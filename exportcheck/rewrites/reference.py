"""Whether a hand-written module is what it claims to be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Sequence

from exportcheck.custom.guessing import guess, sample
from exportcheck.custom.module_spec import ModuleSpec
from exportcheck.custom.resolving import resolve
from exportcheck.rewrites.interface import Candidate, Proof, Refuted
from exportcheck.rewrites.parts import bare_copy, example_of, part
from exportcheck.rewrites.proving import prove
from exportcheck.subject import Subject

if TYPE_CHECKING:
    import numpy as np
    from torch import nn


def same(
    reference: nn.Module, other: nn.Module, arrays: Sequence[np.ndarray] | None = None
) -> Proof | Refuted:
    """Whether `other` computes what `reference` computes, its gradient included.

    Args:
        reference: what is asked for; weights of the same names are given to `other`.
        other: what claims to be that.
        arrays: inputs that both take; tried when absent, NCHW, then (N, C), then (N, L, C).

    Raises:
        BadModule: no inputs were given and the reference takes none of those tried.
    """
    one, two = bare_copy(reference), bare_copy(other)
    if one.state_dict() and list(one.state_dict()) == list(two.state_dict()):
        two.load_state_dict(one.state_dict())
    if arrays is None:
        arrays = [sample(spec) for spec in guess(one, type(one).__name__).inputs]
    what = part(one, arrays, inside=False)
    found = prove(what, one, Candidate(type(other).__name__, two, "", ""))
    if isinstance(found, Refuted):
        return replace(found, why=_worded(found.why))
    return replace(found, remarks=tuple(map(_worded, found.remarks)))


def _worded(text: str) -> str:
    return text.replace("the original", "the reference")


def same_as(
    reference: str, what: Subject, arguments: tuple[tuple[str, str], ...] = ()
) -> Proof | Refuted:
    """Whether a subject's module computes what a named one does, on the subject's own inputs.

    Args:
        reference: `torch.nn.Hardswish`, `package.module:Name` or `path/to/file.py:Name`.
        what: the subject.
        arguments: of the reference's constructor, names to Python literals as text.

    Raises:
        BadModule: the reference cannot be imported or made.
    """
    spec = reference if ":" in reference else ":".join(reference.rpartition(".")[::2])
    return same(resolve(ModuleSpec(spec, arguments)).make(), what.build(), example_of(what))
