"""Which lines of a `forward` some input reaches."""

from __future__ import annotations

import copy
import linecache
import sys
from types import CodeType
from typing import TYPE_CHECKING, Any, Iterator, Sequence

import numpy as np

from exportcheck.subject import run_eager

if TYPE_CHECKING:
    from torch import nn


def unreached(
    module: nn.Module,
    code: CodeType,
    ranges: frozenset[tuple[int, int]],
    runs: Sequence[tuple[np.ndarray, ...]],
) -> Iterator[tuple[int, str]]:
    """Line number in the file and text of each of `ranges` that no run of `module` reaches.

    Args:
        module: what runs.
        code: of the function that is watched.
        ranges: first and last lines in it, counted from 1.
        runs: the inputs of each run; one that the module refuses reaches as far as it does.
    """
    seen: set[int] = set()
    for arrays in runs:
        seen |= _lines(copy.deepcopy(module), code, arrays)
    for first, last in sorted(ranges):
        numbers = range(code.co_firstlineno + first - 1, code.co_firstlineno + last)
        if not seen.intersection(numbers):
            yield numbers[0], linecache.getline(code.co_filename, numbers[0]).strip()


def _lines(module: nn.Module, code: CodeType, arrays: tuple[np.ndarray, ...]) -> set[int]:
    seen: set[int] = set()

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
