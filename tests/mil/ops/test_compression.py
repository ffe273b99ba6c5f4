from __future__ import annotations

import coremltools as ct
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil import types
from coremltools.converters.mil.mil.ops.defs.iOS18 import compression as theirs

from tests.mil.support import call, predict

BITS = [1, 2, 3, 4, 6, 8]
SUB_BYTE = {bits: types.nptype_from_builtin(getattr(types, f"uint{bits}")) for bits in BITS}
INT4, UINT4 = (types.nptype_from_builtin(t) for t in (types.int4, types.uint4))


def f32(values):
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("scale", "offset", "expected"),
    [
        ([[2]], None, [[2, 4, 6, 8], [-2, -4, -6, -256]]),
        ([[2]], [[1]], [[0, 2, 4, 6], [-4, -6, -8, -258]]),
        ([[1], [10]], None, [[1, 2, 3, 4], [-10, -20, -30, -1280]]),
        ([[1, 10]], [[0, 1]], [[1, 2, 20, 30], [-1, -2, -40, -1290]]),
        ([[1, 2, 3, 4], [5, 6, 7, 8]], None, [[1, 4, 9, 16], [-5, -12, -21, -1024]]),
        ([[1, 10], [0, 1]], [[1, 1], [0, 127]], [[0, 1, 20, 30], [0, 0, -130, -255]]),
    ],
)
def test_constexpr_blockwise_shift_scale(scale, offset, expected):
    data = np.array([[1, 2, 3, 4], [-1, -2, -3, -128]], np.int8)
    offset = None if offset is None else np.array(offset, np.int8)
    result = call("constexpr_blockwise_shift_scale", data=data, scale=f32(scale), offset=offset)
    assert result.dtype == np.float32
    assert result.tolist() == expected


def test_offsets_may_be_floats():
    result = call(
        "constexpr_blockwise_shift_scale",
        data=np.array([0, 255], np.uint8),
        scale=f32([2, 4]),
        offset=f32([0.5, 0.25]),
    )
    assert result.tolist() == [-1, 1019]


@pytest.mark.parametrize("scale", [[1], [[1, 2, 3]], [[[1]]]])
def test_blocks_that_do_not_divide_the_data(scale):
    with pytest.raises(ValueError, match="do not divide shape"):
        call("constexpr_blockwise_shift_scale", data=np.zeros((2, 4), np.int8), scale=f32(scale))


def test_constexpr_lut_to_dense_with_a_table_for_each_block():
    lut = f32([[0, 1, 2, 3], [10, 11, 12, 13]]).reshape(2, 1, 4, 1)
    indices = np.array([[0, 3], [1, 2], [2, 1], [3, 0]], np.uint8)
    result = call("constexpr_lut_to_dense", indices=indices, lut=lut)
    assert result.tolist() == [[0, 3], [1, 2], [12, 11], [13, 10]]
    result = call("constexpr_lut_to_dense", indices=indices.T, lut=lut.swapaxes(0, 1))
    assert result.tolist() == [[0, 1, 12, 13], [3, 2, 11, 10]]


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (0, [[1, 4], [2, 5], [3, 6], [4, 4], [5, 5], [6, 6]]),
        (-2, [[1, 4], [2, 5], [3, 6], [4, 4], [5, 5], [6, 6]]),
        (1, [[1, 2, 3, 4, 5, 6], [4, 5, 6, 4, 5, 6]]),
        (-1, [[1, 2, 3, 4, 5, 6], [4, 5, 6, 4, 5, 6]]),
    ],
)
def test_constexpr_lut_to_dense_with_vectors(axis, expected):
    lut = np.array([[1, 2, 3], [4, 5, 6]], np.int8).reshape(1, 1, 2, 3)
    indices = np.array([[0, 1], [1, 1]], np.uint8)
    result = call("constexpr_lut_to_dense", indices=indices, lut=lut, vector_axis=axis)
    assert result.dtype == np.int8
    assert result.tolist() == expected


def test_constexpr_sparse_to_dense():
    mask = np.array([[0, 1, 0], [1, 0, 1]], np.uint8)
    values = np.array([-7, 0, 3], np.int8)
    result = call("constexpr_sparse_to_dense", nonzero_data=values, mask=mask)
    assert result.dtype == np.int8
    assert result.tolist() == [[0, -7, 0], [0, 0, 3]]
    empty = call("constexpr_sparse_to_dense", nonzero_data=values[:0], mask=mask[:, :0])
    assert empty.shape == (2, 0)
    with pytest.raises(ValueError, match="assign"):
        call("constexpr_sparse_to_dense", nonzero_data=values[:2], mask=mask)


def test_constexpr_lut_to_sparse():
    arguments = {
        "indices_mask": np.array([[1, 0], [1, 1]], np.uint8),
        "indices_nonzero_data": np.array([1, 0, 1], np.uint8),
    }
    scalars = f32([2, 3]).reshape(1, 1, 2, 1)
    mask, values = call("constexpr_lut_to_sparse", lut=scalars, **arguments)
    assert mask.tolist() == [[1, 0], [1, 1]]
    assert values.tolist() == [3, 2, 3]
    vectors = f32([[2, 20], [3, 30]]).reshape(1, 1, 2, 2)
    mask, values = call("constexpr_lut_to_sparse", lut=vectors, vector_axis=0, **arguments)
    assert mask.tolist() == [[1, 0], [1, 0], [1, 1], [1, 1]]
    assert values.tolist() == [3, 30, 2, 3, 20, 30]
    mask, values = call("constexpr_lut_to_sparse", lut=vectors, vector_axis=-1, **arguments)
    assert mask.tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]
    assert values.tolist() == [3, 30, 2, 20, 3, 30]


def test_constexpr_sparse_blockwise_shift_scale():
    arguments = {
        "data_mask": np.array([[1, 0, 1, 0], [0, 1, 0, 1]], np.uint8),
        "nonzero_data": np.array([1, 2, 3, -4], np.int8),
        "scale": f32([[1, 10]]),
    }
    mask, values = call("constexpr_sparse_blockwise_shift_scale", **arguments)
    assert mask.tolist() == arguments["data_mask"].tolist()
    assert values.tolist() == [1, 20, 3, -40]
    offset = np.array([[-1, 5]], np.int8)
    _, values = call("constexpr_sparse_blockwise_shift_scale", offset=offset, **arguments)
    assert values.tolist() == [2, -30, 4, -90]


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("blocks", [(1, 1, 1), (2, 1, 3), (4, 2, 6)])
@pytest.mark.parametrize(("vector", "axis"), [(1, None), (1, 2), (3, 0), (2, 1), (4, 2)])
def test_tables_against_coremltools(bits, blocks, vector, axis):
    random = np.random.default_rng(0)
    indices = random.integers(0, 2**bits, (4, 2, 6)).astype(np.uint8)
    lut = random.normal(size=(*blocks, 2**bits, vector)).astype(np.float32)
    mask = random.integers(0, 2, indices.shape).astype(np.uint8)
    dense = call("constexpr_lut_to_dense", indices=indices, lut=lut, vector_axis=axis)
    np.testing.assert_array_equal(
        dense, theirs.constexpr_lut_to_dense.decompress(indices, lut, axis)
    )
    arguments = (mask, indices[mask == 1], lut, axis)
    names = ("indices_mask", "indices_nonzero_data", "lut", "vector_axis")
    sparse = call("constexpr_lut_to_sparse", **dict(zip(names, arguments, strict=True)))
    for found, expected in zip(
        sparse, theirs.constexpr_lut_to_sparse.decompress(*arguments), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("blocks", [(1, 1, 1), (2, 1, 3), (4, 2, 6)])
@pytest.mark.parametrize("has_offset", [False, True])
def test_blocks_against_coremltools(blocks, has_offset):
    random = np.random.default_rng(0)
    data = random.integers(-128, 128, (4, 2, 6), np.int8)
    scale = random.normal(size=blocks).astype(np.float32)
    offset = random.integers(-128, 128, blocks, np.int8) if has_offset else None
    result = call("constexpr_blockwise_shift_scale", data=data, scale=scale, offset=offset)
    np.testing.assert_allclose(
        result, theirs.constexpr_blockwise_shift_scale.decompress(data, scale, offset), rtol=1e-6
    )


@pytest.mark.parametrize(("bits", "vector"), list(zip(BITS, [1, 2, 1, 2, 4, 1], strict=True)))
def test_saved_tables(bits, vector, tmp_path):
    random = np.random.default_rng(bits)
    indices = random.integers(0, 2**bits, (8, 8))
    lut = random.normal(size=(2, 1, 2**bits, vector)).astype(np.float32)
    mask = random.integers(0, 2, indices.shape)
    options = {"lut": lut, "vector_axis": None if vector == 1 else 0}

    def build(x):
        dense = mb.constexpr_lut_to_dense(indices=indices.astype(SUB_BYTE[bits]), **options)
        wide, values = mb.constexpr_lut_to_sparse(
            indices_mask=mask.astype(types.np_uint1_dtype),
            indices_nonzero_data=indices[mask == 1].astype(SUB_BYTE[bits]),
            **options,
        )
        sparse = mb.constexpr_sparse_to_dense(nonzero_data=values, mask=wide)
        return mb.add(x=x, y=dense), mb.add(x=x, y=sparse)

    tables = np.repeat(lut[:, 0], 4, axis=0)
    expected = np.concatenate([tables[i][indices[i]].T.reshape(vector, 8) for i in range(8)])
    where = np.repeat(mask, vector, axis=0)
    dense, sparse = predict(build, {"x": np.zeros_like(expected)}, tmp_path)
    np.testing.assert_array_equal(dense, expected)
    np.testing.assert_array_equal(sparse, expected * where)


@pytest.mark.parametrize(
    ("dtype", "size"),
    [
        (INT4, (2, 2, 2)),
        (INT4, (16, 4, 8)),
        (UINT4, (16, 3, 5)),
        (np.int8, (16, 4, 8)),
        (np.uint8, (2, 2, 2)),
    ],
)
def test_saved_blocks(dtype, size, tmp_path):
    bits = 4 if dtype in (INT4, UINT4) else 8
    signed = dtype in (INT4, np.int8)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    random = np.random.default_rng(0)
    data = random.integers(low, high, size)
    scale = random.normal(size=(2, 1, size[2])).astype(np.float32)
    offset = random.integers(low, high, scale.shape)
    mask = random.integers(0, 2, size)
    options = {"scale": scale, "offset": offset.astype(dtype)}

    def build(x):
        dense = mb.constexpr_blockwise_shift_scale(data=data.astype(dtype), **options)
        same, values = mb.constexpr_sparse_blockwise_shift_scale(
            data_mask=mask.astype(types.np_uint1_dtype),
            nonzero_data=data[mask == 1].astype(dtype),
            **options,
        )
        sparse = mb.constexpr_sparse_to_dense(nonzero_data=values, mask=same)
        return mb.add(x=x, y=dense), mb.add(x=x, y=sparse)

    each = size[0] // 2
    expected = np.repeat(scale, each, 0) * (data - np.repeat(offset, each, 0)).astype(np.float32)
    dense, sparse = predict(build, {"x": np.zeros(size, np.float32)}, tmp_path)
    np.testing.assert_allclose(dense, expected, rtol=1e-6)
    np.testing.assert_allclose(sparse, expected * mask, rtol=1e-6)


def test_saved_table_that_is_itself_quantized(tmp_path):
    indices = np.arange(16).reshape(4, 4) % 4
    entries = np.array([-8, -1, 0, 7])

    def build(x):
        lut = mb.constexpr_blockwise_shift_scale(
            data=entries.reshape(1, 1, 4, 1).astype(INT4),
            scale=np.full((1, 1, 1, 1), 0.5, np.float32),
            offset=np.full((1, 1, 1, 1), 3).astype(INT4),
        )
        return mb.add(
            x=x, y=mb.constexpr_lut_to_dense(indices=indices.astype(SUB_BYTE[2]), lut=lut)
        )

    (result,) = predict(build, {"x": np.zeros((4, 4), np.float32)}, tmp_path)
    assert result[1].tolist() == [-5.5, -2, -1.5, 2]


@pytest.mark.filterwarnings("ignore:.torch.jit.trace", "ignore:Output, '26'")
def test_whole_model_compressed_by_coremltools(tmp_path):
    import torch

    import exportcheck.mil

    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 64, 3), torch.nn.ReLU(), torch.nn.Conv2d(64, 8, 3)
    )
    example = torch.randn(1, 3, 12, 12)
    model = ct.convert(
        torch.jit.trace(network.eval(), example),
        inputs=[ct.TensorType("x", example.shape)],
        minimum_deployment_target=ct.target.iOS18,
        compute_precision=ct.precision.FLOAT32,
        skip_model_load=True,
    )
    config = ct.optimize.coreml
    settings = config.OpLinearQuantizerConfig(
        mode="linear", dtype="int8", granularity="per_channel", weight_threshold=1
    )
    small = config.linear_quantize_weights(model, config.OptimizationConfig(global_config=settings))
    small.save(str(tmp_path / "small.mlpackage"))
    program = exportcheck.mil.load(tmp_path / "small.mlpackage")
    assert program.operators["constexpr_blockwise_shift_scale"] == 2
    (result,) = program.predict({"x": example.numpy()}).values()
    expected = network(example).detach().numpy()
    assert 0 < abs(result - expected).max() < 0.02 * abs(expected).max()
