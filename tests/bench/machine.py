"""What was measured on: every table names it."""

from __future__ import annotations

import datetime
import os
import platform
from importlib import metadata
from pathlib import Path

from exportcheck.runner import default_jobs

NAMES = ("torch", "onnx", "onnxscript", "onnxruntime", "coremltools", "numpy")


def describe() -> dict:
    """Machine, versions, day, and how busy the machine was before."""
    return {
        "processor": _processor(),
        "cores": default_jobs(),
        "memory_gb": round(_memory_gb()),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": {name: metadata.version(name) for name in NAMES},
        "day": datetime.date.today().isoformat(),
        "load": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((s.partition(":")[2].strip() for s in lines if s.startswith("model name")), "?")


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def text(facts: dict) -> str:
    """In one line, for under a table."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    busy = f"; load before it {facts['load']}"
    size = f"{facts['cores']} cores, {facts['memory_gb']} GB"
    return f"{facts['processor']}, {size}, {facts['system']}; {versions}; {facts['day']}{busy}"
