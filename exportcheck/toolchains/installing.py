"""Installs a toolchain: an environment by the venv module, filled by its own pip from the lock.

One package after the other, so that it can go on where it was interrupted: what is in is written
down, and what was only begun is done again.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from exportcheck.errors import EnvironmentBroken
from exportcheck.toolchains.installed import (
    Place,
    coremltools_folder,
    disk_bytes,
    home,
    isolated,
    needs_cuda,
    run_python,
)
from exportcheck.toolchains.locks import canonical, named_coremltools
from exportcheck.toolchains.pythons import find_python

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exportcheck.toolchains.locks import Requirement, Toolchain

_VENV = ("-m", "venv")
_JOURNAL = ".exportcheck-installing"
_LOOK_S = 0.5
_IMPORTS = ("numpy", "torch", "onnx", "onnxruntime", "coremltools")


@dataclass(frozen=True)
class Index:
    """Where pip looks besides what it is configured to.

    Another index may have other builds of PyTorch, so that PyTorch's hashes hold only without one.
    """

    url: str = ""
    extra: Sequence[str] = ()

    @property
    def options(self) -> list[str]:
        """For pip."""
        main = ["--index-url", self.url] if self.url else []
        return main + [word for one in self.extra for word in ("--extra-index-url", one)]


class Watcher(Protocol):
    """Is told how an installation goes."""

    def package(self, number: int, total: int, name: str) -> None:
        """Package `number` of `total` is begun."""

    def arrived(self, megabytes: float) -> None:
        """So much of it has been downloaded or unpacked by now."""


@dataclass(frozen=True)
class Plan:
    """What an installation will do and need.

    Attributes:
        place: where to.
        state: of the place now.
        needed_mb: room on the disk that it takes at most, megabytes.
        free_mb: the room there is.
        done: packages that an interrupted installation has finished.
        python: that the environment will have.
    """

    place: Place
    state: str
    needed_mb: int
    free_mb: int
    python: Path
    done: frozenset[str] = field(default_factory=frozenset)

    def check(self) -> None:
        """Raises EnvironmentBroken where the disk has too little room."""
        if self.free_mb < self.needed_mb:
            toolchain = self.place.toolchain
            raise EnvironmentBroken(
                f"{toolchain.name} needs {self.needed_mb} MB in {home()}, where {self.free_mb} MB "
                "are free: remove another one (exportcheck toolchains remove), or let "
                "EXPORTCHECK_CACHE name a folder on a larger disk"
            )


def plan(toolchain: Toolchain) -> Plan:
    """What installing `toolchain` means here and now; nothing is written.

    Raises:
        EnvironmentBroken: the Python that it needs is not there.
    """
    place = Place(toolchain)
    python = find_python(toolchain.python, toolchain.name)
    done = _done(place)
    # A wheel lies beside what is unpacked from it until pip is done with it.
    needed = toolchain.installed_mb + toolchain.download_mb
    there = round(disk_bytes(place.folder) / 1e6) if place.folder.exists() else 0
    existing = next(p for p in (home(), *home().parents) if p.exists())
    free = round(shutil.disk_usage(existing).free / 1e6)
    return Plan(place, place.state, max(0, needed - there), free, python, done)


def _done(place: Place) -> frozenset[str]:
    """What an interrupted installation of the same lock has finished."""
    try:
        lock, *names = (place.folder / _JOURNAL).read_text("utf-8").split()
    except (OSError, ValueError):
        return frozenset()
    return frozenset(names) if lock == place.toolchain.digest else frozenset()


def install(planned: Plan, index: Index, watcher: Watcher) -> int:
    """Makes the environment, or goes on with it; returns its megabytes on the disk.

    Raises:
        EnvironmentBroken: there is no room, pip fails, or a package cannot be imported.
    """
    planned.check()
    place, done = planned.place, planned.done
    with _alone(place):
        place.unmark()
        if not (done and place.python.exists()):
            _begin(planned)
            done = frozenset()
        wanted = _ordered(place.toolchain.requirements)
        with (place.folder / _JOURNAL).open("a", encoding="utf-8") as journal:
            for number, one in enumerate(wanted, 1):
                if one.name in done or _left_out(place, one):
                    continue
                watcher.package(number, len(wanted), f"{one.name} {one.version}")
                _pip_install(place, one, index, watcher)
                journal.write(f"{one.name}\n")
                journal.flush()
        try:
            verify(place)
        except EnvironmentBroken:
            # All is in and it does not work: to go on from here would not help.
            (place.folder / _JOURNAL).unlink()
            raise
        return place.mark()


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    """Keeps other processes from making the same environment meanwhile.

    Raises:
        EnvironmentBroken: another one is at it.
    """
    home().mkdir(parents=True, exist_ok=True)
    with (home() / f".{place.toolchain.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            name = place.toolchain.name
            raise EnvironmentBroken(f"{name} is being installed by another process") from error
        yield


def _begin(planned: Plan) -> None:
    place = planned.place
    shutil.rmtree(place.folder, ignore_errors=True)
    command = (str(planned.python), *_VENV, str(place.folder))
    ran = subprocess.run(
        command, capture_output=True, encoding="utf-8", env={**os.environ, **isolated()}
    )
    if ran.returncode:
        lines = (ran.stderr or ran.stdout).strip().splitlines() or ["no message"]
        raise EnvironmentBroken(f"no environment can be made with {planned.python}: {lines[-1]}")
    (place.folder / _JOURNAL).write_text(f"{place.toolchain.digest}\n", "utf-8")


def _ordered(requirements: Sequence[Requirement]) -> list[Requirement]:
    """PyTorch first: which build of it comes decides what else is needed."""
    return sorted(requirements, key=lambda one: one.name != "torch")


def _left_out(place: Place, one: Requirement) -> bool:
    """Whether this is what only PyTorch with CUDA needs, and another build was installed."""
    built = place.folder.glob("lib/python*/site-packages/torch-*+*.dist-info")
    return needs_cuda(one.name) and any(built)


def _pip_install(place: Place, one: Requirement, index: Index, watcher: Watcher) -> None:
    if one.name == "torch" and index.options:
        one = one.without_hashes()
    options = [*index.options, *(["--require-hashes"] if "--hash" in one.text else [])]
    _forget_half_installed(place, one)
    pip(place, one, options, watcher)


def _forget_half_installed(place: Place, one: Requirement) -> None:
    """Removes what says that a package is there of which pip did not get to write the record.

    Pip would take it for installed, and could not uninstall it.
    """
    for info in place.folder.glob("lib/python*/site-packages/*.dist-info"):
        name = info.name.removesuffix(".dist-info").rpartition("-")[0]
        if canonical(name) == canonical(one.name) and not (info / "RECORD").exists():
            shutil.rmtree(info)


def pip(place: Place, one: Requirement, options: Sequence[str], watcher: Watcher) -> None:
    """Runs the environment's pip on one package.

    Raises:
        EnvironmentBroken: it fails; says its last word.
    """
    # On the disk whose room was looked at; what a killed pip left there goes with it.
    rubbish = place.folder / ".pip"
    shutil.rmtree(rubbish, ignore_errors=True)
    rubbish.mkdir()
    with tempfile.TemporaryDirectory(dir=rubbish) as folder:
        listed = Path(folder) / "requirement.txt"
        listed.write_text(one.text, "utf-8")
        command = [str(place.python), "-s", "-m", "pip", "install", "--quiet", "--no-deps"]
        command += ["--no-cache-dir", "--disable-pip-version-check", "--no-warn-script-location"]
        command += [*options, "-r", str(listed)]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, **isolated(), "TMPDIR": folder},
        )
        stop = threading.Event()
        looking = threading.Thread(target=_look, args=(Path(folder), watcher, stop), daemon=True)
        looking.start()
        try:
            said, _ = process.communicate()
        finally:
            stop.set()
            looking.join()
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode:
        errors = [line for line in said.splitlines() if line.startswith("ERROR")]
        lines = errors or said.strip().splitlines() or ["without a word"]
        raise EnvironmentBroken(
            f"{one.name} {one.version} cannot be installed: {lines[-1].removeprefix('ERROR: ')}; "
            "the same command goes on from here"
        )


def _look(folder: Path, watcher: Watcher, stop: threading.Event) -> None:
    """Tells how much has come into `folder`, until `stop`."""
    while not stop.wait(_LOOK_S):
        try:
            watcher.arrived(disk_bytes(folder) / 1e6)
        except OSError:  # pip removed something meanwhile
            continue


def verify(place: Place) -> None:
    """Raises EnvironmentBroken where a package is missing, or what matters cannot be imported."""
    place.ask()
    for name in _IMPORTS:
        if name in place.toolchain.versions:
            run_python(place.python, f"import {name}")


def install_coremltools(toolchain: Toolchain, version: str, watcher: Watcher) -> None:
    """Puts a coremltools that may stand in for the toolchain's own into a folder of its own.

    Raises:
        EnvironmentBroken: pip fails, as for a Python that this version has no wheel for.
    """
    place, one = Place(toolchain), named_coremltools(version)
    folder = coremltools_folder(toolchain, version)
    if folder.is_dir():
        return
    watcher.package(1, 1, f"coremltools {version}")
    with tempfile.TemporaryDirectory(dir=home(), prefix=".coremltools-") as temporary:
        inner = Path(temporary) / "packages"
        pip(place, one, ("--require-hashes", "--target", str(inner)), watcher)
        inner.replace(folder)
