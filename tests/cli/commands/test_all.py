from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from xml.etree import ElementTree as Xml

import pytest

from exportcheck.results import Status

EXPORTCHECK = (sys.executable, "-m", "exportcheck")


def run(*arguments, cwd, env=None, **options):
    return subprocess.run(
        [*EXPORTCHECK, *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_a_run_that_passes(tmp_path):
    done = run("all", "--select", "relu/bare/torch*", "--output", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3 cases: 3 pass" in done.stdout
    assert "\x1b[" not in done.stdout + done.stderr
    data = json.loads((tmp_path / "out/matrix.json").read_text())
    assert [r["status"] for r in data["results"]] == ["pass"] * 3
    assert data["environment"]["versions"]["torch"].startswith("2.")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["matrix.json"]


def test_a_run_that_fails_says_where_and_why(tmp_path):
    case = "threshold-0.1-20/bare/onnx-trace-opset13/*"
    done = run("all", "--select", case, "--no-limitations", cwd=tmp_path)
    assert done.returncode == 1
    assert "not as expected: 1 new" in done.stdout
    assert "✗ export" in done.stdout
    assert "SymbolicValueError" in done.stdout
    result = json.loads((tmp_path / "reports/matrix.json").read_text())["results"][0]
    assert (result["status"], result["stage"]) == (Status.ERROR.value, "export")
    assert "Traceback" in result["log"]


def test_a_failure_that_is_known_to_come_with_the_pinned_versions_is_as_expected(tmp_path):
    done = run("all", "--select", "threshold-0.1-20/bare/onnx-trace-opset13/*", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "✗°export" in done.stdout
    assert "known: 1, new: 0" in done.stdout


def test_a_run_that_is_killed_leaves_a_junit_file_that_is_whole_and_not_green(tmp_path):
    process = subprocess.Popen(
        [*EXPORTCHECK, "all", "--network", "bare", "-j", "1", "-v", "--format", "junit"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    passed = 0
    while passed < 3 and (line := process.stderr.readline()):
        passed += line.startswith("pass")
    process.kill()
    process.communicate(timeout=60)
    suites = Xml.parse(tmp_path / "reports/junit.xml").getroot()
    assert int(suites.get("tests")) > int(suites.get("errors")) > 100
    unfinished = [e for e in suites.iter("error") if e.get("type") == "unfinished"]
    assert len(unfinished) == int(suites.get("errors"))


def test_verbose_shows_the_verdict_and_what_it_rests_on(tmp_path):
    done = run("all", "--select", "logsigmoid/bare/onnx-trace-opset17/*", "-v", cwd=tmp_path)
    assert "    runtime-kernel: Sigmoid: right by onnx.reference, the same file" in done.stderr
    assert "      onnxruntime, optimizations off: the same wrong numbers" in done.stderr
    assert "      onnx.reference, the same file: agrees with eager" in done.stderr


def test_verbose_names_the_operator_and_the_line_that_calls_it(tmp_path):
    done = run("all", "--select", "celu/bare/coreml-fp32/*", "-v", cwd=tmp_path)
    assert "      aten::celu in torch/nn/modules/activation.py:" in done.stderr


def test_verbose_has_a_line_for_every_case(tmp_path):
    done = run("all", "--select", "relu/bare/torchscript*", "-v", "-j", "1", cwd=tmp_path)
    lines = [line for line in done.stderr.splitlines() if line.startswith("pass")]
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--select", "slu/*"], "nearest: silu"),
        (["--family", "hardswich"], "nearest: hardswish"),
        (["--jobs", "0"], "--jobs"),
        (["--timeout", "nan-ish"], "--timeout"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_wrong_usage_is_2_and_runs_nothing(tmp_path, arguments, words):
    done = run("all", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "reports").exists()


def test_output_that_is_a_file(tmp_path):
    (tmp_path / "reports").write_text("mine")
    done = run("all", "--select", "relu/bare/torch*", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "reports is a file" in done.stderr
    assert (tmp_path / "reports").read_text() == "mine"


def test_output_that_cannot_be_written(tmp_path):
    """Where even root may not write: below a file."""
    (tmp_path / "file").write_text("")
    done = run("all", "--select", "relu/bare/torch*", "--output", "file/reports", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "--output" in done.stderr


def test_an_interrupt_keeps_what_is_finished(tmp_path):
    process = subprocess.Popen(
        [*EXPORTCHECK, "all", "--network", "bare", "-j", "1", "-v"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if line.startswith("pass"):
            break
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in errors
    assert "finished and kept" in errors
    assert "Traceback" not in errors
    data = json.loads((tmp_path / "reports/matrix.json").read_text())
    assert len(data["results"]) >= 1


def test_a_broken_torch_is_one_line_and_3(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch_cpu.so: cannot open')")
    done = run(
        "all", "--select", "relu/bare/torch*", cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}
    )
    assert done.returncode == 3
    assert "a worker cannot start" in done.stderr
    assert "libtorch_cpu.so" in done.stderr
    assert "Traceback" not in done.stderr


def test_modules_of_the_project_are_rows_like_any_other(tmp_path):
    (tmp_path / "acts.py").write_text(
        "import torch\n\n\ndef cube(x):\n    return x * x * x\n\n\ndef broken(x):\n    return y\n"
    )
    (tmp_path / "pyproject.toml").write_text(
        '[tool.exportcheck]\nmodules = ["acts.py:cube", "acts.py:broken"]\n'
        '[[tool.exportcheck.limitation]]\npattern = "acts.py:broken/*"\nreason = "not yet"\n'
    )
    done = run("all", "--select", "acts.py*/*/torchscript-*", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    data = json.loads((tmp_path / "reports/matrix.json").read_text())
    assert {(r["activation"], r["status"], r["stage"]) for r in data["results"]} == {
        ("acts.py:cube", "pass", "compare"),
        ("acts.py:broken", "error", "build"),
    }
    broken = next(r for r in data["results"] if r["status"] == "error")
    assert broken["message"].startswith("acts.py:9: forward of float32 2x8x16x16 fails: NameError")
    assert data["stale"] == []
    assert run("all", "--family", "acts.py:cub", cwd=tmp_path).returncode == 2


def test_a_second_run_takes_what_is_known_from_the_cache(tmp_path):
    options = ("all", "--select", "relu/bare/torch*", "--output")
    first = run(*options, "first", cwd=tmp_path)
    assert "from the cache" not in first.stdout
    second = run(*options, "second", cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    assert "3 of the results from the cache" in second.stdout
    texts = [(tmp_path / name / "matrix.json").read_text() for name in ("first", "second")]
    assert texts[0] == texts[1]
    more = run("all", "--select", "relu/bare/*onnx-trace*", *options[1:], "more", cwd=tmp_path)
    assert "6 cases" in more.stdout
    assert "3 of the results from the cache" in more.stdout


def test_without_the_cache_nothing_is_taken_and_nothing_kept(tmp_path):
    options = ("all", "--select", "relu/bare/torchscript-trace/*")
    for _ in range(2):
        done = run(*options, "--no-cache", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert "from the cache" not in run(*options, cwd=tmp_path).stdout
    assert "1 of the results from the cache" in run(*options, cwd=tmp_path).stdout


def test_a_cache_that_cannot_be_used_is_said_and_costs_only_time(tmp_path):
    (tmp_path / "file").write_text("")
    env = {"EXPORTCHECK_CACHE": str(tmp_path / "file")}
    done = run("all", "--select", "relu/bare/torchscript-trace/*", cwd=tmp_path, env=env)
    assert done.returncode == 0
    assert "cannot be used" in done.stderr
    assert "1 pass" in done.stdout
