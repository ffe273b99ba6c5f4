"""Recurrent layers: `gru`, `lstm`, `rnn`.

`x` is (s, b, I): sequence, batch, features. Each layer returns the hidden states, (s, b, H) or only
the last, (1, b, H), and then the last state or states, (b, H). Matrices are stored with a gate's
rows together, gates in the order named. A `reverse` layer starts at the end of `x` and lists its
states in the order computed, the last step of `x` first; the backward half of a `bidirectional`
one lies in the order of `x`, so that its last state is the one beside step 0.

Source: `iOS15/recurrent.py` and `iOS18/recurrent.py` in coremltools 9.0,
converters/mil/mil/ops/defs, for the formulas, and the tests beside them, iOS14/test_recurrent.py,
for what the formulas leave open: order in reverse, where `clip` and peepholes act, the constants of
`hard_sigmoid` and `scaled_tanh`.
"""

from __future__ import annotations

from typing import Callable

import numpy as np
from scipy.special import expit

from exportcheck.mil.registry import op

Array = np.ndarray
Activation = Callable[[Array], Array]


def _hard_sigmoid(x: Array) -> Array:
    return np.clip(0.2 * x + 0.5, 0, 1)


_ACTIVATIONS: dict[str, Activation] = {
    "hard_sigmoid": _hard_sigmoid,
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    # A recurrent layer has no alpha and beta for it, and both are then 1.
    "scaled_tanh": np.tanh,
    "sigmoid": expit,
    "sigmoid_hard": _hard_sigmoid,
    "tanh": np.tanh,
}


def _activation(name: str) -> Activation:
    if name.lower() not in _ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}")
    return _ACTIVATIONS[name.lower()]


def _directed(x: Array, direction: str) -> Array:
    """`x` in the order in which a layer of one direction takes its steps."""
    if direction not in ("forward", "reverse"):
        raise ValueError(f"unknown direction {direction!r}")
    return x if direction == "forward" else x[::-1]


def _scan(
    step: Callable[..., tuple[Array, ...]],
    inputs: Array,
    state: tuple[Array, ...],
    output_sequence: bool,
) -> tuple[Array, ...]:
    """state = step(input, *state) for each input; what the operators return.

    An empty sequence leaves the initial state.
    """
    hidden = np.empty((len(inputs), *state[0].shape), state[0].dtype)
    for position, current in enumerate(inputs):
        state = step(current, *state)
        hidden[position] = state[0]
    return (hidden if output_sequence else state[0][np.newaxis], *state)


@op
def rnn(
    x: Array,
    initial_h: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias: Array | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    activation: str = "tanh",
) -> tuple[Array, ...]:
    """h = activation(W_ih x + bias + W_hh h)."""
    act = _activation(activation)
    inputs = _directed(x, direction) @ weight_ih.T + (0 if bias is None else bias)

    def step(given: Array, h: Array) -> tuple[Array]:
        return (act(given + h @ weight_hh.T),)

    return _scan(step, inputs, (initial_h,), output_sequence)


@op
def gru(
    x: Array,
    initial_h: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias: Array | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    recurrent_activation: str = "sigmoid",
    activation: str = "tanh",
    reset_after: bool = False,
    input_bias: Array | None = None,
) -> tuple[Array, ...]:
    """Gates r, o, z, each with its rows of the weights and biases, a = `input_bias`, b = `bias`.

    r = f(W_ir x + a_r + W_hr h + b_r), z = f(W_iz x + a_z + W_hz h + b_z), then
    o = g(W_io x + a_o + W_ho (r * h) + b_o), or with `reset_after`
    o = g(W_io x + a_o + r * (W_ho h + b_o)), and h = (1 - z) * o + z * h.
    """
    gate, output = _activation(recurrent_activation), _activation(activation)
    inputs = _directed(x, direction) @ weight_ih.T + (0 if input_bias is None else input_bias)
    w_r, w_o, w_z = np.split(weight_hh.T, 3, axis=1)
    b_r, b_o, b_z = (0, 0, 0) if bias is None else np.split(bias, 3)

    def step(given: Array, h: Array) -> tuple[Array]:
        x_r, x_o, x_z = np.split(given, 3, axis=-1)
        r = gate(x_r + h @ w_r + b_r)
        z = gate(x_z + h @ w_z + b_z)
        o = output(x_o + (r * (h @ w_o + b_o) if reset_after else (r * h) @ w_o + b_o))
        return ((1 - z) * o + z * h,)

    return _scan(step, inputs, (initial_h,), output_sequence)


@op
def lstm(
    x: Array,
    initial_h: Array,
    initial_c: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias: Array | None = None,
    peephole: Array | None = None,
    weight_ih_back: Array | None = None,
    weight_hh_back: Array | None = None,
    bias_back: Array | None = None,
    peephole_back: Array | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    recurrent_activation: str = "sigmoid",
    cell_activation: str = "tanh",
    activation: str = "tanh",
    clip: Array | None = None,
) -> tuple[Array, ...]:
    """Gates i, f, o and cell z, each with its rows of the weights; p are the peepholes of i, f, o.

    i = s(W_ii x + b_i + W_hi h + p_i * c), f alike, z = t(W_iz x + b_z + W_hz h),
    c = f * c + i * z, clipped to [-clip, clip], o = s(W_io x + b_o + W_ho h + p_o * c) with the new
    c, h = o * u(c). Bidirectional: forward and backward side by side in the last axis.
    """
    names = (recurrent_activation, cell_activation, activation)
    activations = tuple(map(_activation, names))
    forward = (weight_ih, weight_hh, bias, peephole)
    if direction != "bidirectional":
        start = (initial_h, initial_c)
        return _lstm(_directed(x, direction), start, forward, activations, clip, output_sequence)
    backward = (weight_ih_back, weight_hh_back, bias_back, peephole_back)
    h, h_back = np.split(initial_h, 2, axis=-1)
    c, c_back = np.split(initial_c, 2, axis=-1)
    there = _lstm(x, (h, c), forward, activations, clip, output_sequence)
    back = _lstm(x[::-1], (h_back, c_back), backward, activations, clip, output_sequence)
    pairs = zip(there, (back[0][::-1], *back[1:]))
    return tuple(np.concatenate(pair, axis=-1) for pair in pairs)


def _lstm(
    x: Array,
    start: tuple[Array, Array],
    parameters: tuple[Array | None, ...],
    activations: tuple[Activation, ...],
    clip: Array | None,
    output_sequence: bool,
) -> tuple[Array, ...]:
    """One direction, which starts at x[0]."""
    weight_ih, weight_hh, bias, peephole = parameters
    if weight_ih is None or weight_hh is None:
        raise ValueError("a bidirectional layer without weights for its way back")
    gate, cell, output = activations
    recurrent = weight_hh.T
    inputs = x @ weight_ih.T + (0 if bias is None else bias)
    p_i, p_f, p_o = (0, 0, 0) if peephole is None else np.split(peephole, 3)

    def step(given: Array, h: Array, c: Array) -> tuple[Array, Array]:
        i, f, o, z = np.split(given + h @ recurrent, 4, axis=-1)
        c = gate(f + p_f * c) * c + gate(i + p_i * c) * cell(z)
        if clip is not None:
            c = np.clip(c, -clip, clip)
        return gate(o + p_o * c) * output(c), c

    return _scan(step, inputs, start, output_sequence)
