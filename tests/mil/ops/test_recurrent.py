from __future__ import annotations

import numpy as np
import pytest
import torch
from coremltools.converters.mil.mil import Builder as mb

from tests.mil.support import operator, predict

F32 = np.float32
LENGTH, BATCH, WIDTH, UNITS = 5, 3, 4, 2


def f32(*values):
    return np.array(values, F32)


def one(*values):
    """Values as steps of a sequence with one row and one feature."""
    return f32(*values).reshape(-1, 1, 1)


def layer(kind, gates, **options):
    """A torch layer of float64, its weights in MIL's order of gates, random input and states."""
    torch.manual_seed(3)
    made = kind(WIDTH, UNITS, dtype=torch.float64, **options)
    both = 2 if options.get("bidirectional") else 1
    x = torch.randn(LENGTH, BATCH, WIDTH, dtype=torch.float64)
    states = [torch.randn(both, BATCH, UNITS, dtype=torch.float64) for _ in range(2)]

    def ordered(name):
        parts = np.split(getattr(made, name).detach().numpy(), len(gates))
        return np.concatenate([parts[g] for g in gates]).astype(F32)

    return made, ordered, x, states


def side_by_side(state):
    """torch's (directions, b, H) as MIL's (b, directions * H)."""
    return np.concatenate(list(state.detach().numpy()), axis=-1)


def check(results, sequence, *states, output_sequence=True, order=slice(None)):
    expected = sequence.detach().numpy()[order]
    expected = expected if output_sequence else expected[-1:]
    for result, wanted in zip(results, [expected, *map(side_by_side, states)], strict=True):
        assert result.shape == wanted.shape
        np.testing.assert_allclose(result, wanted, atol=2e-7)


def directed(x, direction):
    return x if direction == "forward" else x.flip(0)


# A layer of linear activations, one feature and one unit, can be worked by hand.
@pytest.mark.parametrize(
    ("inputs", "options", "hidden"),
    [
        # h = 2x + 1 + 3h from h = 1
        ([1, 0], {}, [6, 19]),
        ([1, 0], {"direction": "reverse"}, [4, 15]),
        ([-1, -1], {"activation": "relu"}, [2, 5]),
        ([-4, 1], {"activation": "relu"}, [0, 3]),
        ([-5, -2], {"activation": "hard_sigmoid"}, [0, 0]),
        ([0, 1], {"activation": "sigmoid_hard"}, [1, 1]),
        ([-1.5], {"activation": "hard_sigmoid"}, [0.7]),
        ([np.nan, 1], {}, [np.nan, np.nan]),
        ([np.inf, 40], {"activation": "tanh"}, [1, 1]),
        ([-np.inf, -3], {"activation": "sigmoid"}, [0, 1 / (1 + np.exp(5))]),
        ([1e38], {"activation": "scaled_tanh"}, [1]),
        ([1e38], {"activation": "linear"}, [2e38]),
    ],
)
def test_rnn_by_hand(inputs, options, hidden):
    arguments = {"activation": "linear", **options}
    all_h, last = operator("rnn")(
        one(*inputs), f32([1]), f32([2]), f32([3]), f32(1), output_sequence=True, **arguments
    )
    np.testing.assert_allclose(all_h.ravel(), hidden, rtol=1e-6)
    np.testing.assert_allclose(last.ravel(), hidden[-1:], rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "hidden"),
    [
        # Linear: r = 2 * 0.5 + 1 = 2, z = 0.5, o = 3 * 0.5 + r * h = 3.5, h = 0.5 * o + 0.5 * h
        ({}, 2.25),
        ({"bias": f32(1, 0, 0)}, 2.75),
        ({"bias": f32(0, 1, 0)}, 2.75),
        ({"bias": f32(0, 0, 0.5)}, 1),
        ({"input_bias": f32(0, 1, 0)}, 2.75),
        ({"reset_after": True}, 2.25),
        # ... and now r * (h + 1) inside o
        ({"reset_after": True, "bias": f32(0, 1, 0)}, 3.25),
        ({"reset_after": True, "input_bias": f32(0, 1, 0)}, 2.75),
        # r = 0.9, z = 0.6, o = 2.4
        ({"recurrent_activation": "hard_sigmoid", "activation": "relu"}, 1.56),
    ],
)
def test_gru_by_hand(options, hidden):
    arguments = {"recurrent_activation": "linear", "activation": "linear", **options}
    all_h, last = operator("gru")(
        one(0.5), f32([1]), f32([2], [3], [1]), f32([1], [1], [0]), **arguments
    )
    np.testing.assert_allclose([all_h.item(), last.item()], [hidden, hidden], rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "hidden", "cell"),
    [
        # Linear: i = 2, f = 1, o = 3, z = 4 (all of x = 1), c = 1 * 0.5 + 2 * 4, h = o * c
        ({}, 25.5, 8.5),
        ({"bias": f32(1, 0, 0, 0)}, 37.5, 12.5),
        ({"bias": f32(0, 1, 0, 0)}, 27, 9),
        ({"bias": f32(0, 0, 1, 0)}, 34, 8.5),
        ({"bias": f32(0, 0, 0, 1)}, 31.5, 10.5),
        # Peepholes of i and f see the old cell, that of o the new one.
        ({"peephole": f32(2, 0, 0)}, 37.5, 12.5),
        ({"peephole": f32(0, 2, 0)}, 27, 9),
        ({"peephole": f32(0, 0, 2)}, 170, 8.5),
        ({"clip": np.array(2, F32)}, 6, 2),
        ({"clip": np.array(2, F32), "peephole": f32(0, 0, 2)}, 14, 2),
        ({"clip": np.array(9, F32)}, 25.5, 8.5),
        ({"activation": "relu", "bias": f32(0, 0, 0, -9)}, 0, -9.5),
        # i = 0.9, f = 0.7, o = 1
        ({"recurrent_activation": "hard_sigmoid"}, 3.95, 3.95),
    ],
)
def test_lstm_by_hand(options, hidden, cell):
    kinds = ("recurrent_activation", "cell_activation", "activation")
    arguments = {**dict.fromkeys(kinds, "linear"), **options}
    weights = f32([2], [1], [3], [4]), f32([0], [0], [0], [0])
    all_h, last, last_c = operator("lstm")(one(1), f32([7]), f32([0.5]), *weights, **arguments)
    np.testing.assert_allclose([all_h.item(), last.item()], [hidden, hidden], rtol=1e-6)
    np.testing.assert_allclose(last_c.item(), cell, rtol=1e-6)


@pytest.mark.parametrize("output_sequence", [True, False])
@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_rnn_against_torch(activation, direction, output_sequence):
    made, ordered, x, (h, _) = layer(torch.nn.RNN, [0], nonlinearity=activation)
    results = operator("rnn")(
        x.numpy().astype(F32),
        h[0].numpy().astype(F32),
        ordered("weight_ih_l0"),
        ordered("weight_hh_l0"),
        ordered("bias_ih_l0") + ordered("bias_hh_l0"),
        direction,
        output_sequence,
        activation,
    )
    check(results, *made(directed(x, direction), h), output_sequence=output_sequence)


@pytest.mark.parametrize("output_sequence", [True, False])
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_gru_with_reset_after_against_torch(direction, output_sequence):
    made, ordered, x, (h, _) = layer(torch.nn.GRU, [0, 2, 1])
    results = operator("gru")(
        x.numpy().astype(F32),
        h[0].numpy().astype(F32),
        ordered("weight_ih_l0"),
        ordered("weight_hh_l0"),
        bias=ordered("bias_hh_l0"),
        input_bias=ordered("bias_ih_l0"),
        direction=direction,
        output_sequence=output_sequence,
        reset_after=True,
    )
    check(results, *made(directed(x, direction), h), output_sequence=output_sequence)


@pytest.mark.parametrize("output_sequence", [True, False])
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_lstm_against_torch(direction, output_sequence):
    made, ordered, x, (h, c) = layer(torch.nn.LSTM, [0, 1, 3, 2])
    results = operator("lstm")(
        x.numpy().astype(F32),
        h[0].numpy().astype(F32),
        c[0].numpy().astype(F32),
        ordered("weight_ih_l0"),
        ordered("weight_hh_l0"),
        ordered("bias_ih_l0") + ordered("bias_hh_l0"),
        direction=direction,
        output_sequence=output_sequence,
    )
    sequence, states = made(directed(x, direction), (h, c))
    check(results, sequence, *states, output_sequence=output_sequence)


def test_bidirectional_lstm_against_torch():
    made, ordered, x, (h, c) = layer(torch.nn.LSTM, [0, 1, 3, 2], bidirectional=True)
    arguments = {
        "x": x.numpy().astype(F32),
        "initial_h": side_by_side(h).astype(F32),
        "initial_c": side_by_side(c).astype(F32),
        "direction": "bidirectional",
    }
    for suffix, side in (("", ""), ("_back", "_reverse")):
        arguments["weight_ih" + suffix] = ordered("weight_ih_l0" + side)
        arguments["weight_hh" + suffix] = ordered("weight_hh_l0" + side)
        biases = ordered("bias_ih_l0" + side), ordered("bias_hh_l0" + side)
        arguments["bias" + suffix] = biases[0] + biases[1]
    sequence, states = made(x, (h, c))
    check(operator("lstm")(**arguments, output_sequence=True), sequence, *states)
    last = torch.cat([sequence[-1:, :, :UNITS], sequence[:1, :, UNITS:]], dim=-1)
    check(operator("lstm")(**arguments), last, *states)


def test_empty_sequence_keeps_the_state():
    h, weights = f32([4, 5]), (np.ones((2, 3), F32), np.ones((2, 2), F32))
    x = np.zeros((0, 1, 3), F32)
    all_h, last = operator("rnn")(x, h, *weights, output_sequence=True)
    assert all_h.shape == (0, 1, 2)
    assert last.tolist() == [[4, 5]]
    assert operator("rnn")(x, h, *weights)[0].tolist() == [[[4, 5]]]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("rnn", {"direction": "bidirectional"}, "unknown direction 'bidirectional'"),
        ("rnn", {"activation": "gelu"}, "unknown activation 'gelu'"),
    ],
)
def test_what_a_layer_does_not_know(name, options, message):
    with pytest.raises(ValueError, match=message):
        operator(name)(one(1), f32([1]), f32([1]), f32([1]), **options)


def test_bidirectional_lstm_needs_both_weights():
    weights = np.ones((4, 1), F32), np.ones((4, 1), F32)
    with pytest.raises(ValueError, match="without weights for its way back"):
        operator("lstm")(one(1), f32([1, 1]), f32([1, 1]), *weights, direction="bidirectional")


@pytest.mark.parametrize("opset", ["iOS16", "iOS17", "iOS18"])
def test_saved_lstm_rounds_its_outputs_once(opset, tmp_path):
    """From iOS17 the layer may be of fp16; then the steps between keep their digits."""
    made, ordered, x, (h, c) = layer(torch.nn.LSTM, [0, 1, 3, 2])

    def build(x, h, c):
        return mb.lstm(
            x=x,
            initial_h=h,
            initial_c=c,
            weight_ih=ordered("weight_ih_l0"),
            weight_hh=ordered("weight_hh_l0"),
            bias=ordered("bias_ih_l0") + ordered("bias_hh_l0"),
            output_sequence=True,
        )

    arrays = {"x": x.numpy(), "h": h[0].numpy(), "c": c[0].numpy()}
    inputs = {k: v.astype(F32) for k, v in arrays.items()}
    fp16 = opset != "iOS16"
    results = predict(build, inputs, tmp_path, opset=opset, fp16=fp16)
    sequence, states = made(x, (h, c))
    tolerance = 2e-3 if fp16 else 2e-7  # weights and input have 11 bits where fp16
    for result, wanted in zip(results, [sequence[:, None], *states], strict=True):
        np.testing.assert_allclose(result, wanted.detach().numpy().squeeze(), atol=tolerance)
        assert (result == result.astype(np.float16)).all() == fp16
