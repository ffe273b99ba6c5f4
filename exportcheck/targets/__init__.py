"""The targets: every file here ends in `TARGETS`; other packages add theirs."""

from __future__ import annotations

from functools import lru_cache

from exportcheck.discover import modules
from exportcheck.targets.interface import Target

__all__ = ["Target", "targets"]

# Columns of the matrix go from PyTorch outwards; what is not named here comes last.
_GROUPS = ("torch.jit", "torch export", "ONNX trace", "ONNX dynamo", "Core ML")


@lru_cache(maxsize=None)
def targets() -> dict[str, Target]:
    """Every target by name, those of one exporter together."""
    from exportcheck.plugins import plugged_targets

    found: list[Target] = [t for module in modules(__name__) for t in module.TARGETS]
    found += plugged_targets([target.name for target in found])
    found.sort(key=lambda t: _GROUPS.index(t.group) if t.group in _GROUPS else len(_GROUPS))
    return {target.name: target for target in found}
