"""The last operator of a classifier.

Source: `iOS15/classify.py` in coremltools 9.0, converters/mil/mil/ops/defs.
"""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from exportcheck.mil.registry import op

Array = np.ndarray


@op
def classify(probabilities: Array, classes: Sequence[Any]) -> tuple[Any, dict[Any, float]]:
    """The class of the largest probability, and every class with its own.

    Classes are strings or integers, as many as there are probabilities, which are taken in order
    whatever their shape. The first of equals wins; NaN counts as larger than any number.
    """
    if probabilities.size != len(classes):
        raise ValueError(f"{probabilities.size} probabilities for {len(classes)} classes")
    labels = [label if isinstance(label, str) else int(label) for label in classes]
    values = probabilities.ravel().tolist()
    return labels[int(np.argmax(probabilities))], dict(zip(labels, values))
