"""The toolchains that are installed: where they are, whether they are whole, what is in them.

An environment lies in a folder of the user's cache. The mark in it is written last and names the
lock that it was made from, so that one half made, or made from another lock, is noticed.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exportcheck.cache import folder as cache_folder
from exportcheck.environment import Environment
from exportcheck.errors import EnvironmentBroken
from exportcheck.toolchains.intact import check_files
from exportcheck.toolchains.locks import canonical, split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exportcheck.toolchains.locks import Toolchain

_MARK = ".exportcheck-ready.json"
_TIMEOUT_S = 60

_ASK = """
import json, platform
from importlib import metadata
found = [(d.metadata["Name"], d.version) for d in reversed(list(metadata.distributions()))]
print(json.dumps({"python": platform.python_version(), "versions": dict(found)}))
"""


def home() -> Path:
    """The folder that the environments lie in."""
    return cache_folder() / "toolchains"


@dataclass(frozen=True)
class Place:
    """Where a toolchain is, or will be, installed."""

    toolchain: Toolchain

    @property
    def folder(self) -> Path:
        """The environment's folder."""
        return home() / self.toolchain.name

    @property
    def python(self) -> Path:
        """The environment's Python."""
        return self.folder / "bin" / "python"

    @property
    def installed_mb(self) -> int | None:
        """What it takes on the disk; None unless it is whole and made from today's lock."""
        try:
            mark = json.loads((self.folder / _MARK).read_text("utf-8"))
            fits = mark["lock"] == self.toolchain.digest
            return int(mark["installed_mb"]) if fits else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def state(self) -> str:
        """`installed`, `incomplete` (or made from another lock), `` where there is nothing."""
        if self.installed_mb is not None:
            return "installed"
        return "incomplete" if self.folder.exists() else ""

    @property
    def condition(self) -> str:
        """The state, or `broken` where files are gone from what was installed."""
        try:
            self.check()
        except EnvironmentBroken:
            return "broken" if self.state == "installed" else self.state
        return self.state

    def mark(self) -> int:
        """Says that the environment is whole; returns its megabytes on the disk."""
        size_mb = round(disk_bytes(self.folder) / 1e6)
        text = json.dumps({"lock": self.toolchain.digest, "installed_mb": size_mb})
        temporary = self.folder / (_MARK + ".new")
        temporary.write_text(text, "utf-8")
        temporary.replace(self.folder / _MARK)
        return size_mb

    def check(self) -> None:
        """Looks at the files only, which takes no time.

        Raises:
            EnvironmentBroken: one of a package's is missing or of another size.
        """
        for packages in self.folder.glob("lib/python*/site-packages"):
            check_files(packages)

    def unmark(self) -> None:
        """Takes the mark away, before anything else changes."""
        (self.folder / _MARK).unlink(missing_ok=True)

    def ask(self, path: str = "") -> dict[str, Any]:
        """The environment's `python` and `versions` of everything in it, as it says itself.

        Args:
            path: folders that come before its own, as in PYTHONPATH.

        Raises:
            EnvironmentBroken: its Python does not start, or lacks a package of the lock.
        """
        told: dict[str, Any] = json.loads(run_python(self.python, _ASK, path))
        told["versions"] = {canonical(k): v for k, v in told["versions"].items()}
        for name, version in self.toolchain.versions.items():
            found = told["versions"].get(name, "missing")
            # What follows a plus names a build of the same version: 1.13.1+cpu.
            if found.split("+")[0] != version and not (path and name == "coremltools"):
                if _left_out(name, told["versions"]):
                    continue
                raise EnvironmentBroken(f"{name} is {found} where {version} was installed")
        return told


def _left_out(name: str, versions: Mapping[str, str]) -> bool:
    """Whether a package is one that a build of PyTorch without CUDA does not need."""
    return needs_cuda(name) and "+" in versions.get("torch", "")


def needs_cuda(name: str) -> bool:
    """Whether only PyTorch with CUDA asks for this package."""
    return name.startswith(("nvidia-", "triton", "cuda-"))


def run_python(python: Path, code: str, path: str = "") -> str:
    """What `code` prints in another Python, which sees nothing of this one's packages.

    Raises:
        EnvironmentBroken: it does not start, or fails; says its last words.
    """
    try:
        ran = subprocess.run(
            (str(python), "-s", "-c", code),
            capture_output=True,
            encoding="utf-8",
            timeout=_TIMEOUT_S,
            env={**os.environ, **isolated(path)},
            cwd=python.parent,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentBroken(f"its Python does not start: {error}") from error
    if ran.returncode:
        lines = [line for line in ran.stderr.splitlines() if line.strip()]
        cause = lines[-1].strip() if lines else f"exit code {ran.returncode}"
        raise EnvironmentBroken(f"its Python fails: {cause}")
    return ran.stdout


def isolated(path: str = "") -> dict[str, str]:
    """Variables that keep this process's Python, and the user's own packages, out of another's."""
    return {"PYTHONPATH": path, "PYTHONHOME": "", "PYTHONNOUSERSITE": "1", "PYTHONSTARTUP": ""}


def disk_bytes(folder: Path) -> int:
    """What the files in a folder take on the disk, links counted as links."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))


def coremltools_folder(toolchain: Toolchain, version: str) -> Path:
    """Where a coremltools that stands in for the toolchain's own lies, for its Python."""
    return home() / f"coremltools-{version}-python{toolchain.python}"


def check_coremltools(folder: Path) -> None:
    """Looks at the files of a coremltools that stands in.

    Raises:
        EnvironmentBroken: one is missing or of another size.
    """
    # Without this, which says what it is, the toolchain's own would be taken for it.
    if not any(folder.glob("coremltools-*.dist-info")):
        raise EnvironmentBroken(f"{folder} has no coremltools in it")
    check_files(folder)


def coremltools_here() -> list[str]:
    """Each coremltools that may stand in, with the Python it is for: `4.1 (Python 3.8)`."""
    names = sorted(path.name for path in home().glob("coremltools-*-python*"))
    parts = [name.removeprefix("coremltools-").rpartition("-python") for name in names]
    return [f"{version} (Python {python})" for version, _, python in parts]


def environment_of(name: str) -> Environment:
    """The installed toolchain `torch-1.7`, or `torch-1.7+coremltools-4.1`.

    Raises:
        UsageError: there is no such toolchain.
        EnvironmentBroken: it is not installed, or was broken; says what to do.
    """
    toolchain, coremltools = split(name)
    place = Place(toolchain)
    cure = cure_of(name)
    if place.state != "installed":
        how = "not installed" if not place.state else "half installed, or from another lock"
        raise EnvironmentBroken(f"{toolchain.name} is {how}: {cure}")
    folder = coremltools_folder(toolchain, coremltools) if coremltools else None
    if folder and not folder.is_dir():
        raise EnvironmentBroken(f"coremltools {coremltools} is not installed: {cure}")
    try:
        place.check()
        if folder:
            check_coremltools(folder)
        told = place.ask(str(folder or ""))
    except EnvironmentBroken as error:
        raise EnvironmentBroken(f"{name} is broken: {error}: {cure}") from error
    return Environment(name, told["python"], told["versions"], place.python, str(folder or ""))


def cure_of(name: str) -> str:
    """The command that makes a toolchain, or makes it anew where it is broken."""
    return f"exportcheck toolchains install {name}"
