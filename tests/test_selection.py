from __future__ import annotations

import pytest

from exportcheck.errors import UsageError
from exportcheck.results import Case
from exportcheck.selection import Selection, all_cases, choose, current_toolchain
from exportcheck.targets import targets

CASES = all_cases("torch-2.13")
OLD_TARGETS = {f"onnx-trace-opset{n}" for n in (9, 11, 12, 14)} | {"coreml-neuralnetwork"}


def ids(**options) -> list[str]:
    return [case.id for case in choose(Selection(**options), CASES)]


def test_no_option_means_every_case():
    assert choose(Selection(), CASES) == CASES
    assert len({case.id for case in CASES}) == len(CASES)


def test_cases_of_one_activation_and_network_are_neighbours():
    seen = [(case.activation, case.network) for case in CASES]
    groups = [key for key, previous in zip(seen, [None, *seen], strict=False) if key != previous]
    assert len(groups) == len(set(groups))


def test_every_runtime_that_can_run_here_is_there_and_no_other():
    pairs = {(case.target, case.runtime) for case in CASES}
    assert pairs == {
        (t.name, r.name)
        for t in targets().values()
        for r in t.runtimes
        if r.missing() is None and t.name not in OLD_TARGETS
    }


def columns(toolchain):
    return [
        c.target for c in all_cases(toolchain) if c.activation == "silu" and c.network == "bare"
    ]


def test_a_toolchain_has_the_targets_that_are_for_its_versions():
    assert columns("torch-1.7") == [
        "torchscript-trace",
        "torchscript-script",
        *(f"onnx-trace-opset{opset}" for opset in (9, 11, 12)),
        "coreml-neuralnetwork",
    ]
    assert "onnx-trace-opset14" not in columns("torch-1.9")
    assert "onnx-trace-opset14" in columns("torch-1.10")
    assert not OLD_TARGETS & set(columns("torch-2.13"))


def test_with_another_coremltools_there_is_nothing_but_core_ml():
    assert columns("torch-1.7+coremltools-4.1") == ["coreml-neuralnetwork"]
    assert columns("torch-1.7+coremltools-5.0") == ["coreml-fp32", "coreml-fp16"]


def test_a_target_of_other_versions_is_said_to_be_one():
    with pytest.raises(UsageError, match=r"opset11 is for torch <2\.10, not for torch-2"):
        choose(Selection(targets=["onnx-trace-opset11"]), CASES)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"select": ["silu/bare/torch-export/*"]}, ["silu/bare/torch-export/torch/torch-2.13"]),
        (
            {"families": ["relu6"], "targets": ["onnx-trace-*"], "networks": ["bare"]},
            [f"relu6/bare/onnx-trace-opset{n}/onnxruntime/torch-2.13" for n in (13, 17, 20)],
        ),
        (
            {"families": ["relu6"], "targets": ["torch*"], "skip": ["*/conv/*", "*/linear/*"]},
            [
                "relu6/bare/torchscript-trace/libtorch/torch-2.13",
                "relu6/bare/torchscript-script/libtorch/torch-2.13",
                "relu6/bare/torch-export/torch/torch-2.13",
            ],
        ),
    ],
)
def test_options_narrow_each_other(options, expected):
    assert ids(**options) == expected


def test_repeated_patterns_widen():
    assert len(ids(select=["relu/bare/*", "tanh/bare/*"])) == 2 * len(ids(select=["tanh/bare/*"]))


def test_quick_is_bare_and_one_variant_of_each_exporter():
    chosen = choose(Selection(quick=True), CASES)
    assert {case.network for case in chosen} == {"bare"}
    asked = {case.target for case in chosen}
    groups = [targets()[name].group for name in asked]
    assert len(groups) == len(set(groups)) == len({t.group for t in targets().values()})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"targets": ["qqq"]}, "no target 'qqq'; there are: torchscript-trace, torchscript-script"),
        ({"networks": ["qqq"]}, "no network 'qqq'; there are: bare"),
        ({"select": ["slu/*"]}, "no activation 'slu'; nearest: silu"),
        ({"select": ["silu/bar/*"]}, "no network 'bar'; nearest: bare"),
        ({"select": ["silu"]}, "five parts"),
        (
            {"select": ["silu/*/torch-1.7"]},
            "matches no case: torch-1.7 is not among the toolchains asked for: torch-2.13",
        ),
        ({"skip": ["hardwish/*"]}, "nearest: hardswish"),
        ({"families": ["hardswich"]}, "no family 'hardswich'; nearest: hardswish"),
        ({"targets": ["onnx-dynamo-18"]}, "no target 'onnx-dynamo-18'; nearest: onnx-dynamo"),
        ({"networks": ["convolution"]}, "no network 'convolution'"),
        ({"families": ["glu"], "select": ["silu/*"]}, "no case fits all options together"),
    ],
)
def test_a_name_that_matches_nothing_is_told_with_the_nearest(options, words):
    with pytest.raises(UsageError, match=words.replace("?", r"\?")):
        ids(**options)


def test_the_toolchain_is_named_after_the_installed_torch():
    import torch

    assert current_toolchain() == "torch-" + ".".join(torch.__version__.split(".")[:2])


def test_a_case_id_is_its_five_names():
    assert Case("a", "b", "c", "d", "e").id == "a/b/c/d/e"
