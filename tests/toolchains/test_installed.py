"""Environments that are there: what is in them, what is broken, and what a worker in one sees."""

from __future__ import annotations

import json
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

from exportcheck.environment import Environment
from exportcheck.errors import EnvironmentBroken
from exportcheck.toolchains import locks
from exportcheck.toolchains.installed import Place, coremltools_folder, environment_of
from exportcheck.toolchains.workers import workers_in
from tests.toolchains.conftest import HERE


@pytest.fixture
def place(small, monkeypatch):
    """`small` installed: an environment of the venv module, two packages that are only names."""
    monkeypatch.setattr(
        "exportcheck.toolchains.locks.locked_toolchains", lambda: {small.name: small}
    )
    made = Place(small)
    command = (sys.executable, "-m", "venv", "--without-pip", str(made.folder))
    subprocess.run(command, check=True)
    for one in small.requirements:
        distribution(packages(made), one.name, one.version)
    made.mark()
    return made


def packages(place) -> Path:
    return next(place.folder.glob("lib/python*/site-packages"))


def distribution(folder, name, version) -> Path:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    (info / "RECORD").write_text(f"{name}/__init__.py,sha256=x,6\n{info.name}/RECORD,,\n")
    (folder / name).mkdir(exist_ok=True)
    (folder / name / "__init__.py").write_text("x = 1\n")
    return info


def test_an_environment_says_itself_what_is_in_it(place):
    environment = environment_of("torch-0.1")
    assert environment.toolchain == "torch-0.1"
    assert environment.version("torch") == "0.1"
    assert environment.version("numpy") is None
    told = environment.describe()
    assert told["python"].startswith(f"{HERE}.")
    assert told["versions"]["onnx"] == "1.0"
    assert told["versions"]["onnxruntime"] == "missing"


def test_one_that_is_not_there_is_said_with_the_command(small, place):
    shutil.rmtree(place.folder)
    with pytest.raises(EnvironmentBroken, match=r"not installed: exportcheck toolchains install"):
        environment_of("torch-0.1")


def break_python(place):
    place.python.unlink()


def break_package(place):
    shutil.rmtree(next(packages(place).glob("onnx-1.0*")))


def change_package(place):
    break_package(place)
    distribution(packages(place), "onnx", "2.0")


def move_module(place):
    (packages(place) / "onnx").rename(place.folder / "onnx")


def empty_module(place):
    (packages(place) / "onnx" / "__init__.py").write_text("")


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (move_module, "torch-0.1 is broken: onnx/__init__.py is missing: exportcheck toolchains"),
        (empty_module, "onnx/__init__.py is 0 bytes, 6 were installed"),
        (break_python, "its Python does not start"),
        (break_package, "onnx is missing where 1.0 was installed"),
        (change_package, "onnx is 2.0 where 1.0 was installed"),
        (Place.unmark, "half installed, or from another lock"),
    ],
)
def test_what_was_broken_by_hand_is_noticed(place, damage, complaint):
    damage(place)
    with pytest.raises(EnvironmentBroken, match="exportcheck toolchains install torch-0") as caught:
        environment_of("torch-0.1")
    assert complaint in str(caught.value)


def test_another_coremltools_comes_before_the_toolchains_own(place, small, monkeypatch):
    other = locks.Requirement("coremltools", "5.0", "coremltools==5.0\n")
    monkeypatch.setattr("exportcheck.toolchains.locks.coremltools_versions", lambda: {"5.0": other})
    name = "torch-0.1+coremltools-5.0"
    with pytest.raises(EnvironmentBroken, match=r"install torch-0\.1\+coremltools-5\.0"):
        environment_of(name)
    distribution(packages(place), "coremltools", "4.1")
    folder = coremltools_folder(small, "5.0")
    distribution(folder, "coremltools", "5.0")
    environment = environment_of(name)
    assert environment.version("coremltools") == "5.0"
    assert environment.path == str(folder)
    assert environment_of("torch-0.1").version("coremltools") == "4.1"
    (folder / "coremltools" / "__init__.py").unlink()
    complaint = r"coremltools-5\.0 is broken: coremltools/__init__\.py is missing: .*install"
    with pytest.raises(EnvironmentBroken, match=complaint):
        environment_of(name)
    shutil.rmtree(folder / "coremltools-5.0.dist-info")
    with pytest.raises(EnvironmentBroken, match="has no coremltools in it"):
        environment_of(name)


def test_a_worker_sees_nothing_of_this_process_nor_of_the_users_folder(
    place, tmp_path, monkeypatch
):
    """NumPy is here, in PYTHONPATH and in the folder, and the worker must not find it."""
    (tmp_path / "numpy.py").write_text("raise RuntimeError('that of the folder')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", site.getsitepackages()[0])
    monkeypatch.setenv("PYTHONHOME", sys.prefix)
    with (
        workers_in(environment_of("torch-0.1"), {}) as start,
        pytest.raises(EnvironmentBroken) as caught,
    ):
        start()
    assert "a worker cannot start: ModuleNotFoundError: No module named 'numpy'" in str(
        caught.value
    )


def test_a_worker_has_this_package_and_the_other_coremltools_on_its_path(place, tmp_path):
    """A NumPy of the environment's own tells what the worker sees."""
    told = tmp_path / "told.json"
    (packages(place) / "numpy.py").write_text(
        "import json, os, sys, exportcheck\n"
        "seen = [sys.path, list(exportcheck.__path__), os.getcwd(), os.listdir()]\n"
        "with open(os.environ['TOLD'], 'w') as file: json.dump(seen, file)\n"
        "sys.exit('told')"
    )
    plain = environment_of("torch-0.1")
    other = Environment(plain.toolchain, plain.python, plain.versions, plain.executable, "/other")
    with (
        workers_in(other, {"TOLD": str(told)}) as start,
        pytest.raises(EnvironmentBroken, match="a worker cannot start: told"),
    ):
        start()
    path, package, folder, inside = json.loads(told.read_text())
    assert [p for p in dict.fromkeys(path) if p in ("/other", folder)] == ["/other", folder]
    assert inside == ["exportcheck"]
    assert package == [f"{folder}/exportcheck"]
    assert not [p for p in path if p.startswith(site.getsitepackages()[0])]
