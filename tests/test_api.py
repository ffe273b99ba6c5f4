from __future__ import annotations

import inspect
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

import exportcheck
from exportcheck.api import explained
from exportcheck.errors import BadModule, UsageError
from exportcheck.results import Status
from tests.user_code import bad, good

TRACE = ["torchscript-trace"]


def statuses(report):
    return {r.case.target: r.status for r in report.results}


def test_the_package_imports_no_torch_and_says_what_it_has():
    program = (
        "import sys, exportcheck\n"
        "assert {'check', 'assert_exportable', 'make_exportable'} <= set(dir(exportcheck))\n"
        "assert 'torch' not in sys.modules\n"
        "exportcheck.check\n"
        "import exportcheck.stages\n"
        "assert callable(exportcheck.check)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_name_that_it_has_not():
    with pytest.raises(AttributeError, match="has no attribute 'chekc'"):
        exportcheck.chekc  # noqa: B018  # asked for, that is the test


def test_a_trace_that_kept_one_side_of_a_branch_on_data_is_seen():
    report = exportcheck.check(good.Sided(), torch.rand(2, 3), targets=TRACE)
    (result,) = report.results
    assert result.status is Status.MISMATCH
    failing = [n for n, c in result.comparisons.items() if c.gates and not c.close]
    assert failing == ["negated"]
    _, first = inspect.getsourcelines(good.Sided.forward)
    fixed = f"the trace fixes what forward decides by data at tests/user_code/good.py:{first + 1}"
    assert f"do: {fixed}: compute it with tensors" in explained(report)


def test_a_tail_that_becomes_infinite_behind_a_layer_is_seen():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(8, 8), nn.LogSigmoid())
    report = exportcheck.check(module, torch.randn(2, 8), targets=["onnx-trace-opset17"])
    (result,) = report.results
    assert result.status is Status.MISMATCH
    assert [n for n, c in result.comparisons.items() if c.gates and not c.close] == ["scaled"]
    assert result.message.startswith("scaled: inf-made")


def test_a_report_of_a_module():
    report = exportcheck.check(
        good.Hard(), torch.randn(2, 3), targets=["torchscript-*", "onnx-trace-opset17"]
    )
    assert set(statuses(report).values()) == {Status.PASS}
    assert [r.case.activation for r in report.results] == ["Hard"] * 3
    assert report.environment["versions"]["torch"].startswith("2.")
    assert {"given", "grid", "knees"} <= set(report.results[0].comparisons)


def test_a_report_prints_as_the_matrix(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    report = exportcheck.check(good.Block(), targets="coreml-fp32")
    lines = str(report).splitlines()
    assert lines[0] == ("Block ships nowhere; Core ML fails: no translation for aten::log_sigmoid")
    assert any(line.split()[:2] == ["family", "/"] for line in lines)
    assert any(line.startswith("Block") and "✗ export" in line for line in lines)
    assert lines[-2:] == ["1 case: 0 pass, 1 error; known: 0, new: 1", "not as expected: 1 new"]
    assert max(map(len, lines[1:])) <= 80


def test_one_target_needs_no_list():
    (result,) = exportcheck.check(nn.ReLU(), targets="torch-export").results
    assert result.case.target == "torch-export"


def test_inputs_of_any_structure():
    class Net(nn.Module):
        def forward(self, x, pair, *, mask=None):
            return {"a": x * pair[0], "b": torch.where(mask["m"], x, pair[1])}

    x = torch.randn(2, 3)
    given = {"x": x, "pair": [x + 1, x + 2], "mask": {"m": x > 0}}
    report = exportcheck.check(Net(), given, targets=TRACE, name="net/1")
    (result,) = report.results
    assert (result.status, result.case.activation) == (Status.PASS, "net_1")
    assert {"given[0]", "given[1]"} <= set(result.comparisons)


def test_a_function_and_guessed_inputs():
    report = exportcheck.check(good.swish, targets=["torchscript-script"])
    assert statuses(report) == {"torchscript-script": Status.PASS}


def test_other_sizes():
    report = exportcheck.check(good.Hard(), torch.randn(2, 3), targets=TRACE, dynamic=[0])
    assert "size 3x3" in report.results[0].comparisons


def test_what_is_only_noted_fails_where_that_is_asked_for():
    softshrink, target = nn.Softshrink(), ["onnx-trace-opset17"]
    assert exportcheck.check(softshrink, targets=target).failures == ()
    assert exportcheck.check(softshrink, targets=target, strict=True).failures


def test_the_module_and_the_random_numbers_of_the_caller_stay_as_they_were():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout()).train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)
    expected = torch.rand(1), random.random(), np.random.rand()
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)
    exportcheck.check(module, torch.ones(1, 3, 8, 8), targets=TRACE)
    assert (torch.rand(1), random.random(), np.random.rand()) == expected
    assert module.training
    assert module[2].training
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_what_exporters_print_is_in_the_log_and_nowhere_else(capsys):
    exportcheck.check(bad.Prints(), torch.ones(2, 2), targets=TRACE)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_what_torchscript_compiled_is_checked_like_any_module():
    module = torch.jit.script(nn.Sequential(nn.Linear(4, 4), nn.ReLU()))
    targets = ["torchscript-*", "onnx-trace-opset17", "torch-export"]
    report = exportcheck.check(module, torch.randn(2, 4), targets=targets)
    assert [(r.case.activation, r.status) for r in report.results] == [
        ("Sequential", Status.PASS),
        ("Sequential", Status.PASS),
        ("Sequential", Status.ERROR),
        ("Sequential", Status.PASS),
    ]
    assert "Exporting a ScriptModule is not supported" in report.failures[0].message


def test_a_green_assertion_returns_the_report():
    report = exportcheck.assert_exportable(nn.ReLU(), torch.ones(2, 3), targets=TRACE)
    assert report.green


def test_a_failing_assertion_shows_the_worst_point_and_what_to_do():
    with pytest.raises(AssertionError) as caught:
        exportcheck.assert_exportable(
            good.sharp, targets=["onnx-trace-opset17", "onnx-dynamo-opset18"]
        )
    text = str(caught.value)
    assert text.startswith("Softplus ships to ONNX dynamo; ONNX trace gives wrong numbers")
    assert "1.3132617 where eager gives 1.0000001 at x = 1.0000001" in text
    assert "blame: exporter" in text
    assert "do: export by onnx-dynamo-opset18" in text


def test_a_failing_operator_is_named_with_its_line():
    with pytest.raises(AssertionError, match=r"aten::log_sigmoid in act, .*good\.py:\d+"):
        exportcheck.assert_exportable(good.Block(), targets=["coreml-fp32"])


@pytest.mark.parametrize(
    ("module", "given", "error", "words"),
    [
        (bad.Random(), torch.ones(2), BadModule, "draws random numbers"),
        (bad.Text(), torch.ones(2), BadModule, "returns an object of type str"),
        (bad.Exits(), torch.ones(2), BadModule, "calls sys.exit"),
        (bad.Shape(), torch.ones(2), BadModule, "not enough values"),
        (3, torch.ones(2), UsageError, "an nn.Module or a function was expected"),
        (good.Hard, torch.ones(2), UsageError, "an nn.Module or a function was expected"),
        (good.Hard(), (torch.ones(2), object()), UsageError, "holds object"),
        (good.gate, [torch.ones(2), torch.ones(2)], BadModule, r"in a tuple, as \(x, y\)"),
        (good.Hard(), (torch.ones(2), torch.ones(2)), BadModule, r"in another, \(\(x, y\),\)"),
        (good.Hard(), torch.ones(0, 8), BadModule, "input 0x8: no elements"),
        (lambda x: x[x > 9], torch.ones(2, 8), BadModule, r"returns float32 0, no elements"),
    ],
)
def test_bad_input_is_one_line(module, given, error, words):
    with pytest.raises(error, match=words) as caught:
        exportcheck.check(module, given, targets=TRACE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("axis", [2, -1])
def test_an_axis_that_no_input_has(axis):
    words = f"dynamic axis {axis}: no input has it; 2x8 has 0 to 1"
    with pytest.raises(BadModule, match=words):
        exportcheck.check(nn.ReLU(), torch.ones(2, 8), targets=TRACE, dynamic=[axis])


def test_one_input_of_several_may_be_empty():
    report = exportcheck.check(
        lambda x, past: torch.cat([past, x]), (torch.ones(2, 3), torch.ones(0, 3)), targets=TRACE
    )
    assert report.green


def test_an_unknown_target():
    with pytest.raises(UsageError, match="no target 'onxn'"):
        exportcheck.check(nn.ReLU(), targets=["onxn"])
