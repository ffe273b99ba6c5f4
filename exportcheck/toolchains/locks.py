"""The toolchains that there are, as their lock files say it.

`<name>.in` says what is wanted and by which Python; `<name>.txt` is the lock made from it: every
package with its version and the hashes of its files. `coremltools.txt` locks coremltools alone, in
the versions that may stand in for a toolchain's own.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from exportcheck.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent
COREMLTOOLS = FOLDER / "coremltools.txt"

JOINT = "+coremltools-"
"""Stands in a name before the coremltools that stands in for the toolchain's own."""

_HEADER = re.compile(r"on Python (\d+\.\d+), .*: (\d+) MB to download, (\d+) MB installed")
_PACKAGE = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)")
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Requirement:
    """One package of a lock: its name, its version, and the lines that pip is to read."""

    name: str
    version: str
    text: str

    def without_hashes(self) -> Requirement:
        """The same version, whatever its files are."""
        return Requirement(self.name, self.version, f"{self.name}=={self.version}\n")


@dataclass(frozen=True)
class Toolchain:
    """A set of packages of one time.

    Attributes:
        name: `torch-1.7`.
        python: the version that runs it, `3.8`.
        requirements: every package.
        download_mb: how much is downloaded, megabytes.
        installed_mb: how much it takes on the disk, megabytes.
        digest: of the lock file, so that an environment made from another one is noticed.
    """

    name: str
    python: str
    requirements: tuple[Requirement, ...]
    download_mb: int
    installed_mb: int
    digest: str

    @property
    def versions(self) -> Mapping[str, str]:
        """Version by package."""
        return {canonical(one.name): one.version for one in self.requirements}


@lru_cache(maxsize=None)
def locked_toolchains(folder: Path = FOLDER) -> dict[str, Toolchain]:
    """Every toolchain that can be installed, by name, the oldest first."""
    found = {path.stem: _toolchain(path) for path in folder.glob("torch-*.txt")}
    return {name: found[name] for name in sorted(found, key=_age) if found[name].requirements}


def _age(name: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", name)]


def _toolchain(path: Path) -> Toolchain:
    """The toolchain of a lock; with no requirements where the lock has no hashes."""
    text = path.read_text("utf-8")
    header = _HEADER.search(text.partition("\n")[0])
    if header is None:
        return Toolchain(path.stem, "", (), 0, 0, "")
    python, download, installed = header.groups()
    requirements = parse_requirements(text)
    return Toolchain(
        path.stem, python, requirements, int(download), int(installed), _digest(requirements)
    )


def parse_requirements(text: str) -> tuple[Requirement, ...]:
    """The packages of a lock: one begins where a line does, what is indented belongs to it."""
    found: list[Requirement] = []
    for line in text.splitlines(keepends=True):
        if begun := _PACKAGE.match(line):
            found.append(Requirement(begun[1], begun[2], line))
        elif found and line.startswith((" ", "\t")):
            last = found[-1]
            found[-1] = Requirement(last.name, last.version, last.text + line)
    return tuple(found)


def _digest(requirements: tuple[Requirement, ...]) -> str:
    return hashlib.sha256("".join(one.text for one in requirements).encode()).hexdigest()


@lru_cache(maxsize=None)
def coremltools_versions(path: Path = COREMLTOOLS) -> dict[str, Requirement]:
    """The versions of coremltools that may stand in for a toolchain's own."""
    return {one.version: one for one in parse_requirements(path.read_text("utf-8"))}


def named_toolchain(name: str) -> Toolchain:
    """The toolchain called `name`.

    Raises:
        UsageError: there is none that can be installed; names the nearest.
    """
    known = locked_toolchains()
    if name not in known and re.fullmatch(r"torch-[\d.]+", name):
        near = ", ".join(sorted(known, key=lambda other: _distance(name, other))[:_SHOWN])
        raise UsageError(f"no toolchain {name!r}; nearest: {near}")
    return _named(name, known, "toolchain")


_SHOWN = 3


def _distance(name: str, other: str) -> list[float]:
    """How far apart two toolchains are, as versions; first what `name` has a figure more than."""
    typed = not name.startswith(other)
    return [typed, *(abs(a - b) for a, b in zip(_age(name), _age(other), strict=False))]


def named_coremltools(version: str) -> Requirement:
    """The locked coremltools of this version.

    Raises:
        UsageError: it is not locked; names those that are.
    """
    return _named(version, coremltools_versions(), "locked coremltools")


def _named(name: str, known: Mapping[str, _Found], kind: str) -> _Found:
    from exportcheck.selection import nearest

    if name not in known:
        raise UsageError(f"no {kind} {name!r}{nearest(name, list(known))}")
    return known[name]


def split(name: str) -> tuple[Toolchain, str]:
    """The toolchain, and the version of coremltools that stands in for its own, or nothing.

    Args:
        name: `torch-1.7`, or `torch-1.7+coremltools-4.1`.

    Raises:
        UsageError: there is no such toolchain, or no such coremltools.
    """
    base, plus, coremltools = name.partition(JOINT)
    toolchain = named_toolchain(base)
    if plus:
        named_coremltools(coremltools)
    return toolchain, coremltools


def locked_versions(name: str) -> Mapping[str, str] | None:
    """Version by package of the toolchain called `name`; None where it cannot be installed."""
    base, _, coremltools = name.partition(JOINT)
    if base not in locked_toolchains():
        return None
    versions = locked_toolchains()[base].versions
    return {**versions, "coremltools": coremltools} if coremltools else versions


def canonical(name: str) -> str:
    """A package's name as all its spellings agree on: `ml-dtypes`."""
    return re.sub(r"[-_.]+", "-", name).lower()
