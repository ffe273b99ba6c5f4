"""Runs Apple's operator tests against the evaluator and writes what they say.

    python tests/mil/coremltools_suite.py [paths and options for pytest] [--report FILE]

Without paths it runs all of them, two processes. See `apple_suite.py` beside this file for options.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import List, Sequence

HERE = Path(__file__).resolve().parent


def suite_folder() -> Path:
    """Where the installed coremltools keeps its operators' tests."""
    spec = importlib.util.find_spec("coremltools")
    if spec is None or spec.origin is None:
        raise SystemExit("coremltools is not installed")
    return Path(spec.origin).parent / "converters/mil/mil/ops/tests"


def pytest_command(arguments: Sequence[str]) -> List[str]:
    """A pytest that reads no configuration but its own and leaves nothing beside the tests."""
    folder = suite_folder()
    own = ["-c", os.devnull, "--rootdir", str(folder), "--confcutdir", str(folder.parents[2])]
    quiet = ["-p", "no:cacheprovider", "-W", "ignore", "-rf"]
    return [sys.executable, "-m", "pytest", *own, *quiet, "-p", "apple_suite", *arguments]


def environment() -> "dict[str, str]":
    """This process's environment with the plugin to be found and one thread a process."""
    path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}


def run(arguments: Sequence[str]) -> int:
    """Runs the suite on `arguments`, paths relative to the tests' folder; pytest's exit status."""
    return subprocess.call(pytest_command(arguments), cwd=suite_folder(), env=environment())


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1:]))
