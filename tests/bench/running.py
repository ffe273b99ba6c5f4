"""Runs the command line and the loops in processes of their own, timed, their memory watched."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENDED = (0, 1)
"""Exit codes of `exportcheck all` that are an outcome, not an accident."""


@dataclass
class Ran:
    """A process that has ended.

    Attributes:
        seconds: from start to end.
        out: its standard output.
        cpu_s: processor time of it and all that it started and waited for.
        memory_mb: of the largest worker below it, by the second; empty where not watched.
    """

    seconds: float
    out: str
    cpu_s: float = 0.0
    memory_mb: list[float] = field(default_factory=list)


def exportcheck(*words: str, cache: Path | None = None, watched: bool = False) -> Ran:
    """`exportcheck` with a cache of its own, which is empty unless one is given.

    Raises:
        RuntimeError: it ended with something other than 0 or 1.
    """
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, "EXPORTCHECK_CACHE": str(cache or empty), "COLUMNS": "400"}
        # An installed package has its bytecode; where it may not be written, a tenth of a second
        # of each start would be spent on making it.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        return _run([sys.executable, "-m", "exportcheck", *words], environment, watched)


def loop(module: str, *words: object) -> dict:
    """The JSON that `python -m tests.bench.MODULE` prints."""
    command = [sys.executable, "-W", "ignore", "-m", f"tests.bench.{module}", *map(str, words)]
    return json.loads(_run(command, dict(os.environ), watched=False, ended=(0,)).out)


def _run(
    command: list[str],
    environment: dict[str, str],
    watched: bool,
    ended: tuple[int, ...] = ENDED,
) -> Ran:
    begun, used = time.perf_counter(), _children_cpu_s()
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    memory: list[float] = []
    stop = threading.Event()
    if watched:
        threading.Thread(target=_watch, args=(process.pid, memory, stop), daemon=True).start()
    out, err = process.communicate()
    stop.set()
    seconds = time.perf_counter() - begun
    if process.returncode not in ended:
        raise RuntimeError(f"{' '.join(command[:8])} ended with {process.returncode}: {err[-500:]}")
    return Ran(seconds, out, _children_cpu_s() - used, memory)


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _watch(pid: int, memory: list[float], stop: threading.Event) -> None:
    while not stop.wait(1.0):
        sizes = [_resident_mb(child) for child in _children(pid)]
        memory.append(max(sizes, default=0.0))


def _children(pid: int) -> list[int]:
    """Processes that this one started; read from Linux's /proc."""
    found = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in tasks.read_text().split()]
        except OSError:  # it has ended meanwhile
            continue
    return found


def _resident_mb(pid: int) -> float:
    try:
        match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(match[1]) / 1e3 if match else 0.0
