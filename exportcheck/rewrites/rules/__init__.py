"""The kinds of rewrite: every file here ends in `RULES`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from exportcheck.discover import modules
from exportcheck.rewrites.interface import Candidate, Rule

if TYPE_CHECKING:
    from torch import nn

__all__ = ["candidates", "rules"]


@lru_cache(maxsize=None)
def rules() -> tuple[Rule, ...]:
    """Every rule there is."""
    return tuple(rule for module in modules(__name__) for rule in module.RULES)


def candidates(module: nn.Module) -> Iterator[Candidate]:
    """Whatever a rule would put in the place of `module`.

    Nothing for what TorchScript compiled, and for an instance with a `forward` of its own: it is
    no matter of its class what such a module computes.
    """
    import torch

    if isinstance(module, torch.jit.ScriptModule) or "forward" in vars(module):
        return
    for rule in rules():
        yield from rule.candidates(module)
