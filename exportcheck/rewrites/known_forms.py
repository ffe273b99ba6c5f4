"""The catalogue's hand-written forms, each for any instance of the native class of its family.

Numbers among a native's arguments are generalised (`beta`, `lambd`), words are not: a form of
`GELU(approximate="tanh")` is none of `GELU()`.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from exportcheck.catalog import Activation, activations
from exportcheck.errors import Unavailable
from exportcheck.subject import import_object

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class KnownForm:
    """A form and the native class that it stands for.

    Attributes:
        native: dotted path of the class.
        form: dotted path of the form's class.
        words: the arguments of the native that are words, by name, and what they must be.
    """

    native: str
    form: str
    words: tuple[tuple[str, str], ...]

    def native_class(self) -> type[nn.Module] | None:
        """The native class; None where this PyTorch has no such class."""
        try:
            found: type[nn.Module] = import_object(self.native)
        except Unavailable:
            return None
        return found

    def form_class(self) -> type[nn.Module]:
        """The form's class."""
        found: type[nn.Module] = import_object(self.form)
        return found

    def suits(self, module: nn.Module) -> bool:
        """Whether `module` computes what the native class computes with such words."""
        native = self.native_class()
        if native is None or not isinstance(module, native):
            return False
        same = type(module).forward is native.forward
        return same and all(getattr(module, name, word) == word for name, word in self.words)


@lru_cache(maxsize=None)
def known_forms() -> tuple[KnownForm, ...]:
    """Every form of a family that has a native one, in the catalogue's order, each once."""
    members = activations().values()
    natives = {a.family: a for a in members if a.reference and a.form == "native"}
    pairs = (
        KnownForm(natives[a.family].module, a.module, _words(natives[a.family]))
        for a in members
        if a.form == "hand-written" and a.family in natives
    )
    return tuple(dict.fromkeys(pairs))


def _words(native: Activation) -> tuple[tuple[str, str], ...]:
    return tuple((k, v) for k, v in native.kwargs.items() if isinstance(v, str))


def arguments(kind: type[Any]) -> dict[str, inspect.Parameter]:
    """The constructor's parameters by name; none where it does not tell them."""
    try:
        return dict(inspect.signature(kind).parameters)
    except (TypeError, ValueError):
        return {}
