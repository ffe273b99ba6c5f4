from __future__ import annotations

import pytest

from exportcheck.render.json import render
from tests.cli.support import Cli


@pytest.fixture
def cli(monkeypatch, capsys):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return Cli(monkeypatch, capsys)


@pytest.fixture
def results(tmp_path, report):
    """The shared report as a file."""
    path = tmp_path / "results.json"
    path.write_text(render(report), "utf-8")
    return path
