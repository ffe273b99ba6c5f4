"""The training side of a form: what it keeps for backward, and whether its gradient is right.

The memory-efficient forms exist for the first; a wrong hand-written backward shows in the second.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from exportcheck.catalog import activations
from exportcheck.judge import described
from exportcheck.subject import Subject, subject

if TYPE_CHECKING:
    from torch import Tensor


@lru_cache(maxsize=8)
def training_facts(what: Subject) -> dict[str, Any]:
    """Figures of a bare activation; `error` alone where it cannot be differentiated.

    `saved_tensors`, `saved_bytes`: what autograd keeps between forward and backward for a float32
    batch, each storage counted once, the parameters left out; absent where PyTorch does not tell.
    `gradient_error`: the largest
    |gradient - reference's| / max(1, |reference's|) in float64 over the grid, `gradient_reference`
    being the family's reference form.
    """
    import torch

    reference = _reference(what)
    grid = what.inputs("float32")[0].values
    try:
        mine, other = (_gradient(w, grid) for w in (what, reference))
        batch = torch.from_numpy(grid)
        saved = saved_for_backward(what, batch) if _tells_what_it_saves() else {}
    except Exception as error:  # a module may refuse to be trained; that is what is to be told
        return {"error": described(error).splitlines()[0]}
    errors = (mine - other).abs() / other.abs().clamp(min=1)
    return {
        **saved,
        "gradient_error": float(errors.max()),
        "gradient_reference": reference.name,
    }


def _reference(what: Subject) -> Subject:
    family = [a for a in activations().values() if a.family == what.family]
    name = next((a.name for a in family if a.reference), what.name)
    return subject(name, what.network)


def _tells_what_it_saves() -> bool:
    import torch

    return hasattr(torch.autograd, "graph") and hasattr(torch.Tensor, "untyped_storage")


def saved_for_backward(what: Subject, batch: Tensor) -> dict[str, int]:
    """`saved_tensors` and `saved_bytes` of a float32 `batch`, as `training_facts` gives them."""
    import torch

    module = what.build()
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    # An in-place module may not write to a leaf.
    x = batch.detach().clone().requires_grad_() * 1
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        module(x)
    for parameter in (*module.parameters(), *module.buffers()):
        kept.pop(parameter.untyped_storage().data_ptr(), None)
    return {"saved_tensors": len(kept), "saved_bytes": sum(kept.values())}


def _gradient(what: Subject, grid: Any) -> Tensor:
    """d(sum of output * weights)/d(input) in float64, the weights fixed and all different."""
    import torch

    module = what.build().double()
    leaf = torch.from_numpy(grid).double().requires_grad_()
    output = module(leaf * 1)
    weights = torch.linspace(0.5, 1.5, output.numel(), dtype=torch.float64).reshape(output.shape)
    (gradient,) = torch.autograd.grad((output * weights).sum(), leaf)
    return gradient
