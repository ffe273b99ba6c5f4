"""Reads the weight file of an `.mlpackage` without trusting a word of it.

The file is a 64-byte header, then for every blob a 64-byte record and its data, all little endian:
sentinel 0xDEADBEEF, element type, size in bytes, offset of the data, padding in bits. A program
names a blob by the offset of its record.

Source: `BlobDataType.hpp` and `StorageFormat.hpp` in apple/coremltools 9.0, mlmodel/src/MILBlob.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

from exportcheck.errors import InvalidModel
from exportcheck.mil.ir import NUMPY_DTYPES, SUB_BYTE_BITS

_RECORD = struct.Struct("<IIQQQ")
_RECORD_SIZE = 64
_SENTINEL = 0xDEADBEEF
_BLOB_DTYPES = {
    1: "fp16",
    2: "fp32",
    3: "uint8",
    4: "int8",
    6: "int16",
    7: "uint16",
    8: "int4",
    9: "uint1",
    10: "uint2",
    11: "uint4",
    12: "uint3",
    13: "uint6",
    14: "int32",
    15: "uint32",
}


class WeightFiles:
    """The weight files beside a model, each mapped into memory once, when it is first named.

    Args:
        folder: where they lie; it may be absent when no value is stored in a file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mapped: dict[str, np.ndarray] = {}

    def read(self, file_name: str, offset: int, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
        """The read-only tensor of `dtype` and `shape` whose record stands at `offset`.

        Raises:
            InvalidModel: the file is absent, or the record does not describe this tensor in it.
        """
        data = self._map(file_name)
        where = f"weight file {_last_part(file_name)!r}, offset {offset}"
        if offset + _RECORD_SIZE > data.size:
            raise InvalidModel(f"{where}: past the file's end at {data.size} bytes")
        record = data[offset : offset + _RECORD.size].tobytes()
        sentinel, blob_dtype, size, start, _ = _RECORD.unpack(record)
        if sentinel != _SENTINEL:
            raise InvalidModel(f"{where}: no weight record there (the file is damaged)")
        if _BLOB_DTYPES.get(blob_dtype) != dtype:
            stored = _BLOB_DTYPES.get(blob_dtype, f"type {blob_dtype}")
            raise InvalidModel(f"{where}: holds {stored} where the program says {dtype}")
        if start + size > data.size:
            raise InvalidModel(f"{where}: its data end past the file's end (the file is truncated)")
        needed = packed_size(dtype, math.prod(shape))
        if size != needed:
            raise InvalidModel(f"{where}: {size} bytes where shape {shape} takes {needed}")
        return unpack(data[start : start + size], dtype, shape)

    def _map(self, file_name: str) -> np.ndarray:
        name = _last_part(file_name)
        if name not in self._mapped:
            path = self._folder / name
            try:
                if not path.is_file():
                    raise InvalidModel(f"weight file {name!r} is not in the package")
                empty = path.stat().st_size == 0
                mapped: Any = np.zeros(0, np.uint8) if empty else np.memmap(path, np.uint8, "r")
            except OSError as error:
                raise InvalidModel(f"weight file {name!r} cannot be read ({error})") from error
            self._mapped[name] = mapped
        return self._mapped[name]


def _last_part(file_name: str) -> str:
    """`weight.bin` of `@model_path/weights/weight.bin`: a model cannot name a file elsewhere."""
    return file_name.replace("\\", "/").rsplit("/", 1)[-1]


def packed_size(dtype: str, count: int) -> int:
    """Bytes that `count` elements take in a file; sub-byte integers are packed without gaps."""
    bits = SUB_BYTE_BITS.get(dtype, 8 * NUMPY_DTYPES[dtype].itemsize)
    return (count * bits + 7) // 8


def unpack(data: np.ndarray, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """`data`, uint8 bytes in a file's layout, as elements of `dtype` in `shape`.

    Sub-byte integers are packed from the low bit up and may straddle two bytes.
    """
    bits = SUB_BYTE_BITS.get(dtype)
    if bits is None:
        return np.frombuffer(data, NUMPY_DTYPES[dtype]).reshape(shape)
    count = math.prod(shape)
    planes = np.unpackbits(data, bitorder="little")[: count * bits].reshape(count, bits)
    values = planes @ (1 << np.arange(bits, dtype=np.uint8))
    if dtype == "int4":
        values = np.where(values > 7, values.astype(np.int16) - 16, values)
    return values.astype(NUMPY_DTYPES[dtype]).reshape(shape)
