"""What a rewrite is: a module that may stand in another's place, and what became of trying it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FunctionType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Candidate:
    """A module that may stand in another's place; nothing is proved of it yet.

    Attributes:
        replacement: as people read it: `SoftplusWhere(beta=2.0, threshold=10.0)`.
        module: it, with the other's parameters, buffers, submodules and hooks.
        code: its definition, to paste, imports included; empty where it needs none.
        swap: the lines that put it in place, `{place}` standing for that and `{places}` for all
            that it has, as the left side of an assignment.
        function: the original's function, where the candidate was made of its source.
        rewritten: first and last line of whatever of it the candidate has otherwise, counted from
            1; what no input reaches there is not proved.
        beside: what `code` cannot import and takes from where it is pasted, by name.
    """

    replacement: str
    module: nn.Module
    code: str
    swap: str
    function: FunctionType | None = None
    rewritten: frozenset[tuple[int, int]] = frozenset()
    beside: dict[str, Any] = field(default_factory=dict)


class Rule(Protocol):
    """One kind of rewrite."""

    def candidates(self, module: nn.Module) -> Iterator[Candidate]:
        """What may stand in the place of `module`, the most likely first; it is not changed."""


@dataclass(frozen=True)
class Rewrite:
    """A replacement that was proved.

    Attributes:
        path: of the submodule (`blocks.3.act`); empty for the module itself.
        original: what stands there now.
        replacement: what should.
        definition: what the lines of `swap` need, imports included; may be empty.
        swap: the lines that put it in place in `model`.
        proof: what was proved, a line each.
        targets: those that failed and pass with it.
    """

    path: str
    original: str
    replacement: str
    definition: str
    swap: str
    proof: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def code(self) -> str:
        """To paste where `model` is the whole module."""
        return "\n\n".join(filter(None, (self.definition, self.swap)))


@dataclass(frozen=True)
class Refuted:
    """A replacement that is not the original, or does not help.

    Attributes:
        path: of the submodule; empty for the module itself.
        replacement: what was tried.
        why: in a sentence, the input that refutes it included.
        input: that input; None where the function is not elementwise or no number refutes it.
        actual: what the replacement gives.
        expected: what the original gives.
    """

    path: str
    replacement: str
    why: str
    input: float | None = None
    actual: float | None = None
    expected: float | None = None


@dataclass(frozen=True)
class Proof:
    """One module equals another as far as can be tried.

    Attributes:
        lines: what was proved, a line each.
        remarks: where the two differ all the same, and why that does not count.
        when_training: whether they agree in training mode too.
    """

    lines: tuple[str, ...]
    remarks: tuple[str, ...] = field(default=())
    when_training: bool = True
