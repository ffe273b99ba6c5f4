"""`exportcheck check --exhaustive` over a few pieces of the line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exportcheck.errors import BadModule
from exportcheck.exhaustive import line, proof
from exportcheck.worker_process import WorkerProcess

GOOD = Path(__file__).parents[1] / "user_code" / "good.py"
PIECES = (0, 2048, 0x3F800000 // line.PIECE)


@pytest.fixture(scope="module")
def shared():
    worker = WorkerProcess()
    yield worker
    worker.close()


@pytest.fixture
def check(cli, shared, monkeypatch):
    """With a line of three pieces, by one worker."""
    monkeypatch.setattr("exportcheck.cli.checking.WorkerProcess", lambda: shared)
    monkeypatch.setattr("exportcheck.cli.proving.default_jobs", lambda: 1)
    monkeypatch.setattr(WorkerProcess, "close", lambda self: None)
    monkeypatch.setattr(WorkerProcess, "kill", lambda self: None)
    monkeypatch.setattr(line, "outward", lambda: PIECES)
    monkeypatch.setattr(line, "TOTAL", len(PIECES) * line.PIECE)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: cli("check", *arguments, "--exhaustive", "--no-rewrite")


def test_a_form_is_proved_and_the_reports_say_so(check, tmp_path):
    done = check("hardswish-relu6", "--target", "torchscript-trace", "-o", tmp_path)
    assert done.code == 0, done.err
    assert (
        f"torchscript-trace/libtorch: correct on all {proof.EVERY} inputs within 0 ULP" in done.out
    )
    (result,) = json.loads((tmp_path / "matrix.json").read_text())["results"]
    assert result["actual"]["every_float32"].endswith("within 0 ULP")
    assert result["notes"] == []
    figures = json.loads((tmp_path / "exhaustive-hardswish-relu6.json").read_text())
    assert figures["tried"] == line.TOTAL
    assert (tmp_path / "exhaustive-hardswish-relu6.svg").read_text().startswith("<svg")


def test_a_module_of_ones_own(check):
    done = check(f"{GOOD}:Hard", "--target", "onnx-trace-opset17")
    assert done.code == 0, done.err
    assert "good.py:Hard at every float32 number" in done.out


WRONG = """
import torch

class Act(torch.nn.Module):
    def forward(self, x):
        one = (x > 1.0000004) & (x < 1.00000055)
        return x if torch.jit.is_tracing() else torch.where(one, x + 1, x)
"""


def test_one_wrong_number_is_found_and_ends_with_1(check, tmp_path):
    (tmp_path / "act.py").write_text(WRONG)
    done = check(f"{tmp_path / 'act.py'}:Act", "--target", "torchscript-trace")
    assert done.code == 1
    assert "gives wrong numbers" in done.out
    assert "1 case: 0 pass, 1 mismatch" in done.out
    assert "wrong at 1 of" in done.out
    assert "1.00000048 where eager gives 2.00000048 at x = 1.00000048" in done.out


def test_a_counterexample_fails_the_case_even_where_the_proof_was_stopped(
    check, monkeypatch, tmp_path
):
    def stopped(self, pieces, timeout_s):
        yield from whole(self, [p for p in pieces if p == PIECES[2]], timeout_s)
        raise KeyboardInterrupt

    whole = WorkerProcess.prove
    monkeypatch.setattr(WorkerProcess, "prove", stopped)
    (tmp_path / "act.py").write_text(WRONG)
    done = check(f"{tmp_path / 'act.py'}:Act", "--target", "torchscript-trace", "-o", tmp_path)
    assert done.code == 130
    assert "gives wrong numbers" in done.out
    (result,) = json.loads((tmp_path / "matrix.json").read_text())["results"]
    assert result["status"] == "mismatch"
    assert result["message"].startswith("every float32: wrong at 1 of 1 048 576 inputs")


def test_where_no_runtime_can_be_tried_nothing_is_proved(check, tmp_path):
    source = "import torch\nclass Act(torch.nn.Module):\n    def forward(self, x):\n"
    (tmp_path / "act.py").write_text(f"{source}        return x > 0\n")
    done = check(f"{tmp_path / 'act.py'}:Act", "--target", "torchscript-trace")
    assert done.code == 2
    assert done.err.splitlines()[-1].endswith(
        "Act: no input can be tried by torchscript-trace/libtorch: ValueError: gives bool "
        "(128, 8, 16, 16) where float32 was expected"
    )


def test_what_is_not_kept_does_not_go_on(check, monkeypatch, tmp_path):
    def stopped(self, pieces, timeout_s):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(WorkerProcess, "prove", stopped)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EXPORTCHECK_CACHE", str(tmp_path / "file"))
    done = check("relu6", "--target", "torchscript-trace")
    assert done.code == 130
    assert "it cannot be resumed" in done.err
    assert "goes on" not in done.err


def test_what_was_stopped_goes_on_where_it_was(check, monkeypatch):
    whole, asked = WorkerProcess.prove, []

    def stopped(self, pieces, timeout_s):
        asked.append(pieces)
        answers = list(whole(self, pieces, timeout_s))
        yield from answers[:1] if len(asked) == 1 else answers
        if len(asked) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(WorkerProcess, "prove", stopped)
    arguments = ("relu6", "--target", "torchscript-trace")
    first = check(*arguments)
    assert first.code == 130
    assert "goes on from here" in first.err
    assert "no counterexample in the 1 048 576 of" in first.out
    second, third = check(*arguments), check(*arguments)
    assert second.code == third.code == 0
    assert [len(pieces) for pieces in asked] == [3, 2]
    assert "correct on all" in second.out
    assert third.out == second.out


def test_a_worker_that_dies_ends_it_with_a_line(check, monkeypatch):
    def dies(self, pieces, timeout_s):
        raise BadModule("trying every input: the process dies")
        yield

    monkeypatch.setattr(WorkerProcess, "prove", dies)
    done = check("relu6", "--target", "torchscript-trace")
    assert done.code == 2
    assert done.err.endswith("exportcheck: relu6: trying every input: the process dies\n")
    assert "1 case: 1 pass" in done.out


@pytest.mark.parametrize("name", ["softmax-dim1", "glu"])
def test_what_is_not_elementwise_is_refused_before_anything_runs(check, name):
    done = check(name)
    assert done.code == 2
    assert done.err.startswith(f"exportcheck: --exhaustive: {name} is not elementwise")
    assert len(done.err.splitlines()) == 1
    assert done.out == ""


def test_what_raises_for_some_number_is_refused_with_what_it_raises(check, tmp_path):
    (tmp_path / "act.py").write_text(RAISES)
    done = check(f"{tmp_path / 'act.py'}:Act", "--target", "torchscript-trace")
    assert done.code == 2
    assert "Act does not take every number: ValueError: no NaN, please; only what" in done.err
    assert len(done.err.splitlines()) == 1


RAISES = """
import torch

class Act(torch.nn.Module):
    def forward(self, x):
        if torch.isnan(x).any():
            raise ValueError("no NaN, please")
        return x.relu()
"""


def test_a_range_is_refused(check):
    done = check(f"{GOOD}:Hard", "--input", "2x8x4x4:0..1")
    assert done.code == 2
    assert "--exhaustive tries every number" in done.err


def test_a_network_is_refused(check):
    done = check("relu6", "--network", "conv")
    assert done.code == 2
    assert "--exhaustive: relu6 in a network" in done.err


def test_a_function_for_each_channel_is_refused_after_the_check(check):
    done = check("acon-c", "--target", "torchscript-trace")
    assert done.code == 2
    assert "another function at each place" in done.err
    assert "1 case: 1 pass" in done.out


def test_a_simulated_runtime_is_tried_only_by_name(check):
    done = check("relu6", "--target", "coreml-*", "--target", "torchscript-trace")
    assert "mil-numpy: " not in done.out
    done = check("relu6", "--target", "coreml-fp32")
    assert "coreml-fp32/mil-numpy: correct on all" in done.out
