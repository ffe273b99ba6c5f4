"""The locks that are committed, and how they are read."""

from __future__ import annotations

import re

import pytest

from exportcheck.errors import UsageError
from exportcheck.toolchains import locks
from exportcheck.toolchains.locks import (
    COREMLTOOLS,
    FOLDER,
    Requirement,
    coremltools_versions,
    locked_toolchains,
    locked_versions,
    named_toolchain,
    parse_requirements,
    split,
)
from exportcheck.versions import fits

TEXT = """\
# a comment
numpy==1.19.5 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
# another
ml-dtypes==0.5.4
"""
LOCKS = [*(FOLDER / f"{name}.txt" for name in locked_toolchains()), COREMLTOOLS]


def test_a_requirement_is_a_line_and_what_is_indented_below_it():
    numpy, dtypes = parse_requirements(TEXT)
    assert (numpy.name, numpy.version) == ("numpy", "1.19.5")
    assert numpy.text == "numpy==1.19.5 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    assert dtypes == Requirement("ml-dtypes", "0.5.4", "ml-dtypes==0.5.4\n")
    assert numpy.without_hashes().text == "numpy==1.19.5\n"


def test_the_oldest_comes_first():
    names = list(locked_toolchains())
    assert names[:6] == [f"torch-1.{n}" for n in (5, 6, 7, 8, 9, 10)]
    assert names[-1] == "torch-2.9"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("torch-1.4", "torch-1.5, torch-1.6, torch-1.7"),
        ("torch-0.4", "torch-1.5, torch-1.6, torch-1.7"),
        ("torch-2.4", "torch-2.3, torch-2.5"),
        ("torch-1.77", "torch-1.7, "),
        ("torch-1.7.1", "torch-1.7, "),
        ("torch-3", "torch-2."),
        ("toch-1.7", "torch-1.7"),
    ],
)
def test_of_a_version_that_is_not_there_the_nearest_by_number_are_named(name, near):
    with pytest.raises(UsageError, match=f"^no toolchain '{name}'; nearest: {near}"):
        named_toolchain(name)


@pytest.mark.parametrize("path", LOCKS, ids=lambda p: p.stem)
def test_a_committed_lock_has_a_hash_for_everything_and_nothing_of_where_it_was_made(path):
    text = path.read_text("utf-8")
    assert "made by: make toolchains" in text.partition("\n")[0]
    requirements = parse_requirements(text)
    assert requirements
    for one in requirements:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", one.text), one.name
    assert not re.search(r"https?:|file:|index|find-links|/\w+/", text)


@pytest.mark.parametrize("one", locked_toolchains().values(), ids=lambda t: t.name)
def test_a_toolchain_holds_what_its_in_file_wants(one):
    wanted = (FOLDER / f"{one.name}.in").read_text("utf-8")
    assert f"# Python {one.python}, {one.installed_mb} MB installed." in wanted
    assert one.download_mb > 100
    assert one.installed_mb > one.download_mb
    pins = {locks.canonical(r.name): r.version for r in parse_requirements(wanted)}
    assert pins.items() <= one.versions.items()
    assert {"torch", "onnx", "onnxruntime", "coremltools", "numpy", "scipy"} <= set(pins)
    assert one.name == "torch-" + ".".join(pins["torch"].split(".")[:2])


def test_the_other_coremltools_are_those_of_the_table():
    versions = ["4.0", "4.1", "5.0", "5.1.0", "5.2.0", "6.0", "6.1", "6.2"]
    assert list(coremltools_versions()) == versions


def test_a_name_may_have_another_coremltools():
    toolchain, coremltools = split("torch-1.7+coremltools-5.0")
    assert (toolchain.name, coremltools) == ("torch-1.7", "5.0")
    assert split("torch-1.7") == (toolchain, "")
    assert locked_versions("torch-1.7+coremltools-5.0")["coremltools"] == "5.0"
    assert locked_versions("torch-1.7")["coremltools"] == "4.1"
    assert locked_versions("torch-0.1") is None


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("torch-1.71", "no toolchain 'torch-1.71'; nearest: torch-1.7"),
        ("pytorch", "no toolchain 'pytorch'"),
        ("keras", "no toolchain 'keras'; there are: torch-1.5"),
        ("torch-1.7+coremltools-5.3", "no locked coremltools '5.3'; nearest: 5.0"),
        ("torch-1.7+coremltools-", "no locked coremltools ''; there are: 4.0"),
    ],
)
def test_an_unknown_name_is_told_the_nearest(name, complaint):
    with pytest.raises(UsageError, match="no ") as caught:
        split(name)
    assert complaint in str(caught.value)


def test_a_version_before_the_final_one_counts():
    assert fits({"coremltools": "<5"}, {"coremltools": "4.0b2"})
    assert not fits({"coremltools": ">=5"}, {"coremltools": "5.0b1"})
    assert fits({"torch": ">=1.8,<2.10"}, {"torch": "2.9.1+cpu"})
