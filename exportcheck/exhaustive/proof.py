"""What the figures of all pieces come to: a proof, or a counterexample."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from exportcheck.compare import EAGER_OFF
from exportcheck.exhaustive import line
from exportcheck.exhaustive.figures import Figures, RunFigures
from exportcheck.exhaustive.gauge import NEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

EVERY = f"{line.TOTAL:,}".replace(",", " ")


class Outcome(str, Enum):
    """What is known at the end."""

    ULP = "within ulp"
    TOLERANCE = "within tolerance"
    REFUTED = "refuted"
    PARTIAL = "not finished"


@dataclass(frozen=True)
class Proof:
    """All figures of one activation or module.

    Attributes:
        figures: of all pieces together.
        pieces: by number.
        truth: whether there was a float64 truth.
        refused: `target/runtime` -> why it was not run.
    """

    figures: Figures
    pieces: Mapping[int, Figures]
    truth: bool
    refused: Mapping[str, str]

    @property
    def tried(self) -> int:
        """How many inputs were tried."""
        return len(self.pieces) * line.PIECE

    def outcome(self, run: RunFigures) -> Outcome:
        """What a runtime's figures prove."""
        if run.judged.wrong:
            return Outcome.REFUTED
        if self.tried < line.TOTAL:
            return Outcome.PARTIAL
        gap = run.eager
        near = gap.ulp <= NEAR and not (gap.nan or gap.inf)
        return Outcome.ULP if near else Outcome.TOLERANCE

    def sentence(self, run: RunFigures) -> str:
        """The outcome in one line."""
        outcome, judged, gap = self.outcome(run), run.judged, run.eager
        tried = f"{self.tried:,}".replace(",", " ")
        if outcome is Outcome.REFUTED:
            x, actual, expected = map(line.number, judged.first or (0, 0, 0))
            return (
                f"wrong at {judged.wrong:,}".replace(",", " ") + f" of {tried} inputs; the first "
                f"counterexample: {actual:.9g} where eager gives {expected:.9g} at x = {x:.9g}"
            )
        if outcome is Outcome.PARTIAL:
            return f"no counterexample in the {tried} of {EVERY} inputs tried so far"
        if outcome is Outcome.ULP:
            return f"correct on all {EVERY} inputs within {gap.ulp} ULP"
        return f"correct on all {EVERY} inputs within tolerance{_exceptions(run)}"


def _exceptions(run: RunFigures) -> str:
    """What keeps a run within tolerance from being one within some ULP."""
    parts = []
    if run.eager.ulp > NEAR and run.eager.at:
        x, actual, expected = map(line.number, run.eager.at)
        parts.append(
            f"up to {run.eager.ulp:,} ULP".replace(",", " ")
            + f": {actual:.9g} where eager gives {expected:.9g} at x = {x:.9g}"
        )
    off = run.judged.kinds.get(EAGER_OFF, 0) + run.judged.noted.get(EAGER_OFF, 0)
    if off:
        parts.append(f"eager itself is off at {off:,} of them".replace(",", " "))
    noted = {k: n for k, n in run.judged.noted.items() if k != EAGER_OFF}
    if noted:
        counted = ", ".join(f"{k} {n:,}".replace(",", " ") for k, n in noted.items())
        parts.append(f"but for inputs beyond 1e30, subnormal or NaN: {counted}")
    return "; " + "; ".join(parts) if parts else ""


def joined(pieces: Mapping[int, Figures], *, truth: bool, refused: Mapping[str, str]) -> Proof:
    """The proof that some pieces, or all, come to; the same whatever the order they came in."""
    figures = Figures()
    for piece in sorted(pieces):
        figures.add(pieces[piece])
    return Proof(figures, pieces, truth, refused)


def profile(proof: Proof, name: str, side: str) -> list[int | None]:
    """The largest ULP of each piece of finite numbers from left to right; None where untried.

    Args:
        proof: with the pieces.
        name: a run, `target/runtime`; empty for eager beside the truth.
        side: `eager` or `float64`.
    """
    found: list[int | None] = []
    for piece in line.rightward():
        figures = proof.pieces.get(piece)
        if figures is None:
            found.append(None)
            continue
        gap = figures.eager
        if name:
            run = figures.runs[name]
            gap = run.eager if side == "eager" else run.truth
        found.append(gap.ulp)
    return found
