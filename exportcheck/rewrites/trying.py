"""Which targets a subject fails on, taken through every stage as any case is."""

from __future__ import annotations

import contextlib
import copy
import io
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from exportcheck.results import Case, Status
from exportcheck.stages import check
from exportcheck.subject import Expected, Subject
from exportcheck.targets import targets

if TYPE_CHECKING:
    from torch import nn


class Swapped(Subject):
    """A subject whose module is another one; what is expected of it stays what it was.

    Attributes:
        module: built by copying.
    """

    def __init__(self, what: Subject, module: nn.Module) -> None:
        vars(self).update(vars(what))
        self._what = what
        self.build = lambda: copy.deepcopy(module).eval()

    def expected(self, dtype: str) -> dict[str, Expected]:
        """The original's answers."""
        return self._what.expected(dtype)


def failures(what: Subject, names: Iterable[str]) -> dict[str, str]:
    """The targets among `names` that `what` fails on, each with the first line of the reason.

    A target that cannot be tried here counts as failed: nothing is known of it.
    """
    reasons = {}
    for name in names:
        target = targets()[name]
        here = [r for r in target.runtimes if r.missing() is None] or list(target.runtimes)
        case = Case(what.name, what.network, name, here[0].name, "here")
        with _silence():
            result = check(case, find=lambda: what)
        if result.status is not Status.PASS:
            reasons[name] = result.first_line or result.status.value
    return reasons


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Exporters print, and whoever asked for a swap did not ask for that."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        yield
