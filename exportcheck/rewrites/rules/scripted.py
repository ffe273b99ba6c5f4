"""Script instead of trace: a branch or a loop on data stays one."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING

from exportcheck.rewrites.interface import Candidate
from exportcheck.rewrites.sources import forward_of

if TYPE_CHECKING:
    from torch import nn


class Scripted:
    """`torch.jit.script` of the module, which a trace around it takes over as it is."""

    def candidates(self, module: nn.Module) -> Iterator[Candidate]:
        """The scripted module, where its `forward` branches or loops and TorchScript takes it."""
        import torch

        forward = forward_of(module)
        if forward is None or not any(
            isinstance(node, (ast.If, ast.IfExp, ast.While, ast.For))
            for node in ast.walk(forward.tree)
        ):
            return
        try:
            scripted = torch.jit.script(copy.deepcopy(module))
        except Exception:  # what cannot be scripted or copied is no candidate
            return
        name = type(module).__name__
        code = "import torch\n"
        yield Candidate(
            f"torch.jit.script({name})", scripted, code, "{places} = torch.jit.script({place})"
        )


RULES = (Scripted(),)
