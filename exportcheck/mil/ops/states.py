"""Reading and writing a state, the tensor that outlives a prediction.

A state arrives as its name; its value lies in the caller's state, rounded to the type it is stored
in. A saved program writes with `write_state`, which returns nothing: coremltools takes apart the
`coreml_update_state` of its own dialect into it and a `read_state`.

Source: `iOS18/states.py` and `coreml_dialect/ops.py` in coremltools 9.0,
converters/mil/mil/ops/defs, and converters/mil/backend/mil/load.py, which names the inputs of
`write_state`.
"""

from __future__ import annotations

import numpy as np

from exportcheck.mil.evaluator import Context
from exportcheck.mil.registry import op

Array = np.ndarray


@op(since="CoreML8")
def read_state(input: str, context: Context) -> Array:
    """What the state holds now; a later write does not change what was read."""
    value: Array = context.state[input]
    return value


@op(since="CoreML8")
def write_state(input: str, data: Array, context: Context) -> tuple[()]:
    """Puts `data` in the state, rounded to the state's own type even where nothing else is."""
    stored = context.state[input]
    if data.shape != stored.shape:
        raise ValueError(f"shape {data.shape} for state {input!r} of shape {stored.shape}")
    context.state[input] = data.astype(stored.dtype)
    return ()
