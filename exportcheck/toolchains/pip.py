"""Runs the pip of an environment on one package, and tells how much has arrived."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from exportcheck.errors import EnvironmentBroken
from exportcheck.toolchains.installed import disk_bytes, isolated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exportcheck.toolchains.installed import Place
    from exportcheck.toolchains.locks import Requirement

_LOOK_S = 0.5


class Watcher(Protocol):
    """Is told how an installation goes."""

    def package(self, number: int, total: int, name: str) -> None:
        """Package `number` of `total` is begun."""

    def arrived(self, megabytes: float) -> None:
        """So much of it has been downloaded or unpacked by now."""


def pip_install(place: Place, one: Requirement, options: Sequence[str], watcher: Watcher) -> None:
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
        raise EnvironmentBroken(
            f"{one.name} {one.version} cannot be installed: {_cause(said, options)}; the same "
            "command goes on from here"
        )


def _cause(said: str, options: Sequence[str] = ()) -> str:
    """Why pip failed, of all that it said; it calls what it cannot reach a missing version."""
    index = "the index"
    if "--index-url" in options:
        # A password that stands in it is nobody else's business.
        index = re.sub(r"//[^/@]*@", "//", options[options.index("--index-url") + 1])
    errors = [line for line in said.splitlines() if line.startswith("ERROR")]
    lines = errors or said.strip().splitlines() or ["without a word"]
    last = lines[-1].removeprefix("ERROR: ")
    if "WARNING: Retrying" not in said:
        return last
    unreached = f"no connection to {index}"
    return unreached if last.startswith(_NOT_FOUND) else f"{unreached}, {last}"


_NOT_FOUND = ("No matching distribution", "Could not find a version", "ResolutionImpossible")
"""What pip says of a package too whose index it could not ask."""


def _look(folder: Path, watcher: Watcher, stop: threading.Event) -> None:
    """Tells how much has come into `folder`, until `stop`."""
    while not stop.wait(_LOOK_S):
        try:
            watcher.arrived(disk_bytes(folder) / 1e6)
        except OSError:  # pip removed something meanwhile
            continue
