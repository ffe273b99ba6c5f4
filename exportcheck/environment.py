"""What this machine has: versions, runtimes real, simulated or missing. Imports none of them."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from exportcheck import __version__
from exportcheck.targets import targets

if TYPE_CHECKING:
    from collections.abc import Mapping

DISTRIBUTIONS = (
    "torch",
    "onnx",
    "onnxscript",
    "onnx-ir",
    "onnxruntime",
    "coremltools",
    "numpy",
    "scipy",
    "protobuf",
)


@dataclass(frozen=True)
class Environment:
    """A Python with its packages, in which workers can run.

    Attributes:
        toolchain: its name in the ids of cases.
        python: its version.
        versions: of every package in it, by canonical name; None where it is this process's own,
            which looks them up one by one.
        executable: its program.
        path: folders whose packages come before its own, as in PYTHONPATH.
    """

    toolchain: str
    python: str = platform.python_version()
    versions: Mapping[str, str] | None = None
    executable: Path = Path(sys.executable)
    path: str = ""

    def version(self, distribution: str) -> str | None:
        """The installed version; None where it is not installed."""
        return version(distribution) if self.versions is None else self.versions.get(distribution)

    def describe(self) -> dict[str, object]:
        """As in a report, without times and paths: equal machines give equal text."""
        return {
            "exportcheck": __version__,
            "platform": platform.system(),
            "machine": platform.machine(),
            "python": self.python,
            "versions": {name: self.version(name) or "missing" for name in DISTRIBUTIONS},
        }


def describe() -> dict[str, object]:
    """The environment of this process, for a report."""
    return Environment("").describe()


@lru_cache(maxsize=None)
def version(distribution: str) -> str | None:
    """The installed version; None where it is not installed. Asked once a process."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


@dataclass(frozen=True)
class RuntimeState:
    """One runtime as `doctor` shows it."""

    name: str
    state: str
    advice: str
    targets: tuple[str, ...]


def runtime_states() -> tuple[RuntimeState, ...]:
    """Every runtime, `real`, `simulated` or `missing`, with what to do about the last."""
    users: dict[str, list[str]] = {}
    runtimes = {}
    for target in targets().values():
        for runtime in target.runtimes:
            runtimes[runtime.name] = runtime
            users.setdefault(runtime.name, []).append(target.name)
    states = []
    for name, runtime in runtimes.items():
        advice = runtime.missing() or str(getattr(runtime, "broken", ""))
        absent = [d for d in runtime.distributions if version(d) is None]
        if absent:
            advice = f"pip install {' '.join(absent)}"
        state = "missing" if advice else "simulated" if runtime.simulated else "real"
        states.append(RuntimeState(name, state, advice, tuple(users[name])))
    return tuple(states)
