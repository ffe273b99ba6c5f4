"""Few patterns that match given cases and no other: how known failures are written down."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import escape
from itertools import combinations, product
from os.path import commonprefix
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

    Of patterns that match the same cases the most literal is taken: what will be added to the
    matrix some day has not failed yet.

    Args:
        wanted: cases of one activation and one toolchain.
        others: the cases that must not match; those of `wanted` among them are left out.
        any_runtime: whether the runtime makes no difference, as before a model is loaded; then
            the same network and target with another runtime may match too.
    """
    remaining = set(wanted)
    one = next(iter(remaining))
    near = {c for c in others if c.activation == one.activation and c.toolchain == one.toolchain}
    places = {(c.network, c.target) for c in remaining if any_runtime}
    foreign = {c for c in near - remaining if (c.network, c.target) not in places}
    candidates = list(_candidates(remaining, foreign, any_runtime))
    while remaining:
        best = min(
            candidates,
            key=lambda c: (-len(c.covered & remaining), c.wildcards, -len(c.target), c.target),
        )
        yield best.pattern(one.activation, one.toolchain)
        remaining -= best.covered


def _candidates(wanted: set[Case], others: set[Case], any_runtime: bool) -> Iterator[_Candidate]:
    """Every pattern worth a thought that covers some of `wanted` and none of `others`."""
    networks = [*sorted({escape(c.network) for c in wanted}), "*"]
    targets = _globs({c.target for c in wanted})
    runtimes = ["*"] if any_runtime else sorted({escape(c.runtime) for c in wanted})
    for parts in product(networks, targets, runtimes):
        if not any(_matches(case, parts) for case in others):
            covered = frozenset(case for case in wanted if _matches(case, parts))
            if covered:
                yield _Candidate(*parts, covered)


def _globs(names: set[str]) -> list[str]:
    """The names, what they begin with in common, what they end with, and `*`."""
    globs = {"*", *map(escape, names)}
    for one, other in combinations(sorted(names), 2):
        head = commonprefix((one, other))  # noqa: RUF071  # names, not paths
        globs.add(f"{escape(head)}*")
        tails = {name.rpartition("-")[2] for name in (one, other)}
        globs.update(f"{escape(head)}*{escape(tail)}" for tail in tails)
    return sorted(globs)


def _matches(case: Case, parts: tuple[str, ...]) -> bool:
    names = (case.network, case.target, case.runtime)
    return all(map(fnmatchcase, names, parts))
