from __future__ import annotations

import pytest

from exportcheck.custom.module_spec import InputSpec, ModuleSpec
from exportcheck.custom.modules import module_subject
from exportcheck.errors import BadModule
from exportcheck.exhaustive.preparing import prepare
from exportcheck.exhaustive.prover import CHUNK
from exportcheck.subject import subject

RUNS = [("torchscript-trace", "libtorch")]


def prepared(tmp_path, source, runs=RUNS, shape=(2, 8, 4, 4)):
    """What comes of a class `Act` of this forward."""
    path = tmp_path / "act.py"
    path.write_text(
        f"import torch\nclass Act(torch.nn.Module):\n    def forward(self, x):\n{source}"
    )
    spec = ModuleSpec(f"{path}:Act", inputs=(InputSpec(shape),))
    return prepare(module_subject(spec, "bare"), runs, spec.to_json())


def test_a_call_takes_a_chunk():
    ready = prepare(subject("relu", "bare"), RUNS, None)
    assert ready.prover.proving.shape[1:] == (8, 16, 16)
    assert ready.prover.proving.shape[0] * 8 * 16 * 16 == CHUNK
    assert list(ready.prover.proving.load) == ["torchscript-trace/libtorch"]
    assert ready.prover.proving.wide
    assert ready.prover.largest > 1e38
    assert ready.key


def test_the_largest_answer_is_that_of_eager():
    assert prepare(subject("relu6", "bare"), RUNS, None).prover.largest == 6.0


def test_the_key_is_that_of_the_content(tmp_path):
    def key(source, name):
        (tmp_path / name).mkdir()
        return prepared(tmp_path / name, source).key

    one = key("        return x * 2\n", "a")
    assert one != key("        return x * 3\n", "b")
    names = [("torchscript-trace", "libtorch"), ("torchscript-script", "libtorch")]
    both = prepare(subject("relu", "bare"), names, None).key
    assert both != prepare(subject("relu", "bare"), RUNS, None).key
    assert both == prepare(subject("relu", "bare"), list(reversed(names)), None).key


def test_what_cannot_be_exported_is_refused_and_the_rest_is_not():
    ready = prepare(subject("silu-memory-efficient", "bare"), RUNS, None)
    assert not ready.prover.proving.load
    assert "_SiLUFunction" in ready.refused["torchscript-trace/libtorch"]


def test_a_module_that_insists_on_its_size_keeps_it(tmp_path):
    source = "        return x.reshape(2, 8, 4, 4) * 2\n"
    assert prepared(tmp_path, source).prover.proving.shape == (2, 8, 4, 4)


def test_a_module_that_insists_on_float32_has_no_truth(tmp_path):
    source = "        return x.float() * torch.ones(1, dtype=torch.float32)\n"
    assert not prepared(tmp_path, source).prover.proving.wide


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("softmax-dim1", "softmax-dim1: not elementwise"),
        ("acon-c", "another function at each place"),
    ],
)
def test_what_has_too_many_inputs_is_refused_in_one_line(name, words):
    with pytest.raises(BadModule, match=words) as refusal:
        prepare(subject(name, "bare"), RUNS, None)
    assert "\n" not in str(refusal.value)
