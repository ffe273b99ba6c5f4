"""What a process wrote, without what differs between equal runs: folders, process ids, times.

Results are published and compared, so they must not tell where somebody's home is.
"""

from __future__ import annotations

import logging
import re
import sysconfig
import tempfile
from functools import lru_cache
from pathlib import Path


def tidy(text: str) -> str:
    """`text` with paths shortened, what differs cut, repeated lines told once, our callers not.

    `/home/me/env/lib/python3.11/site-packages/torch/nn/functional.py` becomes
    `torch/nn/functional.py`; terminal codes go too.
    """
    text = _TERMINAL_CODES.sub("", text)
    for folder in _folders():
        text = text.replace(folder, "")
    text = _temporary().sub("", text)
    text = _SEVERITY.sub(r"\1 ", text)
    text = _TIME.sub("", text)
    text = _ADDRESS.sub("0x…", text)
    text = _OWN_FRAME.sub("", text)
    return _REPEATED.sub(r"\1", text)


NEWSMONGER = "torch.onnx._internal.exporter._registration"
"""The logger of PyTorch that `is_news` is a filter for."""


def is_news(record: logging.LogRecord) -> bool:
    """False for what PyTorch says four times in every export and no activation needs."""
    return "torchvision is not installed" not in record.getMessage()


_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

_SEVERITY = re.compile(r"^([IWEF])\d{4} [\d:.]+ +\d+ ", re.MULTILINE)
"""As PyTorch's loggers begin a line: `W1125 02:07:27.070000 9052 `."""

_TIME = re.compile(r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,\d]* *", re.MULTILINE)

_ADDRESS = re.compile(r"0x[0-9a-f]{6,}", re.IGNORECASE)

_OWN_FRAME = re.compile(r"^exportcheck/\S+\.py\(\d+\): (?!forward$)\S+\n?", re.MULTILINE)
"""How PyTorch's tracer names what called a module; what of it is ours says nothing of that."""

_REPEATED = re.compile(r"^(.*\n)\1+", re.MULTILINE)


@lru_cache(maxsize=None)
def _folders() -> tuple[str, ...]:
    """The folders that modules are imported from, the longest first, each with a slash behind."""
    known = [sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")]
    known.append(str(Path(__file__).parents[1]))
    # Where the user is; but not the whole disk, or every slash would go.
    known += [str(Path.cwd())] if len(Path.cwd().parts) > 2 else []
    found = {f"{path}/" for folder in known for path in (folder, str(Path(folder).resolve()))}
    return tuple(sorted(found, key=lambda folder: (-len(folder), folder)))


@lru_cache(maxsize=None)
def _temporary() -> re.Pattern[str]:
    """A file or a folder right inside the folder for temporary files; its name is random."""
    return re.compile(re.escape(tempfile.gettempdir()) + r"/[^/\s'\"]+/?")
