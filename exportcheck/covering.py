"""Few patterns that match given cases and no other: how known failures are written down."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import escape
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from exportcheck.results import Case


@dataclass(frozen=True)
class _Candidate:
    """A pattern on network, target and runtime, and the cases that it covers."""

    network: str
    target: str
    runtime: str
    covered: frozenset[Case]

    def pattern(self, activation: str, toolchain: str) -> str:
        parts = (escape(activation), self.network, self.target, self.runtime, escape(toolchain))
        return "/".join(parts)

    @property
    def wildcards(self) -> int:
        return sum(part.count("*") for part in (self.network, self.target, self.runtime))


def cover(wanted: Iterable[Case], others: Iterable[Case], *, any_runtime: bool) -> Iterator[str]:
    """Patterns that together match all of `wanted` and none of `others`, the widest first.

    Args:
        wanted: cases of one activation and one toolchain.
        others: the cases that must not match; those of `wanted` among them are left out.
        any_runtime: whether the runtime makes no difference, as before a model is loaded.
    """
    remaining = set(wanted)
    one = next(iter(remaining))
    near = {c for c in others if c.activation == one.activation and c.toolchain == one.toolchain}
    candidates = list(_candidates(remaining, near - remaining, any_runtime))
    while remaining:
        best = min(
            candidates,
            key=lambda c: (-len(c.covered & remaining), c.wildcards, len(c.target), c.target),
        )
        yield best.pattern(one.activation, one.toolchain)
        remaining -= best.covered


def _candidates(wanted: set[Case], others: set[Case], any_runtime: bool) -> Iterator[_Candidate]:
    """Every pattern worth a thought that covers some of `wanted` and none of `others`."""
    networks = [*sorted({escape(c.network) for c in wanted}), "*"]
    targets = sorted({glob for c in wanted for glob in _globs(c.target)})
    runtimes = ["*"] if any_runtime else sorted({escape(c.runtime) for c in wanted})
    for parts in product(networks, targets, runtimes):
        if not any(_matches(case, parts) for case in others):
            covered = frozenset(case for case in wanted if _matches(case, parts))
            if covered:
                yield _Candidate(*parts, covered)


def _globs(name: str) -> Iterator[str]:
    """`coreml-fp16`, `coreml-*`, `coreml-*fp16`, `*-fp16`, `*`."""
    words = name.split("-")
    yield escape(name)
    for count in range(len(words)):
        yield "-".join((*map(escape, words[:count]), "*"))
    if len(words) > 1:
        yield f"*-{escape(words[-1])}"
        yield f"{escape(words[0])}-*{escape(words[-1])}"


def _matches(case: Case, parts: tuple[str, ...]) -> bool:
    names = (case.network, case.target, case.runtime)
    return all(map(fnmatchcase, names, parts))
