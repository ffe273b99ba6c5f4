from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import tomllib

ROOT = Path(__file__).parents[1]

TESTS = """
import torch
from torch import nn

def test_good(assert_exportable):
    assert_exportable(nn.ReLU(), torch.ones(2, 3), targets=["torchscript-trace"])

def test_bad(assert_exportable):
    assert_exportable(nn.Threshold(0.1, 20), targets=["torchscript-script"])
"""


def test_the_fixture_fails_a_test_with_the_reason(tmp_path):
    (tmp_path / "test_acts.py").write_text(TESTS)
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    # By hand and nothing by itself: what is installed here may be older than this declaration.
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", declared["pytest11"]["exportcheck"], "."],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed, 1 passed" in done.stdout
    assert "Threshold ships nowhere; TorchScript fails" in done.stdout


def test_the_plugin_imports_no_torch():
    program = "import sys, exportcheck.pytest_plugin; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
