"""What a family offers in a column, as caniuse would put it: it works, or another form does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from exportcheck.catalog import activations
from exportcheck.results import Status

if TYPE_CHECKING:
    from exportcheck.matrix import Cell, Column, Matrix


class Support(str, Enum):
    """How a function is supported by a target."""

    WORKS = "works"
    NOTED = "noted"
    FORM = "form"
    FAILS = "fails"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Statement:
    """How a family is supported, and by which form; empty where none works."""

    support: Support
    form: str = ""


def state_support(matrix: Matrix, family: str, column: Column) -> Statement | None:
    """The statement about `family` in `column`; None where no form of it was asked for.

    The family's reference decides, PyTorch's own where there is one, if it was asked for. Only
    where it fails or cannot run do the other forms count: then the best of them, one without a note
    and with the smallest error first.
    """
    forms = matrix.families[family]
    cells = {f: matrix.cells[f, column] for f in forms if (f, column) in matrix.cells}
    if not cells:
        return None
    reference = _reference(tuple(cells))
    native = cells[reference]
    if _works(native):
        return Statement(Support.NOTED if native.noted else Support.WORKS, reference)
    working = [form for form, cell in cells.items() if _works(cell)]
    if working:
        best = min(working, key=lambda f: (cells[f].noted, cells[f].worst.max_error or 0.0))
        return Statement(Support.FORM, best)
    failed = any(cell.worst.status.failed for cell in cells.values())
    return Statement(Support.FAILS if failed else Support.UNAVAILABLE)


def _reference(forms: tuple[str, ...]) -> str:
    """The form that says what the function is; the first one where that is not among them."""
    known = activations()
    return next((f for f in forms if f in known and known[f].reference), forms[0])


def _works(cell: Cell) -> bool:
    return cell.worst.status is Status.PASS
