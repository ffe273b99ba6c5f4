"""Which Python is taken, and what is said where there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from exportcheck.errors import EnvironmentBroken
from exportcheck.toolchains import pythons
from exportcheck.toolchains.pythons import find_python
from tests.toolchains.conftest import HERE


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch, tmp_path):
    """No Python on the PATH, none of pyenv's, none of uv's."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))


def program(path, text) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_this_one_will_do_where_it_is_the_version():
    assert find_python(HERE, "torch-0.1") == Path(sys.executable)


def test_a_missing_one_is_said_with_how_to_get_it():
    with pytest.raises(EnvironmentBroken, match=r"torch-1\.7 needs Python 3\.8") as caught:
        find_python("3.8", "torch-1.7")
    for way in ("pyenv install 3.8", "uv python install 3.8", "deadsnakes"):
        assert way in str(caught.value)


def test_a_shim_without_a_python_is_passed_over(tmp_path):
    program(tmp_path / "path/python3.8", "echo 'pyenv: python3.8: command not found' >&2; exit 127")
    real = program(tmp_path / "pyenv/versions/3.8.18/bin/python3.8", "echo 3.8")
    assert find_python("3.8", "torch-1.7") == real


def test_the_newest_of_pyenv_comes_first_and_uv_last(tmp_path):
    uvs = program(tmp_path / "uv/cpython-3.8.20-linux-x86_64-gnu/bin/python3.8", "echo 3.8")
    assert find_python("3.8", "torch-1.7") == uvs
    program(tmp_path / "pyenv/versions/3.8.1/bin/python3.8", "echo 3.8")
    newer = program(tmp_path / "pyenv/versions/3.8.2/bin/python3.8", "echo 3.8")
    assert find_python("3.8", "torch-1.7") == newer


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("echo 3.9", "is 3.9"),
        ("echo \"ModuleNotFoundError: No module named 'ensurepip'\" >&2; exit 1", "ensurepip"),
        ("exit 1", "no message"),
        ("exec /bin/sleep 5", "does not start"),
    ],
)
def test_one_that_is_of_no_use_is_named_with_its_trouble(tmp_path, monkeypatch, text, complaint):
    monkeypatch.setattr(pythons, "_TIMEOUT_S", 0.3)
    found = program(tmp_path / "path/python3.8", text)
    with pytest.raises(EnvironmentBroken) as caught:
        find_python("3.8", "torch-1.7")
    assert f"{found} " in str(caught.value)
    assert complaint in str(caught.value)


def test_a_file_that_is_no_program_is_of_no_use(tmp_path):
    program(tmp_path / "path/python3.8", "").write_bytes(b"\x7fELF no such thing")
    with pytest.raises(EnvironmentBroken, match="does not start"):
        find_python("3.8", "torch-1.7")
