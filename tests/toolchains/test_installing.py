"""Installing, from plan to mark, with environments that take no time to make."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from exportcheck.errors import EnvironmentBroken
from exportcheck.toolchains import installing
from exportcheck.toolchains import pip as pip_module
from exportcheck.toolchains.installed import Place, home
from exportcheck.toolchains.installing import Index, install, plan
from tests.toolchains.conftest import requirement, toolchain, wheel

Usage = namedtuple("Usage", "total used free")


class Watching:
    """Keeps what it is told."""

    def __init__(self):
        self.packages = []

    def package(self, number, total, name):
        self.packages.append(f"{number}/{total} {name}")

    def arrived(self, megabytes):
        pass


@pytest.fixture
def pip(monkeypatch):
    """A pip that writes down what is asked of it; a name in `fails` fails, once."""

    class Pip:
        def __init__(self):
            self.asked, self.fails = [], set()

        def __call__(self, place, one, options, watcher):
            self.asked.append((one.name, one.text, list(options)))
            if one.name in self.fails:
                self.fails.remove(one.name)
                raise EnvironmentBroken(f"{one.name} cannot be installed: no network")
            site = next(place.folder.glob("lib/python*/site-packages"))
            info = site / f"{one.name}-{one.version}.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Name: {one.name}\nVersion: {one.version}\n")
            (site / f"{one.name}.py").write_text("")

    made = Pip()
    monkeypatch.setattr(installing, "pip_install", made)
    monkeypatch.setattr(installing, "_VENV", ("-m", "venv", "--without-pip"))
    return made


def names(pip):
    return [name for name, _, _ in pip.asked]


def test_torch_comes_first_and_the_mark_last(small, pip):
    planned, watching = plan(small), Watching()
    assert (planned.state, planned.done, planned.needed_mb) == ("", frozenset(), 2)
    install(planned, Index(), watching)
    assert watching.packages == ["1/2 torch 0.1", "2/2 onnx 1.0"]
    assert Place(small).state == "installed"
    assert plan(small).state == "installed"
    assert all("--require-hashes" in options for _, _, options in pip.asked)


def test_too_small_a_disk_is_refused_before_anything_is_written(small, pip, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(9, 9, 1_000_000))
    planned = plan(small)
    with pytest.raises(EnvironmentBroken, match=r"needs 2 MB in .* where 1 MB are") as caught:
        install(planned, Index(), Watching())
    assert "\n" not in str(caught.value)
    assert not home().exists()


def test_an_interrupted_installation_goes_on_where_it_was(small, pip):
    pip.fails = {"onnx"}
    with pytest.raises(EnvironmentBroken, match="no network"):
        install(plan(small), Index(), Watching())
    assert Place(small).state == "incomplete"
    planned = plan(small)
    assert planned.done == {"torch"}
    watching = Watching()
    install(planned, Index(), watching)
    assert watching.packages == ["2/2 onnx 1.0"]
    assert Place(small).state == "installed"


def test_one_from_another_lock_is_made_anew(small, pip):
    install(plan(small), Index(), Watching())
    other = toolchain(requirement("torch", "0.1"), requirement("onnx", "1.1"))
    assert Place(other).state == "incomplete"
    planned = plan(other)
    assert planned.done == frozenset()
    install(planned, Index(), Watching())
    assert Place(other).ask()["versions"]["onnx"] == "1.1"
    assert Place(small).state == "incomplete"


def test_what_a_killed_one_left_is_no_mark(small, pip):
    install(plan(small), Index(), Watching())
    mark = next(Place(small).folder.glob(".exportcheck-ready.json"))
    mark.write_text(mark.read_text()[:10])
    assert Place(small).state == "incomplete"


def test_a_package_that_cannot_be_imported_leaves_no_mark(small, pip, monkeypatch):
    def broken(place, one, options, watcher):
        pip(place, one, options, watcher)
        module = next(place.folder.glob(f"lib/python*/site-packages/{one.name}.py"))
        module.write_text("raise ImportError('libcudart.so.9 is missing')")

    monkeypatch.setattr(installing, "pip_install", broken)
    with pytest.raises(EnvironmentBroken, match=r"libcudart\.so\.9 is missing"):
        install(plan(small), Index(), Watching())
    assert Place(small).state == "incomplete"
    assert plan(small).done == frozenset()


def test_what_a_killed_pip_left_half_installed_is_not_taken_for_installed(small, pip):
    pip.fails = {"onnx"}
    with pytest.raises(EnvironmentBroken):
        install(plan(small), Index(), Watching())
    site = next(Place(small).folder.glob("lib/python*/site-packages"))
    half, whole = site / "Onnx-0.9.dist-info", site / "other-1.0.dist-info"
    for info in (half, whole):
        info.mkdir()
    install(plan(small), Index(), Watching())
    assert (half.exists(), whole.exists()) == (False, True)


def test_two_at_a_time_do_not_meet(small, pip):
    home().mkdir(parents=True)
    with (home() / ".torch-0.1.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(EnvironmentBroken, match=r"torch-0\.1 is being installed by another"):
            install(plan(small), Index(), Watching())
    install(plan(small), Index(), Watching())


def test_with_another_index_only_torch_goes_without_its_hashes(small, pip):
    install(plan(small), Index("https://one.example", ["https://two.example"]), Watching())
    asked = {name: (text, options) for name, text, options in pip.asked}
    assert asked["torch"][0] == "torch==0.1\n"
    assert "--require-hashes" not in asked["torch"][1]
    assert "--hash=sha256:" in asked["onnx"][0]
    for _, options in asked.values():
        assert options[:4] == [
            "--index-url",
            "https://one.example",
            "--extra-index-url",
            "https://two.example",
        ]


def test_a_build_without_cuda_needs_nothing_of_nvidia(pip, monkeypatch):
    big = toolchain(requirement("nvidia-cudnn", "9"), requirement("torch", "0.1"))

    def cpu_build(place, one, options, watcher):
        built = requirement(one.name, "0.1+cpu") if one.name == "torch" else one
        pip(place, built, options, watcher)

    monkeypatch.setattr(installing, "pip_install", cpu_build)
    install(plan(big), Index(extra=["https://two.example"]), Watching())
    assert names(pip) == ["torch"]
    assert Place(big).ask()["versions"]["torch"] == "0.1+cpu"


def test_a_failing_pip_is_one_line_that_says_what_goes_on(small, monkeypatch):
    """The real pip of no environment: it cannot start."""
    monkeypatch.setattr(installing, "_VENV", ("-m", "venv", "--without-pip"))
    with pytest.raises(
        EnvironmentBroken, match=r"torch 0\.1 cannot be installed: .*No module named pip"
    ) as caught:
        install(plan(small), Index(), Watching())
    assert "the same command goes on from here" in str(caught.value)


@pytest.mark.slow
def test_the_real_pip_takes_what_has_the_hash_and_nothing_else(tmp_path, monkeypatch):
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    index = tmp_path / "simple"
    torch = wheel(index / "torch", "torch", "0.1")
    wheel(index / "onnx", "onnx", "1.0")
    for package in index.iterdir():
        links = "".join(f'<a href="{file.name}">{file.name}</a>' for file in package.iterdir())
        (package / "index.html").write_text(links)
    good, bad = requirement("torch", "0.1", torch), requirement("onnx", "1.0")
    offered = Index(index.as_uri())
    with pytest.raises(EnvironmentBroken, match=r"onnx 1\.0 cannot be installed") as caught:
        install(plan(toolchain(good, bad)), offered, Watching())
    assert "hash" in str(caught.value).lower()
    size = install(plan(toolchain(good)), offered, Watching())
    place = Place(toolchain(good))
    assert (
        json.loads((place.folder / ".exportcheck-ready.json").read_text())["installed_mb"] == size
    )
    assert place.ask()["versions"]["torch"] == "0.1"
    assert not list((place.folder / ".pip").iterdir())
    assert Path(place.python).is_symlink()


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("", "without a word"),
        ("Traceback\nOSError: no space left\n", "OSError: no space left"),
        ("ERROR: first\nERROR: No matching distribution\nnotice: …", "No matching distribution"),
        (
            "WARNING: Retrying (Retry(total=0)) …\nERROR: No matching distribution found for torch",
            "no connection to https://one.example",
        ),
        (
            "WARNING: Retrying\nERROR: ResolutionImpossible: for help visit https://pip…",
            "no connection to https://one.example",
        ),
        (
            "WARNING: Retrying (Retry(total=4))\nERROR: THESE PACKAGES DO NOT MATCH",
            "no connection to https://one.example, THESE PACKAGES DO NOT MATCH",
        ),
    ],
)
def test_pip_is_quoted_with_what_matters(said, cause):
    assert pip_module._cause(said, ["--index-url", "https://me:secret@one.example"]) == cause


def test_without_another_index_it_is_just_the_index_that_is_not_reached():
    said = "WARNING: Retrying\nERROR: Could not find a version that satisfies torch"
    assert pip_module._cause(said, ["--require-hashes"]) == "no connection to the index"
