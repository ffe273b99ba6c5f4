"""Finds what is at fault in a module and what may stand in its place, proved."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Sequence

from exportcheck.judge import described
from exportcheck.rewrites.choosing import Choice, choose, useless
from exportcheck.rewrites.interface import Refuted, Rewrite
from exportcheck.rewrites.parts import (
    bare_copy,
    calls,
    example_of,
    fed,
    numpy_of,
    part,
    places,
    supported,
)
from exportcheck.rewrites.rules import candidates
from exportcheck.rewrites.swapping import put
from exportcheck.rewrites.trying import Swapped, failures
from exportcheck.subject import Subject

if TYPE_CHECKING:
    from torch import nn


def find(what: Subject, failed_targets: Sequence[str]) -> tuple[list[Rewrite], list[Refuted]]:
    """The rewrites with which `what` passes targets that it fails on, and what was refuted.

    Submodules that hold no others come first, then what holds them, the innermost first. Each is
    tried alone, with what the whole module calls it with, and nothing is put in the place of one
    that passes alone. Where none fails alone, what is at fault shows in the whole module only, and
    every candidate is tried there.

    Args:
        what: as it was checked.
        failed_targets: the names of targets that it fails on.
    """
    search = _Search(what, tuple(failed_targets))
    search.run(alone=True)
    if not search.chosen:
        search.run(alone=False)
    return search.rewrites(), search.refuted


class _Search:
    """The module as rewritten so far, and what became of every candidate."""

    def __init__(self, what: Subject, failed: tuple[str, ...]) -> None:
        self.what = what
        self.failed = self.remaining = failed
        self.reasons = dict.fromkeys(failed, "")
        self.original = what.build()
        self.working = copy.deepcopy(self.original)
        self.chosen: list[Choice] = []
        self.refuted: list[Refuted] = []
        self.given = calls(copy.deepcopy(self.original), what.example())[1]

    def run(self, *, alone: bool) -> None:
        """Looks at every place until no target fails any more."""
        leaves, holders = places(self.working)
        for group in (leaves, *([holder] for holder in holders)):
            before = len(self.chosen)
            for path, module in group:
                found = self._at(path, module, alone)
                if found is not None:
                    self._put(found)
            if len(self.chosen) > before:
                self.reasons = failures(self._whole(), self.remaining)
                self.remaining = tuple(self.reasons)
            if not self.remaining:
                return

    def rewrites(self) -> list[Rewrite]:
        """What was chosen, with the targets that the whole module passes now."""
        made: list[Rewrite] = []
        for choice in self.chosen:
            targets = tuple(name for name in choice.fixed if name not in self.remaining)
            if targets:
                made.append(choice.rewrite(self.original, targets))
            else:
                replacement = choice.candidate.replacement
                self.refuted.append(useless(choice.path, replacement, self.reasons))
        return made

    def _put(self, choice: Choice) -> None:
        """Puts it in place with the code that people get: what passes then is what they have."""
        try:
            self.working = choice.put(self.working)
        except Exception as error:  # the code is for somebody else's class
            why = f"the code for it raises {described(error).splitlines()[0]}"
            self.refuted.append(Refuted(choice.path, choice.candidate.replacement, why))
        else:
            self.chosen.append(choice)

    def _whole(self) -> Subject:
        return Swapped(self.what, self.working) if self.chosen else self.what

    def _at(self, path: str, module: nn.Module, alone: bool) -> Choice | None:
        """The best that may stand at `path`; None where nothing need or can."""
        if next(candidates(module), None) is None:
            return None
        try:
            bare = bare_copy(module)
            subject = self._part(path, bare) if path else self._whole()
        except Exception:  # what cannot be copied, or called alone, stays as it is
            return None
        failed = tuple(failures(subject, self.remaining)) if alone else self.remaining
        if subject is None or not failed:
            return None
        swapped = partial(self._alone, subject) if alone else partial(self._inside, path)
        choice, refuted = choose(path, bare, subject, failed, swapped)
        self.refuted += refuted
        return choice

    def _part(self, path: str, module: nn.Module) -> Subject:
        """The submodule at `path` as it is called.

        Raises:
            LookupError: it is not called, or with what no subject takes.
        """
        given = self.given[path]
        if not supported(given):
            raise LookupError(path)
        return part(module, numpy_of(given))

    def _alone(self, subject: Subject, module: nn.Module) -> Subject:
        return Swapped(subject, fed(module, example_of(subject)))

    def _inside(self, path: str, module: nn.Module) -> Subject:
        model = copy.deepcopy(self.working)
        return Swapped(self.what, put(model, dict(model.named_modules())[path], module)[0])
