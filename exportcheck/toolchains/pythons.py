"""Finds the Python that a toolchain needs; an old one is seldom the one that is on the PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from exportcheck.errors import EnvironmentBroken

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIMEOUT_S = 30
_ASK = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"


def find_python(version: str, needed_for: str) -> Path:
    """A Python of this version that starts and can make environments.

    Args:
        version: `3.8`.
        needed_for: what to say that it is needed for.

    Raises:
        EnvironmentBroken: there is none; says how to get one.
    """
    tried: list[str] = []
    for candidate in _candidates(version):
        trouble = _trouble_with(candidate, version)
        if trouble is None:
            return candidate
        tried.append(f"{candidate} {trouble}")
    seen = f" ({'; '.join(tried)})" if tried else ""
    raise EnvironmentBroken(
        f"{needed_for} needs Python {version}, which is neither on the PATH nor among those of "
        f"pyenv or uv{seen}: get it with `pyenv install {version}` or `uv python install "
        f"{version}`, on Ubuntu as python{version}-venv from the deadsnakes PPA"
    )


def _candidates(version: str) -> Iterator[Path]:
    """Where such a Python may be: the PATH first, then where pyenv and uv keep theirs."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        yield Path(sys.executable)
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    for folder, pattern in ((pyenv, f"{version}.*"), (uv, f"cpython-{version}.*")):
        for found in sorted(folder.glob(pattern), reverse=True):
            yield found / "bin" / f"python{version}"


def _trouble_with(python: Path, version: str) -> str | None:
    """Why it is of no use; None where it is. What is on the PATH may be a shim without a Python."""
    try:
        ran = subprocess.run(
            (str(python), "-s", "-c", _ASK), capture_output=True, text=True, timeout=_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not start: {error}"
    if ran.returncode:
        lines = [line for line in ran.stderr.splitlines() if line.strip()] or ["no message"]
        return f"cannot be used: {lines[-1].strip()}"
    found = ran.stdout.strip()
    return None if found == version else f"is {found}"
