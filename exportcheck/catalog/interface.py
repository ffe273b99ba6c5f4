"""What an activation is to this tool: pure data, so that the catalogue lists without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ALL_NETWORKS = ("bare", "conv", "linear")


@dataclass(frozen=True)
class Activation:
    """One form of one function.

    Attributes:
        name: shown to people, general to special (`hardswish-hardtanh`).
        family: joins the forms of one mathematical function.
        module: dotted path of the class, imported in the worker only.
        formula: plain text.
        source: who defined it.
        kwargs: constructor arguments.
        form: `native` (PyTorch's own), `in-place`, `hand-written` or `autograd`.
        reference: the member of the family that says what the function is.
        elementwise: each output depends on the input at the same place only.
        networks: the networks that suit it.
        knees: inputs where the function changes its law, or where a usual way to compute it fails;
            zero for all, since a smooth function too may be computed by cases.
        unavailable: why it cannot be had, a plug-in's error; empty where it can.
    """

    name: str
    family: str
    module: str
    formula: str
    source: str
    kwargs: dict[str, Any] = field(default_factory=dict)
    form: str = "native"
    reference: bool = False
    elementwise: bool = True
    networks: tuple[str, ...] = ALL_NETWORKS
    knees: tuple[float, ...] = (0.0,)
    unavailable: str = ""
