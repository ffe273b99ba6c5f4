from __future__ import annotations

import coremltools as ct
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from tests.mil.support import convert, operator


@pytest.mark.parametrize(
    ("probabilities", "label"),
    [
        ([0.25, 0.5, 0.25], "b"),
        ([[0.25, 0.25, 0.5]], "c"),
        ([0.5, 0.5, 0.0], "a"),
        ([-np.inf, -1.0, -2.0], "b"),
        ([0.0, np.inf, 1.0], "b"),
        ([0.0, 1.0, np.nan], "c"),
    ],
)
def test_label_is_that_of_the_largest(probabilities, label):
    values = np.array(probabilities, np.float32)
    found, table = operator("classify")(values, ("a", "b", "c"))
    assert found == label
    np.testing.assert_array_equal([table[k] for k in "abc"], values.ravel())


def test_every_label_needs_its_probability():
    with pytest.raises(ValueError, match="3 probabilities for 2 classes"):
        operator("classify")(np.zeros(3, np.float32), ("a", "b"))


@pytest.mark.parametrize("labels", [["cat", "dog", "owl"], [3, -7, 2**40]])
@pytest.mark.parametrize("seed", range(3))
def test_saved_classifier_against_numpy(labels, seed, tmp_path):
    program = convert(
        lambda x: mb.softmax(x=x, axis=1),
        [mb.TensorSpec((1, 3))],
        tmp_path,
        classifier_config=ct.ClassifierConfig(labels),
    )
    x = np.random.default_rng(seed).normal(size=(1, 3)).astype(np.float32)
    outputs = program.predict({"x": x})
    exact = np.exp(x.astype(float)).ravel()
    assert outputs["classLabel"] == labels[int(np.argmax(x))]
    assert isinstance(outputs["classLabel"], type(labels[0]))
    probabilities = outputs["classLabel_probs"]
    assert list(probabilities) == labels
    np.testing.assert_allclose(list(probabilities.values()), exact / exact.sum(), rtol=1e-6)
