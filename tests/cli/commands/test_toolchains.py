"""`exportcheck toolchains`, with toolchains made up on the spot."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from exportcheck.selection import current_toolchain
from exportcheck.toolchains import installing, locks
from exportcheck.toolchains.installed import Place, coremltools_folder
from tests.toolchains.conftest import requirement, toolchain

Usage = namedtuple("Usage", "total used free")
SMALL = toolchain(requirement("torch", "0.1"), requirement("onnx", "1.0"))
ANCIENT = toolchain(requirement("torch", "0.0"), name="torch-0.0", python="2.6", installed_mb=7)
HERE = current_toolchain()
OTHER = requirement("coremltools", "5.0")


@pytest.fixture(autouse=True)
def _made_up(monkeypatch):
    known = {one.name: one for one in (ANCIENT, SMALL)}
    monkeypatch.setattr(locks, "locked_toolchains", lambda: known)
    monkeypatch.setattr(locks, "coremltools_versions", lambda: {"5.0": OTHER})
    monkeypatch.setattr(installing, "_VENV", ("-m", "venv", "--without-pip"))
    monkeypatch.setattr(installing, "pip_install", pip)


def pip(place, one, options, watcher):
    if "--target" in options:
        site = Path(options[options.index("--target") + 1])
    else:
        site = next(place.folder.glob("lib/python*/site-packages"))
    info = site / f"{one.name}-{one.version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: {one.name}\nVersion: {one.version}\n")
    (info / "RECORD").write_text(f"{one.name}.py,,6\n{one.name}-{one.version}.dist-info/RECORD,,\n")
    (site / f"{one.name}.py").write_text("x = 1\n")


def test_what_there_is_and_what_is_here(cli):
    before = {row["name"]: row for row in json.loads(cli("toolchains", "list", "--json").out)}
    assert before["torch-0.0"]["python"] == "2.6"
    assert before["torch-0.0"]["installed_mb"] == 7
    assert before["torch-0.1"]["versions"] == {"torch": "0.1", "onnx": "1.0"}
    assert before["torch-0.1"]["state"] == ""
    assert cli("toolchains", "install", "torch-0.1+coremltools-5.0").code == 0
    after = {
        row["name"]: row["state"] for row in json.loads(cli("toolchains", "list", "--json").out)
    }
    assert after == {"torch-0.0": "", "torch-0.1": "installed"}
    table = cli("toolchains", "list").out
    assert "torch-0.0" in table
    assert f"of those installed: 5.0 (Python {SMALL.python})" in table


def test_on_a_narrow_terminal_versions_are_folded_not_cut(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    table = cli("toolchains", "list").out
    assert "torch-0.1" in table
    assert "…" not in table


def test_installing_says_first_what_it_needs_and_then_what_it_took(cli):
    done = cli("toolchains", "install", "torch-0.1")
    first, last = done.out.splitlines()
    assert first.startswith("torch-0.1: 1 MB to download, 1 MB on the disk, at most 2 MB while")
    assert "MB are free; Python" in first
    assert last.startswith("torch-0.1 is installed, ")
    assert done.err.splitlines() == ["1/2 torch 0.1", "2/2 onnx 1.0"]
    assert cli("toolchains", "install", "torch-0.1").out.startswith("torch-0.1 is installed, ")


def test_what_was_broken_by_hand_is_made_anew(cli):
    cli("toolchains", "install", "torch-0.1")
    onnx = next(Place(SMALL).folder.glob("lib/python*/site-packages/onnx.py"))
    onnx.write_text("")
    states = [row["state"] for row in json.loads(cli("toolchains", "list", "--json").out)]
    assert states == ["", "broken"]
    done = cli("toolchains", "install", "torch-0.1")
    assert done.code == 0
    broken = done.out.splitlines()[0]
    assert broken == "torch-0.1 is broken: onnx.py is 0 bytes, 6 were installed: made anew"
    assert "1/2 torch 0.1" in done.err
    assert onnx.read_text() == "x = 1\n"


@pytest.mark.parametrize("gone", ["coremltools.py", "coremltools-5.0.dist-info"])
def test_a_coremltools_that_was_broken_by_hand_is_made_anew(cli, gone):
    cli("toolchains", "install", "torch-0.1+coremltools-5.0")
    folder = coremltools_folder(SMALL, "5.0")
    (folder / gone).rename(folder.parent / gone)
    (folder / "rubbish").touch()
    done = cli("toolchains", "install", "torch-0.1+coremltools-5.0")
    assert (done.code, (folder / gone).exists()) == (0, True)
    assert not (folder / "rubbish").exists()
    cli("toolchains", "install", "torch-0.1+coremltools-5.0")
    assert "1/1" not in cli("toolchains", "install", "torch-0.1+coremltools-5.0").err


def test_another_index_is_said_to_have_other_hashes(cli):
    done = cli("toolchains", "install", "torch-0.1", "--extra-index-url", "https://one.example")
    assert "the hashes of torch itself are not checked" in done.out


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("install", "torch-0.2"), 2, "no toolchain 'torch-0.2'; nearest: torch-0.1"),
        (("install", "torch-0.1", "torch-0.2"), 2, "no toolchain 'torch-0.2'"),
        (("install", "torch-0.0"), 3, "torch-0.0 needs Python 2.6"),
        (("install", HERE), 2, f"{HERE} is the one you run in"),
        (("install", "torch-0.1", "--index-url", "notaurl"), 2, "'notaurl' is no URL of an index"),
        (("install", "torch-0.1", "--extra-index-url", "https://"), 2, "'https://' is no URL"),
        (("remove", "torch-0.1"), 2, "torch-0.1 is not installed"),
        (("remove", "torch-0.1+coremltools-5.0"), 2, "is not installed"),
    ],
)
def test_what_cannot_be_done_is_one_line(cli, arguments, code, complaint):
    done = cli("toolchains", *arguments)
    assert done.code == code
    (line,) = done.err.splitlines()
    assert line.startswith("exportcheck: ")
    assert complaint in line
    assert not Place(SMALL).folder.exists()


def test_a_full_disk_is_one_line_before_anything_is_written(cli, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(9, 9, 1_000_000))
    done = cli("toolchains", "install", "torch-0.1")
    assert done.code == 3
    (line,) = done.err.splitlines()
    assert "torch-0.1 needs 2 MB in" in line
    assert not Place(SMALL).folder.exists()


def test_an_interrupted_installation_says_how_it_goes_on(cli, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(installing, "pip_install", interrupt)
    done = cli("toolchains", "install", "torch-0.1")
    assert done.code == 130
    last = done.err.splitlines()[-1]
    assert last == "exportcheck: interrupted; the same command goes on from here"


def test_a_cache_that_is_a_file_is_named(cli, monkeypatch, tmp_path):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("EXPORTCHECK_CACHE", str(file))
    assert cli("toolchains", "list").code == 0
    done = cli("toolchains", "install", "torch-0.1")
    assert done.code == 3
    assert done.err == (
        f"exportcheck: {file} is not a folder: let EXPORTCHECK_CACHE name a folder that can be "
        "written to\n"
    )


def test_a_cache_that_cannot_be_written_is_not_called_full(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("EXPORTCHECK_CACHE", str(tmp_path))
    monkeypatch.setattr(installing.os, "access", lambda path, mode: False)
    done = cli("toolchains", "install", "torch-0.1")
    assert done.code == 3
    assert f"{tmp_path} cannot be written to: let EXPORTCHECK_CACHE" in done.err
    assert "MB" not in done.err


def test_removing_takes_what_was_named_and_nothing_else(cli):
    cli("toolchains", "install", "torch-0.1+coremltools-5.0")
    other = coremltools_folder(SMALL, "5.0")
    assert cli("toolchains", "remove", "torch-0.1+coremltools-5.0").code == 0
    assert (other.exists(), Place(SMALL).state) == (False, "installed")
    assert cli("toolchains", "remove", "torch-0.1").out.startswith("removed torch-0.1, ")
    assert not Place(SMALL).folder.exists()
