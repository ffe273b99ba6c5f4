from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from exportcheck.reading import read
from exportcheck.results import Case
from exportcheck.worker_pipe import WorkerDied
from exportcheck.worker_process import WorkerProcess

USER_CODE = Path(__file__).parents[2] / "user_code"
GOOD, BAD = USER_CODE / "good.py", USER_CODE / "bad.py"


@pytest.fixture(scope="module")
def shared():
    """One worker for all that run here; starting one takes longer than what they ask of it."""
    worker = WorkerProcess()
    yield worker
    worker.close()


@pytest.fixture
def check(cli, shared, monkeypatch):
    """`exportcheck check …` by the shared worker, which outlives those that end it."""
    monkeypatch.setattr("exportcheck.cli.checking.WorkerProcess", lambda: shared)
    monkeypatch.setattr(WorkerProcess, "close", lambda self: None)
    monkeypatch.setattr(WorkerProcess, "kill", lambda self: None)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: cli("check", *arguments)


def test_what_ships_is_said_in_one_line_and_ends_with_0(check):
    done = check(f"{GOOD}:Hard", "--target", "torchscript-*")
    assert done.code == 0, done.err
    first, second, third = done.out.splitlines()[:3]
    assert first == "good.py:Hard ships to TorchScript"
    assert "float32 2x8x16x16 (guessed: NCHW, 8 channels; else say --input)" in second
    assert "good.py:" in second
    assert "elementwise, probed around" in third
    assert "2 cases: 2 pass" in done.out
    assert done.err == ""


def test_what_fails_says_operator_line_blame_and_what_to_do_and_ends_with_1(check):
    done = check(f"{GOOD}:Block", "--target", "coreml-fp32", "--target", "torch-export")
    assert done.code == 1
    line = next(
        i for i, text in enumerate(GOOD.read_text().splitlines(), 1) if "self.act(self" in text
    )
    assert done.out.splitlines()[0] == (
        "good.py:Block ships to torch.export; Core ML fails: no translation for aten::log_sigmoid"
    )
    for words in (
        "✗ good.py:Block  coreml-fp32  export",
        f"aten::log_sigmoid in act, tests/user_code/good.py:{line}",
        "blame: exporter: no translation for aten::log_sigmoid",
        "do: use the form below, LogSigmoidSoftplus()",
        "class LogSigmoidSoftplus(nn.Module):",
        "model.act = LogSigmoidSoftplus()",
    ):
        assert words in done.out, done.out
    code = done.out.partition("\nimport torch")[2].partition("model.act")[0]
    compile(f"import torch{code}", "pasted", "exec")


def test_no_form_is_looked_for_on_demand(check):
    done = check(f"{GOOD}:Block", "--target", "coreml-fp32", "--no-rewrite")
    assert "LogSigmoidSoftplus" not in done.out
    assert "--repro DIR" in done.out


def test_notes_fail_nothing_unless_strict(check):
    done = check("softshrink", "--target", "onnx-trace-opset17", "--no-rewrite")
    assert done.code == 0
    assert "nan: nan-lost 4096 of 4096: 0 where eager gives nan" in done.out
    done = check("softshrink", "--target", "onnx-trace-opset17", "--strict", "--no-rewrite")
    assert done.code == 1


def test_arguments_inputs_axes_and_weights(check, tmp_path):
    torch.save({"slope": torch.linspace(0.1, 0.9, 5)}, tmp_path / "weights.pt")
    done = check(
        f"{GOOD}:Slopes",
        *("--input", "3x5x4"),
        *("--dynamic", "0,2"),
        *("--state", tmp_path / "weights.pt"),
        *("--target", "torchscript-trace"),
    )
    assert done.code == 0, done.err
    assert "size 4x5x5, size 6x5x8" in done.out
    done = check(f"{GOOD}:Scaled", "--arg", "by=3.0", "--target", "torchscript-trace")
    assert done.out.startswith("good.py:Scaled(by=3.0) ships to TorchScript")


def test_several_inputs_by_name_and_a_dictionary_of_outputs(check):
    done = check(
        f"{GOOD}:Named",
        *("--input", "mask=2x3:bool"),
        *("--input", "x=2x3"),
        *("--target", "onnx-trace-opset17"),
    )
    assert done.code == 0, done.out
    assert "float32 2x3, bool 2x3 -> float32 2x3, int64 2" in done.out


@pytest.mark.parametrize(
    ("name", "code", "word"), [("Square", 0, "right"), ("WrongSquare", 1, "wrong")]
)
def test_the_gradient_counts_where_it_is_asked_for(check, name, code, word):
    done = check(f"{GOOD}:{name}", "--train-check", "--target", "onnx-trace-opset17")
    assert (done.code, f"gradient: {word}" in done.out) == (code, True), done.out
    wrong = word == "wrong"
    assert ("its gradient is wrong" in done.out.splitlines()[0]) == wrong
    assert done.out.rstrip().endswith("; gradient wrong: 1") == wrong


@pytest.mark.parametrize(
    ("reference", "code", "words"),
    [
        ("torch.nn.Hardswish", 0, "proved equal to the reference"),
        ("torch.nn.SiLU", 1, "not the reference: "),
    ],
)
def test_a_claim_is_proved_or_refuted(check, reference, code, words):
    done = check(f"{GOOD}:Hard", "--reference", reference, "--target", "torchscript-trace")
    assert (done.code, words in done.out) == (code, True), done.out


def test_a_claim_is_held_against_what_its_author_wrote(check):
    claim = (f"{GOOD}:Swish", "--arg", "beta=1.0", "--reference", "torch.nn.SiLU")
    done = check(*claim, "--target", "torchscript-trace")
    assert (done.code, "proved equal to the reference" in done.out) == (0, True), done.out
    alike = f"{GOOD}:Block", "--no-rewrite", "--target", "torchscript-trace"
    moved = "moved apart, for they were all alike: norm.weight, norm.bias, norm.running_mean, "
    assert moved in check(*alike).out
    assert moved not in check(*alike, "--reference", f"{GOOD}:Block").out


def test_a_family_has_a_verdict_for_each_form(check):
    done = check("silu", "--target", "torchscript-trace", "--no-rewrite")
    assert done.out.count(" ships to TorchScript") >= 3


def test_in_a_network(check):
    done = check(f"{GOOD}:Hard", "--network", "conv", "--target", "torchscript-trace")
    assert done.code == 0
    assert "float32 2x3x16x16" in done.out


def test_formats_alone_on_stdout_and_files_beside_the_answer(check, tmp_path):
    done = check(f"{GOOD}:Hard", "--target", "torchscript-trace", "--format", "json")
    (result,) = json.loads(done.out)["results"]
    assert result["id"] == "good.py:Hard/bare/torchscript-trace/libtorch/torch-2.13"
    done = check(
        f"{GOOD}:Hard",
        *("--target", "torchscript-trace"),
        *("--format", "markdown", "--format", "html", "--format", "junit"),
        *("--output", tmp_path / "out"),
    )
    assert done.out.startswith("good.py:Hard ships to TorchScript")
    assert sorted(p.suffix for p in (tmp_path / "out").iterdir()) == [".html", ".md", ".xml"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([f"{BAD}:Constructor"], "the constructor of Constructor fails: ValueError: no good"),
        ([f"{BAD}:NUMBER"], "NUMBER is of type int"),
        ([f"{BAD}:Exits"], "calls sys.exit(3)"),
        ([f"{BAD}:Shape"], "say what it takes with --input"),
        ([f"{BAD}:Text"], "returns an object of type str"),
        ([f"{BAD}:Random"], "draws random numbers"),
        ([f"{BAD}:Cuda"], "needs CUDA"),
        ([f"{BAD}:Forks"], "forks"),
        (["no_such_package.mod:A"], "there is no module 'no_such_package'"),
        (["hardswich"], "nearest: hardswish"),
        ([f"{GOOD}:Hard", "--input", "3y"], "'3y' is no shape"),
        ([f"{GOOD}:Hard", "--arg", "x"], "NAME=VALUE"),
        ([f"{GOOD}:Hard", "--arg", "x=1"], "unexpected keyword argument 'x'"),
        ([f"{GOOD}:Hard", "--target", "onxn-*"], "no target 'onxn-*'"),
        ([f"{GOOD}:Hard", "--format", "htm"], "nearest: html"),
        ([f"{GOOD}:Slopes", "--state", "none.pt"], "cannot be loaded as weights alone"),
        ([f"{GOOD}:Slopes", "--input", "2x5", "--dynamic", "1"], "accepts no other size"),
        ([f"{GOOD}:Hard", "--dynamic", "9"], "no input has it; 2x8x16x16 has 0 to 3"),
        ([f"{GOOD}:Hard", "--dynamic", "0", "--network", "conv"], "leave the network out"),
        ([f"{GOOD}:Hard", "--input", "0x8"], "nothing would be compared"),
    ],
)
def test_bad_input_is_one_line_and_2(check, arguments, words):
    done = check(*arguments)
    assert done.code == 2
    assert words in done.err
    assert done.err.startswith("exportcheck: ")
    assert done.err.count("\n") == 1
    assert done.out == ""


def test_what_kills_its_process_costs_the_tool_nothing(tmp_path):
    """As a user has it: a process of its own, the file named from its folder."""
    done = subprocess.run(
        [sys.executable, "-m", "exportcheck", "check", "bad.py:Aborts"],
        cwd=USER_CODE,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    line = next(
        i for i, text in enumerate(BAD.read_text().splitlines(), 1) if "line of Aborts" in text
    )
    assert done.stderr == (
        f"exportcheck: bad.py:{line}: forward ends the process, of signal SIGABRT\n"
    )


@pytest.mark.parametrize(
    ("name", "mark", "words"),
    [
        ("TracedDies", "☠ export", "forward, traced, ends the process, with exit code 7"),
        ("TracedSleeps", "⧖ export", "forward, traced, gives no answer within 5 s"),
    ],
)
def test_what_dies_or_hangs_only_when_traced_loses_that_cell_alone(cli, name, mark, words):
    targets = ("--target", "torchscript-trace", "--target", "torch-export")
    done = cli("check", f"{BAD}:{name}", "--timeout", "5", "--no-rewrite", *targets)
    assert done.code == 1, done.err
    assert mark in done.out
    assert "✓" in done.out.replace("✓ passes", "")
    assert words in " ".join(done.out.split())


def test_a_worker_that_died_idle_is_replaced(cli, monkeypatch):
    started = []

    class Dead:
        def inspect(self, *arguments):
            raise WorkerDied

    def start():
        started.append(1)
        return Dead()

    monkeypatch.setattr("exportcheck.cli.checking.WorkerProcess", start)
    done = cli("check", f"{GOOD}:Hard")
    assert done.code == 3
    assert "exportcheck doctor" in done.err
    assert len(started) == 2


def test_a_form_that_cannot_be_looked_for_is_said_and_costs_nothing_else(check, monkeypatch):
    from exportcheck.errors import BadModule

    def refuse(self, module, case: Case, targets, timeout_s):
        raise BadModule("my.py:1: forward ends the process")

    monkeypatch.setattr(WorkerProcess, "rewrite", refuse)
    done = check(f"{GOOD}:Block", "--target", "coreml-fp32")
    assert done.code == 1
    assert "no form was looked for: my.py:1: forward ends the process" in done.err
    assert "aten::log_sigmoid in act" in done.out


def _interrupt_at(monkeypatch, target):
    real = WorkerProcess.check

    def check_or_interrupt(self, case, *arguments, **options):
        if case.target == target:
            raise KeyboardInterrupt
        return real(self, case, *arguments, **options)

    monkeypatch.setattr(WorkerProcess, "check", check_or_interrupt)


def test_an_interrupted_run_shows_and_writes_what_is_finished(check, monkeypatch, tmp_path):
    _interrupt_at(monkeypatch, "torch-export")
    targets = ("--target", "torchscript-*", "--target", "torch-export")
    done = check(f"{GOOD}:Hard", *targets, "-f", "json", "-o", tmp_path)
    assert done.code == 130
    assert done.err == "exportcheck: interrupted; 2 of 3 cases are finished and kept\n"
    assert done.out.startswith("good.py:Hard ships to TorchScript\n")
    assert "2 cases: 2 pass; unfinished: 1" in done.out
    report = read(tmp_path / "matrix.json")
    assert [len(report.results), len(report.unfinished)] == [2, 1]


def test_interrupted_before_anything_is_finished(check, monkeypatch):
    _interrupt_at(monkeypatch, "torch-export")
    done = check(f"{GOOD}:Hard", "--target", "torch-export")
    assert (done.code, done.out) == (130, "")
    assert done.err == "exportcheck: interrupted; no case is finished\n"


def test_interrupted_while_a_form_is_looked_for(check, monkeypatch):
    def interrupt(self, *arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(WorkerProcess, "rewrite", interrupt)
    done = check(f"{GOOD}:Block", "--target", "coreml-fp32")
    assert done.code == 130
    assert "aten::log_sigmoid in act" in done.out
    assert "1 of 1 cases are finished" in done.err


def test_a_folder_for_a_maintainer(check, tmp_path):
    done = check(f"{GOOD}:Block", "--target", "coreml-*", "--no-rewrite", "--repro", tmp_path / "r")
    assert done.code == 1
    folders = sorted(path.name for path in (tmp_path / "r").iterdir())
    assert folders == ["coreml-export-fp32", "coreml-fp16", "coreml-fp32"]
    assert done.err.count(": act alone fails the same way; run repro.py there") == 3
    for folder in folders:
        assert (tmp_path / "r" / folder / "ISSUE.md").exists()
    (tmp_path / "file").write_text("")
    done = check(f"{GOOD}:Block", "--target", "coreml-*", "--repro", tmp_path / "file")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "--repro" in done.err
