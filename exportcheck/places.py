"""Where in somebody's code something happened: `my.py:9`."""

from __future__ import annotations

import re
import sysconfig
import traceback
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

_FRAMEWORKS = re.compile(
    r"[/\\]site-packages[/\\](torch|numpy|onnx|onnx_ir|onnxruntime|onnxscript|coremltools)[/\\]"
)
_DUMPED = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in (?P<function>.+)$', re.M)


def short(path: str) -> str:
    """`torch/nn/functional.py`: no folder of the machine it happened to lie on."""
    for mark in ("site-packages/", f"{Path.cwd()}/"):
        if mark in path:
            return path.partition(mark)[2]
    parts = Path(path).parts
    return "/".join(parts[parts.index("exportcheck") :]) if "exportcheck" in parts else parts[-1]


def place(error: BaseException) -> str:
    """The innermost line of a user's file that `error` passed through; empty where there is none.

    A syntax error is placed where it stands, not where the file is imported.
    """
    if isinstance(error, SyntaxError) and error.filename and is_theirs(error.filename):
        return f"{short(error.filename)}:{error.lineno}"
    frames = ((f.filename, f.lineno) for f in reversed(traceback.extract_tb(error.__traceback__)))
    return _first(frames)


def caller() -> str:
    """The innermost line of a user's file that runs now; empty where there is none."""
    return _first((f.filename, f.lineno) for f in reversed(traceback.extract_stack()))


def dumped(log: str) -> str:
    """The innermost line of a user's file in the last traceback that `faulthandler` wrote."""
    last = log.rpartition("(most recent call first):")[2]
    return _first((m["file"], int(m["line"])) for m in _DUMPED.finditer(last))


def _first(frames: Iterator[tuple[str, int | None]]) -> str:
    return next((f"{short(file)}:{line}" for file, line in frames if is_theirs(file)), "")


def is_theirs(path: str) -> bool:
    """Whether a file is neither Python's, nor ours, nor one of the frameworks'."""
    if path.startswith("<") or _FRAMEWORKS.search(path):
        return False
    if "site-packages" in path or "dist-packages" in path:
        return True
    return not any(path.startswith(folder) for folder in _own_folders())


@lru_cache(maxsize=None)
def _own_folders() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib")
    return (
        f"{Path(__file__).parent}/",
        *(f"{Path(sysconfig.get_path(name)).resolve()}/" for name in names),
        *(f"{sysconfig.get_path(name)}/" for name in names),
    )
