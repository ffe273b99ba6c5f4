"""Which inputs a module takes, where nobody says: channels from its layers, shapes by trying."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from exportcheck.custom.calling import positional
from exportcheck.custom.module_spec import InputSpec
from exportcheck.custom.resolving import complaint
from exportcheck.errors import BadModule
from exportcheck.places import place

if TYPE_CHECKING:
    from torch import nn

CHANNELS = 8
BATCH = 2
SIDES = (16, 32, 64, 224)
LENGTH = 12

_WIDTHS = (
    "in_channels",
    "in_features",
    "num_features",
    "num_channels",
    "num_parameters",
    "normalized_shape",
    "embed_dim",
    "input_size",
    "d_model",
)
"""What layers call the width of what they take."""


_LAST = ("in_features", "normalized_shape", "embed_dim", "input_size", "d_model")
"""Those of layers that work on the last axis."""


@dataclass(frozen=True)
class Guess:
    """Inputs that a module accepts, and how they were found."""

    inputs: tuple[InputSpec, ...]
    how: str


def guess(module: nn.Module, where: str) -> Guess:
    """The first inputs that `module` accepts: NCHW, then (N, C), then (N, L, C).

    Args:
        module: in eval mode.
        where: its file and line.

    Raises:
        BadModule: it accepts none, or fails for a reason that has nothing to do with the shape.
    """
    count = len(positional(module.forward, required=True)) or 1
    failures: list[BadModule] = []
    tried: list[str] = []
    for candidate, how in _candidates(module):
        inputs = (candidate,) * count
        try:
            call(module, [sample(one) for one in inputs], where)
        except BadModule as refusal:
            cause = refusal.__cause__
            if not isinstance(cause, Exception) or "needs CUDA" in str(refusal):
                raise
            failures.append(refusal)
            tried.append(candidate.text)
            continue
        return Guess(inputs, how)
    causes = {(place(f.__cause__), str(f.__cause__)) for f in failures if f.__cause__}
    if len(causes) == 1:
        raise failures[0]
    raise BadModule(
        f"{failures[0]}; so does every other of {len(tried)} shapes up to {tried[-1]}: say what it "
        "takes with --input"
    ) from failures[0].__cause__


def call(module: nn.Module, arrays: Sequence[np.ndarray], where: str) -> Any:
    """What `module` returns for tensors of copies of `arrays`.

    Raises:
        BadModule: it raises, with the line that does.
    """
    import torch

    tensors = [torch.from_numpy(array.copy()) for array in arrays]
    try:
        with torch.no_grad():
            return module(*tensors)
    except (Exception, SystemExit) as error:  # a user's forward may raise anything
        given = ", ".join(f"{x.dtype} {'x'.join(map(str, x.shape)) or 'scalar'}" for x in arrays)
        raise complaint(error, where, f"forward of {given}") from error


def sample(spec: InputSpec, number: int = 0, dtype: str = "float32") -> np.ndarray:
    """A seeded batch: normal with standard deviation 2, or uniform within the input's range.

    Args:
        spec: shape, type and range; integers without a range are 0 to 3, booleans a coin.
        number: of the input, so that two differ.
        dtype: what floats are rounded to first.
    """
    random = np.random.RandomState(number)
    if not spec.floating:
        low = int(spec.low or 0)
        high = int(spec.high) if spec.high is not None else 1 if spec.dtype == "bool" else 3
        return random.randint(low, high + 1, spec.shape).astype(spec.dtype)
    if spec.low is None or spec.high is None:
        values = random.standard_normal(spec.shape) * 2.0
    else:
        values = random.uniform(spec.low, spec.high, spec.shape)
    return np.asarray(values).astype(dtype).astype(spec.dtype)


def _candidates(module: nn.Module) -> Iterator[tuple[InputSpec, str]]:
    """Inputs to try, the likely ones first, each with how it came about."""
    from torch import nn

    widths = _widths(module)
    layers = (m for m in module.modules() if next(m.parameters(recurse=False), None) is not None)
    first = next(layers, None)
    if isinstance(first, nn.Embedding):
        high = float(first.num_embeddings - 1)
        yield InputSpec((BATCH, LENGTH), "int64", 0.0, high), "(N, L), indices of its Embedding"
    # A linear layer would take the last side of an image for its features.
    features = {_width_of(m, name) for m in module.modules() for name in _LAST}
    for width, origin in widths:
        sides = [side for side in SIDES if side not in {width, *features}]
        if isinstance(first, (nn.Conv1d, nn.ConvTranspose1d)):
            yield InputSpec((BATCH, width, sides[1])), f"(N, C, L), {origin}"
        if isinstance(first, (nn.Conv3d, nn.ConvTranspose3d)):
            yield InputSpec((1, width, 8, sides[0], sides[0])), f"(N, C, D, H, W), {origin}"
        for side in sides:
            yield InputSpec((BATCH, width, side, side)), f"NCHW, {origin}"
    for width, origin in widths:
        yield InputSpec((4, width)), f"(N, C), {origin}"
    for width, origin in widths:
        yield InputSpec((BATCH, LENGTH, width)), f"(N, L, C), {origin}"


def _widths(module: nn.Module) -> Sequence[tuple[int, str]]:
    """Channel counts to try, those that the module's first layers name before the default."""
    found: list[tuple[int, str]] = []
    for name, layer in module.named_modules():
        for attribute in _WIDTHS:
            width = _width_of(layer, attribute)
            if width > 1:
                origin = f"{name}.{attribute}".lstrip(".")
                found.append((width, f"{width} channels from {origin}"))
    for name, parameter in module.named_parameters():
        sizes = [size for size in parameter.shape if size > 1]
        found += [(size, f"{size} channels from the shape of {name}") for size in sizes[:1]]
    found += [(CHANNELS, f"{CHANNELS} channels"), (3, "3 channels")]
    first: dict[int, str] = {}
    for width, origin in found:
        first.setdefault(width, origin)
    return list(first.items())[:4]


def _width_of(layer: nn.Module, attribute: str) -> int:
    """What a layer says of its width; 0 where it says nothing."""
    width = getattr(layer, attribute, 0)
    width = width[-1] if isinstance(width, tuple) and width else width
    return width if isinstance(width, int) else 0
