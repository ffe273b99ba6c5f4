from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exportcheck.covering import cover
from exportcheck.results import Case

NETWORKS = ("bare", "conv", "linear")
TARGETS = {
    "torchscript-trace": ("libtorch",),
    "torchscript-script": ("libtorch",),
    "onnx-trace-opset13": ("onnxruntime",),
    "onnx-trace-opset17": ("onnxruntime",),
    "onnx-dynamo-opset18": ("onnxruntime",),
    "coreml-fp32": ("coreml", "mil-numpy"),
    "coreml-fp16": ("coreml", "mil-numpy"),
    "coreml-export-fp32": ("coreml", "mil-numpy"),
}
CASES = [
    Case("celu", network, target, runtime, "torch-2.13")
    for network in NETWORKS
    for target, runtimes in TARGETS.items()
    for runtime in runtimes
]


def chosen(networks=NETWORKS, targets=tuple(TARGETS), runtimes=None):
    return [
        c
        for c in CASES
        if c.network in networks
        and any(fnmatchcase(c.target, t) for t in targets)
        and (runtimes is None or c.runtime in runtimes)
    ]


@pytest.mark.parametrize(
    ("wanted", "any_runtime", "patterns"),
    [
        (chosen(["bare"], ["coreml-fp16"], ["mil-numpy"]), False, ["bare/coreml-fp16/mil-numpy"]),
        (chosen(targets=["coreml-fp16"], runtimes=["mil-numpy"]), True, ["*/coreml-fp16/*"]),
        (chosen(targets=["coreml-fp16"]), True, ["*/coreml-fp16/*"]),
        (chosen(targets=["coreml-fp*"]), True, ["*/coreml-fp*/*"]),
        (chosen(targets=["coreml-*"]), True, ["*/coreml-*/*"]),
        (chosen(["bare"], ["*fp32"], ["mil-numpy"]), False, ["bare/coreml-*fp32/mil-numpy"]),
        (chosen(targets=["onnx-*"]), False, ["*/onnx-*/onnxruntime"]),
        (chosen(targets=["onnx-trace-*"]), False, ["*/onnx-trace-opset1*/onnxruntime"]),
        (
            chosen(["bare", "conv"], ["torchscript-*"]),
            True,
            ["bare/torchscript-*/*", "conv/torchscript-*/*"],
        ),
        (CASES, True, ["*/*/*"]),
    ],
)
def test_the_patterns_a_person_would_write(wanted, any_runtime, patterns):
    found = list(cover(wanted, CASES, any_runtime=any_runtime))
    assert found == [f"celu/{pattern}/torch-2.13" for pattern in patterns]


def test_other_activations_and_toolchains_are_no_concern():
    others = [
        Case(a, c.network, c.target, c.runtime, t)
        for c, (a, t) in product(CASES, (("celu-elu", "torch-2.13"), ("celu", "torch-1.7")))
    ]
    (pattern,) = cover(CASES, [*CASES, *others], any_runtime=True)
    assert not any(fnmatchcase(case.id, pattern) for case in others)


def test_names_with_wildcards_are_taken_literally():
    odd = Case("a[1]*", "bare", "t", "r", "x")
    (pattern,) = cover([odd], [odd, Case("a1b", "bare", "t", "r", "x")], any_runtime=False)
    assert fnmatchcase(odd.id, pattern)
    assert not fnmatchcase("a1b/bare/t/r/x", pattern)


@given(st.sets(st.sampled_from(CASES), min_size=1), st.booleans())
def test_all_of_the_wanted_and_none_of_the_others(wanted, any_runtime):
    patterns = list(cover(wanted, CASES, any_runtime=any_runtime))
    matched = {case for case in CASES for p in patterns if fnmatchcase(case.id, p)}
    places = {(case.network, case.target) for case in wanted}
    twins = {c for c in CASES if any_runtime and (c.network, c.target) in places}
    assert matched == wanted | twins
    assert len(patterns) <= len(wanted)
