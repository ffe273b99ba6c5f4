"""Draws lines in a terminal: a character of Braille is two dots wide and four high."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLANK = 0x2800


class Canvas:
    """An empty plot.

    Args:
        columns: its width in characters.
        rows: its height in characters.
        x: the least and the greatest value across.
        y: the least and the greatest value upwards.
    """

    def __init__(
        self, columns: int, rows: int, x: tuple[float, float], y: tuple[float, float]
    ) -> None:
        self._width, self._height = columns * 2, rows * 4
        self._x, self._y = x, y
        self._cells: list[list[tuple[int, int]]] = [[(0, 0)] * columns for _ in range(rows)]

    def line(self, points: Sequence[tuple[float, float]], layer: int) -> None:
        """Joins `points` that stand beside each other; open where x hardly moves, at a jump.

        Args:
            points: x and y, x rising; what is not finite is left out.
            layer: a number above zero; of two lines in one character the lower number shows.
        """
        steps = self._width * 4
        for (x0, y0), (x1, y1) in pairwise(points):
            if not (math.isfinite(y0) and math.isfinite(y1)) or self._jumps(x0, x1):
                continue
            for step in range(steps // len(points) + 2):
                share = step / (steps // len(points) + 1)
                self._dot(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share, layer)

    def _jumps(self, x0: float, x1: float) -> bool:
        return x1 - x0 < (self._x[1] - self._x[0]) * 1e-4

    def _dot(self, x: float, y: float, layer: int) -> None:
        across = round((x - self._x[0]) / (self._x[1] - self._x[0]) * (self._width - 1))
        down = round((self._y[1] - y) / (self._y[1] - self._y[0]) * (self._height - 1))
        if not (0 <= across < self._width and 0 <= down < self._height):
            return
        row, column = down // 4, across // 2
        bits, shown = self._cells[row][column]
        if shown in (0, layer):
            bits |= _DOTS[down % 4][across % 2]
            self._cells[row][column] = (bits, layer)
        elif layer < shown:
            self._cells[row][column] = (_DOTS[down % 4][across % 2], layer)

    def rows(self) -> list[list[tuple[str, int]]]:
        """Each row as characters with the layer they belong to, 0 for a blank."""
        return [
            [(chr(_BLANK | bits) if bits else " ", layer) for bits, layer in row]
            for row in self._cells
        ]
