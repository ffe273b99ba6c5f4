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
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from exportcheck.errors import EnvironmentBroken, UsageError
from exportcheck.toolchains.installed import (
    Place,
    check_coremltools,
    coremltools_folder,
    disk_bytes,
    home,
    isolated,
    needs_cuda,
    run_python,
)
from exportcheck.toolchains.locks import canonical, named_coremltools
from exportcheck.toolchains.pip import pip_install
from exportcheck.toolchains.pythons import find_python

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exportcheck.toolchains.locks import Requirement, Toolchain
    from exportcheck.toolchains.pip import Watcher

_VENV = ("-m", "venv")
_SCHEMES = ("https", "http", "file")
_JOURNAL = ".exportcheck-installing"
_IMPORTS = ("numpy", "torch", "onnx", "onnxruntime", "coremltools")


@dataclass(frozen=True)
class Index:
    """Where pip looks besides what it is configured to.

    Another index may have other builds of PyTorch, so that PyTorch's hashes hold only without one.
    """

    url: str = ""
    extra: Sequence[str] = ()

    def check(self) -> None:
        """Raises UsageError where something is not a URL, before pip takes it for a folder."""
        for url in (*([self.url] if self.url else ()), *self.extra):
            parts = urlsplit(url)
            if parts.scheme not in _SCHEMES or not (parts.netloc or parts.path):
                raise UsageError(f"{url!r} is no URL of an index: expected https://…")

    @property
    def options(self) -> list[str]:
        """For pip."""
        main = ["--index-url", self.url] if self.url else []
        return main + [word for one in self.extra for word in ("--extra-index-url", one)]


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
        EnvironmentBroken: the Python that it needs is not there, or the folder cannot be written.
    """
    place = Place(toolchain)
    existing = _writable()
    python = find_python(toolchain.python, toolchain.name)
    done = _done(place)
    # A wheel lies beside what is unpacked from it until pip is done with it.
    needed = toolchain.installed_mb + toolchain.download_mb
    there = round(disk_bytes(place.folder) / 1e6) if place.folder.exists() else 0
    free = round(shutil.disk_usage(existing).free / 1e6)
    return Plan(place, place.state, max(0, needed - there), free, python, done)


def _writable() -> Path:
    """What there is already of the folder that the environments will lie in.

    Raises:
        EnvironmentBroken: nothing can be made in it.
    """
    existing = next(p for p in (home(), *home().parents) if p.exists())
    trouble = "is not a folder" if not existing.is_dir() else "cannot be written to"
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        raise EnvironmentBroken(
            f"{existing} {trouble}: let EXPORTCHECK_CACHE name a folder that can be written to"
        )
    return existing


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
    pip_install(place, one, options, watcher)


def _forget_half_installed(place: Place, one: Requirement) -> None:
    """Removes what says that a package is there of which pip did not get to write the record.

    Pip would take it for installed, and could not uninstall it.
    """
    for info in place.folder.glob("lib/python*/site-packages/*.dist-info"):
        name = info.name.removesuffix(".dist-info").rpartition("-")[0]
        if canonical(name) == canonical(one.name) and not (info / "RECORD").exists():
            shutil.rmtree(info)


def verify(place: Place) -> None:
    """Raises EnvironmentBroken where a package or a file is missing, or an import fails."""
    place.check()
    place.ask()
    for name in _IMPORTS:
        if name in place.toolchain.versions:
            run_python(place.python, f"import {name}")


def install_coremltools(toolchain: Toolchain, version: str, watcher: Watcher) -> None:
    """Puts a coremltools that may stand in for the toolchain's own into a folder of its own.

    One that is there is made anew where it is broken.

    Raises:
        EnvironmentBroken: pip fails, as for a Python that this version has no wheel for.
    """
    place, one = Place(toolchain), named_coremltools(version)
    folder = coremltools_folder(toolchain, version)
    try:
        check_coremltools(folder)
        return
    except EnvironmentBroken:
        shutil.rmtree(folder, ignore_errors=True)
    watcher.package(1, 1, f"coremltools {version}")
    with tempfile.TemporaryDirectory(dir=home(), prefix=".coremltools-") as temporary:
        inner = Path(temporary) / "packages"
        pip_install(place, one, ("--require-hashes", "--target", str(inner)), watcher)
        inner.replace(folder)
