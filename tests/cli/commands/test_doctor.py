from __future__ import annotations

import json
import sys

from typer.testing import CliRunner

from exportcheck import environment
from exportcheck.cli import app


def run(*arguments):
    return CliRunner().invoke(app, ["doctor", *arguments])


def test_it_says_which_runtimes_are_real_and_which_are_simulated():
    states = {r["name"]: r for r in json.loads(run("--json").stdout)["runtimes"]}
    assert states["onnxruntime"]["state"] == "real"
    assert states["mil-numpy"]["state"] == "simulated"
    assert states["coreml"]["state"] == ("real" if sys.platform == "darwin" else "missing")
    for state in states.values():
        assert bool(state["advice"]) == (state["state"] == "missing")
        assert state["name"] in run().stdout


def test_a_missing_package_is_named_with_what_to_do(monkeypatch):
    found = environment.version
    monkeypatch.setattr(
        environment, "version", lambda name: None if name == "onnxruntime" else found(name)
    )
    states = {r["name"]: r for r in json.loads(run("--json").stdout)["runtimes"]}
    assert states["onnxruntime"]["state"] == "missing"
    assert states["onnxruntime"]["advice"] == "pip install onnxruntime"
    assert run().exit_code == 0


def test_without_torch_nothing_works_and_it_says_so(monkeypatch):
    found = environment.version
    monkeypatch.setattr(environment, "version", lambda n: None if n == "torch" else found(n))
    done = run()
    assert done.exit_code == 3
    assert "pip install torch" in done.stdout
