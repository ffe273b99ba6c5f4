"""All float32 numbers as a line of equal pieces, each of neighbouring bit patterns of one sign."""

from __future__ import annotations

import struct

TOTAL = 2**32
PIECE = 2**20
"""Numbers in a piece: an eighth of the numbers between two powers of two."""

COUNT = TOTAL // PIECE


def outward() -> tuple[int, ...]:
    """All pieces from zero outward, both signs in turn."""
    half = COUNT // 2
    return tuple(piece for k in range(half) for piece in (k, half + k))


def rightward() -> tuple[int, ...]:
    """The pieces of finite numbers from the most negative to the largest."""
    half, finite = COUNT // 2, _INFINITY // PIECE
    return (*(half + k for k in reversed(range(finite))), *range(finite))


_INFINITY = 0x7F800000


def first_bits(piece: int) -> int:
    """The bit pattern of the number in a piece that is nearest to zero."""
    return piece * PIECE


def number(bits: int) -> float:
    """The float32 number of a bit pattern."""
    (value,) = struct.unpack("<f", struct.pack("<I", bits & 0xFFFFFFFF))
    return float(value)
