"""Which lines of a `forward` some input reaches."""

from __future__ import annotations

import copy
import inspect
import linecache
import sys
from typing import TYPE_CHECKING, Any, FrozenSet, Iterator, Sequence, Set, Tuple

import numpy as np

from exportcheck.subject import run_eager

if TYPE_CHECKING:
    from torch import nn


def unreached(
    module: nn.Module,
    ranges: FrozenSet[Tuple[int, int]],
    runs: Sequence[Tuple[np.ndarray, ...]],
) -> Iterator[Tuple[int, str]]:
    """Line number in the file and text of each of `ranges` that no run of `module` reaches.

    Args:
        module: whose `forward` is watched.
        ranges: first and last lines in it, counted from 1.
        runs: the inputs of each run; one that the module refuses reaches as far as it does.
    """
    if not ranges:
        return
    forward = inspect.getattr_static(type(module), "forward")
    code = getattr(forward, "__func__", forward).__code__
    seen: Set[int] = set()
    for arrays in runs:
        seen |= _lines(copy.deepcopy(module), code, arrays)
    for first, last in sorted(ranges):
        numbers = range(code.co_firstlineno + first - 1, code.co_firstlineno + last)
        if not seen.intersection(numbers):
            yield numbers[0], linecache.getline(code.co_filename, numbers[0]).strip()


def _lines(module: nn.Module, code: Any, arrays: Tuple[np.ndarray, ...]) -> Set[int]:
    seen: Set[int] = set()

    def trace(frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code is not code:
            return None
        seen.add(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run_eager(module, arrays)
    except Exception:  # how far it came is all that is asked
        return seen
    finally:
        sys.settrace(before)
    return seen
