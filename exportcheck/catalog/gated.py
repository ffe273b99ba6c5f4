"""Gated functions: one half of the channels gates the other.

The classes halve the last dimension by default; here it is dimension 1, as in every network.
"""

from __future__ import annotations

from exportcheck.catalog.interface import Activation

_FORMS = "exportcheck.forms."
_VARIANTS = "arXiv:2002.05202"


def _gated(name: str, module: str, formula: str, source: str, form: str) -> Activation:
    kwargs = {"dim": 1}
    text = f"{formula}, a and b the halves of the channels"
    return Activation(
        name, name, module, text, source, kwargs, form, reference=True, elementwise=False
    )


ACTIVATIONS = (
    _gated("glu", "torch.nn.GLU", "a*sigmoid(b)", "arXiv:1612.08083", "native"),
    _gated("swiglu", _FORMS + "SwiGLU", "silu(a)*b", _VARIANTS, "hand-written"),
    _gated("geglu", _FORMS + "GEGLU", "gelu(a)*b", _VARIANTS, "hand-written"),
    _gated("reglu", _FORMS + "ReGLU", "relu(a)*b", _VARIANTS, "hand-written"),
)
