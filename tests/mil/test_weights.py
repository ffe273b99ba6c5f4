from __future__ import annotations

import re
import struct

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil import types
from coremltools.libmilstoragepython import _BlobStorageReader, _BlobStorageWriter

import exportcheck.mil
from exportcheck.errors import InvalidModel
from exportcheck.mil.ir import NUMPY_DTYPES, SUB_BYTE_BITS
from exportcheck.mil.weights import WeightFiles, packed_size, unpack
from tests.mil.packages import WEIGHTS, edited, model_of

WHOLE = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "fp16", "fp32"]
SPECIAL = {
    "fp16": [0.0, -0.0, np.inf, -np.inf, np.nan, 6e-8, 65504, 1 / 3],
    "fp32": [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 3.4e38, 1 / 3],
}


def every_value(dtype):
    """The least and the largest value, and others between them."""
    if dtype in SPECIAL:
        return np.array(SPECIAL[dtype], NUMPY_DTYPES[dtype])
    bits = SUB_BYTE_BITS.get(dtype, 8 * NUMPY_DTYPES[dtype].itemsize)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if dtype[0] == "i" else (0, 2**bits - 1)
    return np.linspace(low, high, 16).astype(NUMPY_DTYPES[dtype])


def store(path, dtype, values):
    """Writes `values` as coremltools does, which takes two bytes of fp16 for an integer."""
    writer = _BlobStorageWriter(str(path))
    if dtype == "fp16":
        return writer.write_fp16_data(values.view(np.uint16))
    if dtype == "fp32":
        return writer.write_float_data(values)
    return getattr(writer, f"write_{dtype}_data")(values)


@pytest.mark.parametrize("dtype", [*WHOLE, *SUB_BYTE_BITS])
def test_what_coremltools_stores_is_read_bit_for_bit(dtype, tmp_path):
    values = every_value(dtype)
    offset = store(tmp_path / "weight.bin", dtype, values)
    actual = WeightFiles(tmp_path).read(
        "@model_path/weights/weight.bin", offset, dtype, (4, len(values) // 4)
    )
    assert actual.dtype == NUMPY_DTYPES[dtype]
    assert actual.tobytes() == values.tobytes()
    assert actual.shape == (4, len(values) // 4)


STORED = {
    "int4": types.np_int4_dtype,
    **{f"uint{bits}": getattr(types, f"np_uint{bits}_dtype") for bits in (1, 2, 3, 4, 6)},
}


def many(dtype, *shape):
    return np.resize(every_value(dtype), shape).astype(STORED.get(dtype, NUMPY_DTYPES[dtype]))


def plain(x):
    return many("fp32", 8, 8)


def affine(x):
    return mb.constexpr_affine_dequantize(
        quantized_data=many("int8", 8, 8),
        zero_point=np.int8(3),
        scale=np.linspace(0, 1, 8, dtype=np.float32),
        axis=0,
    )


def packed(x):
    return mb.constexpr_lut_to_dense(
        indices=many("uint8", 32), lut=many("fp32", 16), shape=np.array([8, 8], np.uint32)
    )


def sparse(x):
    mask = np.full(8, 0b01010101, np.uint8)
    return mb.constexpr_sparse_to_dense(
        nonzero_data=many("fp32", 32), mask=mask, shape=np.array([8, 8], np.uint32)
    )


def integers(x):
    return mb.cast(x=mb.const(val=many("int32", 8, 8)), dtype="fp32")


def blockwise(dtype):
    return lambda x: mb.constexpr_blockwise_shift_scale(
        data=many(dtype, 8, 8), scale=many("fp32", 8, 2), offset=many(dtype, 8, 2)
    )


def table(dtype):
    return lambda x: mb.constexpr_lut_to_dense(
        indices=many(dtype, 8, 8),
        lut=many("fp32", 2, 1, 2 ** SUB_BYTE_BITS.get(dtype, 8), 1),
    )


@pytest.mark.parametrize(
    ("opset", "fp16", "weight"),
    [
        *((f"iOS{n}", fp16, plain) for n in (15, 16, 17, 18) for fp16 in (False, True)),
        *((f"iOS{n}", False, integers) for n in (15, 18)),
        *((f"iOS{n}", False, w) for n in (16, 17) for w in (affine, packed, sparse)),
        *(("iOS18", False, blockwise(dtype)) for dtype in ("int4", "uint4", "int8", "uint8")),
        *(("iOS18", fp16, table(f"uint{n}")) for n in (1, 2, 3, 4, 6, 8) for fp16 in (False, True)),
    ],
)
def test_constants_of_a_package_are_those_coremltools_reads(opset, fp16, weight, tmp_path):
    """Through the offsets and types that the saved program itself names."""
    package = tmp_path / "m.mlpackage"
    model_of(lambda x: mb.matmul(x=x, y=weight(x)), [mb.TensorSpec((1, 8))], opset, fp16).save(
        str(package)
    )
    theirs = _BlobStorageReader(str(package / WEIGHTS))
    (function,) = exportcheck.mil.load(package).functions.values()
    # From iOS18 on what is compressed stands in the inputs of its operator, before in attributes.
    ours = {
        o.name: {**o.attributes, **{name: bound[0] for name, bound in o.inputs.items()}}
        for o in function.block.operations
    }
    compared = list(blobs(package))
    assert compared
    for name, key, offset in compared:
        literal = ours[name][key]
        dtype = literal.type.dtype
        expected = getattr(theirs, METHODS.get(dtype, f"read_{dtype}_data"))(offset)
        assert literal.value.tobytes() == np.asarray(expected).tobytes(), (name, key)
        assert literal.value.dtype == NUMPY_DTYPES[dtype]


METHODS = {"fp16": "read_fp16_data", "fp32": "read_float_data"}


def blobs(package):
    """Operation, attribute or input, and offset of every value that lies in the weight file."""
    with edited(package) as model:
        for function in model.mlProgram.functions.values():
            for operation in function.block_specializations[function.opset].operations:
                values = [*operation.attributes.items()]
                values += [(k, a.arguments[0].value) for k, a in operation.inputs.items()]
                for key, value in values:
                    if value.WhichOneof("value") == "blobFileValue":
                        yield operation.outputs[0].name, key, value.blobFileValue.offset


# ---- files that are none -----------------------------------------------------------------------


@pytest.fixture
def stored(tmp_path):
    """A weight file with four fp32 numbers and then eight int4, and their offsets."""
    writer = _BlobStorageWriter(str(tmp_path / "weight.bin"))
    offsets = (
        writer.write_float_data(np.arange(4, dtype=np.float32)),
        writer.write_int4_data(np.arange(-4, 4, dtype=np.int8)),
    )
    return tmp_path, offsets


def test_the_layout_is_as_documented(stored):
    folder, offsets = stored
    data = (folder / "weight.bin").read_bytes()
    assert offsets == (64, 192)
    assert struct.unpack("<IIQQQ", data[64:96]) == (0xDEADBEEF, 2, 16, 128, 0)
    assert struct.unpack("<IIQQQ", data[192:224]) == (0xDEADBEEF, 8, 4, 256, 0)
    assert len(data) == 260


@pytest.mark.parametrize(
    ("at", "word", "message"),
    [
        (64, b"\0", "no weight record there (the file is damaged)"),
        (68, b"\1", "holds fp16 where the program says fp32"),
        (68, b"\x4d", "holds type 77 where the program says fp32"),
        (72, (2**64 - 1).to_bytes(8, "little"), "its data end past the file's end"),
        (72, (2**63).to_bytes(8, "little"), "its data end past the file's end"),
        (72, (12).to_bytes(8, "little"), "12 bytes where shape (4,) takes 16"),
        (72, (0).to_bytes(8, "little"), "0 bytes where shape (4,) takes 16"),
        (80, (2**64 - 1).to_bytes(8, "little"), "its data end past the file's end"),
        (80, (245).to_bytes(8, "little"), "its data end past the file's end"),
    ],
)
def test_a_hostile_record(at, word, message, stored):
    folder, _ = stored
    data = bytearray((folder / "weight.bin").read_bytes())
    data[at : at + len(word)] = word
    (folder / "weight.bin").write_bytes(data)
    with pytest.raises(
        InvalidModel, match=re.escape(f"weight file 'weight.bin', offset 64: {message}")
    ):
        WeightFiles(folder).read("weight.bin", 64, "fp32", (4,))


@pytest.mark.parametrize("offset", [197, 260, 2**31, 2**63, 2**64 - 1])
def test_an_offset_past_the_end(offset, stored):
    with pytest.raises(InvalidModel, match=f"offset {offset}: past the file's end at 260 bytes$"):
        WeightFiles(stored[0]).read("weight.bin", offset, "fp32", (4,))


@pytest.mark.parametrize("offset", [0, 1, 63, 128])
def test_an_offset_beside_a_record(offset, stored):
    with pytest.raises(InvalidModel, match=f"offset {offset}: no weight record there"):
        WeightFiles(stored[0]).read("weight.bin", offset, "fp32", (4,))


@pytest.mark.parametrize("shape", [(5,), (2, 3), (), (0,), (2**31, 2**31)])
def test_a_shape_that_is_not_that_of_the_data(shape, stored):
    with pytest.raises(InvalidModel, match=r"16 bytes where shape \(.*\) takes \d+$"):
        WeightFiles(stored[0]).read("weight.bin", 64, "fp32", shape)


@pytest.mark.parametrize("name", ["../weight.bin", "/etc/weight.bin", "..\\..\\weight.bin"])
def test_only_files_beside_the_model_are_read(name, stored):
    folder, (offset, _) = stored
    values = WeightFiles(folder).read(name, offset, "fp32", (4,))
    assert values.tolist() == [0, 1, 2, 3]
    inner = folder / "inner"
    inner.mkdir()
    with pytest.raises(InvalidModel, match=r"^weight file 'weight.bin' is not in the package$"):
        WeightFiles(inner).read(name, offset, "fp32", (4,))


@pytest.mark.parametrize("name", ["", ".", "..", "absent", "a\0b"])
def test_names_of_no_file(name, stored):
    with pytest.raises(InvalidModel, match=r"is not in the package$"):
        WeightFiles(stored[0]).read(name, 64, "fp32", (4,))


def test_a_name_too_long_for_a_file(stored):
    with pytest.raises(InvalidModel, match=r"cannot be read .*File name too long"):
        WeightFiles(stored[0]).read("x" * 300, 64, "fp32", (4,))


def test_what_is_read_cannot_be_written_to(stored):
    values = WeightFiles(stored[0]).read("weight.bin", 64, "fp32", (4,))
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 1


@pytest.mark.parametrize(
    ("dtype", "count", "size"),
    [
        ("fp16", 3, 6),
        ("uint1", 9, 2),
        ("uint3", 8, 3),
        ("uint3", 3, 2),
        ("int4", 0, 0),
        ("uint6", 1, 1),
    ],
)
def test_packed_size(dtype, count, size):
    assert packed_size(dtype, count) == size


@pytest.mark.parametrize(
    ("dtype", "data", "expected"),
    [
        ("int4", [0x8F, 0x70], [-1, -8, 0, 7]),
        ("uint4", [0x8F, 0x70], [15, 8, 0, 7]),
        ("uint2", [0b11100100], [0, 1, 2, 3]),
        ("uint1", [0b00000101], [1, 0, 1, 0]),
        ("uint3", [0b10_001_000, 0b1_011], [0, 1, 6, 5]),
        ("uint6", [0b01_000000, 0b0010_0000, 0b000011_00], [0, 1, 2, 3]),
    ],
)
def test_sub_byte_integers_are_packed_from_the_low_bit(dtype, data, expected):
    assert unpack(np.array(data, np.uint8), dtype, (4,)).tolist() == expected
