"""A native activation to a hand-written form of its family."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from exportcheck.rewrites.interface import Candidate
from exportcheck.rewrites.known_forms import KnownForm, arguments, known_forms
from exportcheck.rewrites.pasting import of_class
from exportcheck.rewrites.swapping import adopt, changes, is_hooked

if TYPE_CHECKING:
    from torch import nn


class Native:
    """Builds each form of the catalogue that suits with the module's own arguments."""

    def candidates(self, module: nn.Module) -> Iterator[Candidate]:
        """The forms of the module's family."""
        for known in known_forms():
            if known.suits(module):
                yield _candidate(known, module)


def _candidate(known: KnownForm, module: nn.Module) -> Candidate:
    kind = known.form_class()
    taken = [name for name in arguments(kind) if hasattr(module, name)]
    kwargs = {name: getattr(module, name) for name in taken}
    text = ", ".join(f"{name}={value!r}" for name, value in kwargs.items())
    call = f"{kind.__name__}({text})"
    holds = next(iter(module.state_dict()), None) is not None
    form = kind(**kwargs)
    swap = f"{{places}} = {call}"
    if holds or is_hooked(module):
        # What has weights or hooks keeps them: its class alone becomes another one.
        others = (f"{{place}}.{name} = {value!r}" for name, value in changes(module, form).items())
        swap = "\n".join((f"{{place}}.__class__ = {kind.__name__}", *others))
    return Candidate(call, adopt(form, module), of_class(kind), swap)


RULES = (Native(),)
