"""What `make toolchains` writes, with a uv that is made up."""

from __future__ import annotations

import pytest

from exportcheck.toolchains import locking
from exportcheck.toolchains.locks import _toolchain, parse_requirements

PYLOCK = """
[[packages]]
name = "torch"
wheels = [{ size = 9000000 }, { size = 2000000 }]
[[packages]]
name = "attr"
sdist = { size = 600000 }
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of locks; uv answers each question with what it was asked."""
    asked = []

    def uv(path, python, *options):
        asked.append((path.name, python, options))
        if "pylock.toml" in options:
            return PYLOCK
        wanted = [line for line in path.read_text().splitlines() if "==" in line]
        return "".join(f"{line} \\\n    --hash=sha256:aa\n" for line in wanted)

    monkeypatch.setattr(locking, "_uv", uv)
    monkeypatch.setattr(locking, "FOLDER", tmp_path)
    monkeypatch.setattr(locking, "COREMLTOOLS", tmp_path / "coremltools.txt")
    (tmp_path / "coremltools.in").write_text("# several\ncoremltools==4.0\ncoremltools==5.0\n")
    (tmp_path / "torch-1.7.in").write_text("# Python 3.8, 12 MB installed.\ntorch==1.7.1\n")
    (tmp_path / "torch-2.13.in").write_text("# Today's. Python 3.11.\ntorch==2.13.0\n")
    return tmp_path, asked


def test_a_lock_says_its_python_and_sizes_and_has_the_hashes(folder):
    path, asked = folder
    locking.main([])
    lock = _toolchain(path / "torch-1.7.txt")
    assert (lock.python, lock.download_mb, lock.installed_mb) == ("3.8", 3, 12)
    assert [one.text for one in lock.requirements] == ["torch==1.7.1 \\\n    --hash=sha256:aa\n"]
    assert not (path / "torch-2.13.txt").exists()
    assert {python for _, python, _ in asked} == {"3.8"}
    assert all("--generate-hashes" in options or "--format" in options for *_, options in asked)


def test_every_coremltools_is_locked_alone(folder):
    path, asked = folder
    locking.main(["coremltools"])
    found = parse_requirements((path / "coremltools.txt").read_text())
    assert [one.version for one in found] == ["4.0", "5.0"]
    assert [options[-1] for _, _, options in asked] == ["--no-deps", "--no-deps"]
    assert not (path / "torch-1.7.txt").exists()
