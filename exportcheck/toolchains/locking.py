"""Writes the lock of each `.in` file anew: `python -m exportcheck.toolchains.locking`.

For those who maintain exportcheck: `make toolchains`. It asks uv, which needs no old Python for it,
and writes into the lock what uv found, with the hashes of all files of each package.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import tomllib

from exportcheck.toolchains.locks import COREMLTOOLS, FOLDER

PLATFORM = "x86_64-manylinux_2_28"
MADE_BY = "made by: make toolchains"
_WANTED = re.compile(r"# Python (\d+\.\d+), (\d+) MB installed\.")


def main(names: list[str]) -> None:
    """Locks the toolchains of these names, all of them and coremltools where none is given."""
    for path in sorted(FOLDER.glob("torch-*.in")):
        wanted = _WANTED.match(path.read_text("utf-8"))
        # That of today has no such line: `make lock` makes its lock.
        if wanted and (not names or path.stem in names):
            print(f"{path.stem}: {_lock(path, *wanted.groups())} MB to download")
    if not names or "coremltools" in names:
        _lock_coremltools()


def _lock(path: Path, python: str, installed_mb: str) -> int:
    """Writes the lock beside `path`; returns the megabytes to download."""
    pins = _compiled(path, python)
    download_mb = round(_download_bytes(path, python) / 1e6)
    header = (
        f"# The lock of {path.name} on Python {python}, Linux x86_64: {download_mb} MB to "
        f"download, {installed_mb} MB installed; {MADE_BY}\n"
    )
    path.with_suffix(".txt").write_text(header + pins, "utf-8")
    return download_mb


def _lock_coremltools() -> None:
    """One lock for all versions of coremltools: no environment has more than one of them."""
    pins = []
    for line in COREMLTOOLS.with_suffix(".in").read_text("utf-8").splitlines()[1:]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "coremltools.in"
            path.write_text(line, "utf-8")
            pins.append(_compiled(path, "3.8", "--no-deps"))
    header = f"# The lock of coremltools.in, every version alone; {MADE_BY}\n"
    COREMLTOOLS.write_text(header + "".join(pins), "utf-8")


def _compiled(path: Path, python: str, *more: str) -> str:
    return _uv(path, python, "--generate-hashes", "--no-annotate", "--no-header", *more)


def _download_bytes(path: Path, python: str) -> int:
    """The size of the files that an installation takes: a wheel, else the source, a package."""
    packages = tomllib.loads(_uv(path, python, "--format", "pylock.toml"))["packages"]
    return sum(min(w["size"] for w in p.get("wheels") or [p["sdist"]]) for p in packages)


def _uv(path: Path, python: str, *options: str) -> str:
    """What `uv pip compile` prints; nothing of this machine's configuration goes into it."""
    asked = ("--no-config", "--quiet", "--python-version", python, "--python-platform", PLATFORM)
    command = (sys.executable, "-m", "uv", "pip", "compile", *asked, *options, str(path))
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


if __name__ == "__main__":
    main(sys.argv[1:])
