"""Recurrent layers: one node whose value is the whole sequence, and pieces of it."""

from __future__ import annotations

import contextlib

import keras
import tensorflow as tf
from keras import ops

from parity.keras_side.checker.marks import flat, swapped
from parity.keras_side.checker.naming import code_of

_CELLS = {"LSTMCell": "lstm", "GRUCell": "gru", "SimpleRNNCell": "rnn"}


def layer(t, rnn, original, args, kwargs):
    """LSTM, GRU or SimpleRNN."""
    seen = {}
    native = rnn.call

    def call(sequences, initial_state=None, mask=None, training=False):
        state = [] if initial_state is None else flat(initial_state)
        values = _run(rnn, native, sequences, state, mask, training)
        settings = {**_settings(rnn), "bidirectional": False, "backwards": rnn.go_backwards}
        settings.update(has_state=bool(state) or rnn.stateful, masked=mask is not None)

        def run(xs):
            return _run(rnn, native, xs[0], list(xs[1:]), mask, False)

        more = {"name": t.name_of(rnn), "code": code_of(rnn) if t.detailed else " "}
        # The sequence itself may be a cast copy of what the caller gave: that one is known.
        inputs = [_known(t, sequences, seen["args"]), *(_known(t, s, seen["args"]) for s in state)]
        t.emit("recurrent", settings, inputs, values, run, parameters=_parameters(rnn), **more)
        with t.resumed(rnn):
            return _returned(rnn, values)

    seen["args"] = [x for x in flat([args, kwargs]) if tf.is_tensor(x)]
    with swapped(rnn, call=call):
        return original(rnn, *args, **kwargs)


def cell(t, one, original, args, kwargs):
    """One step of a cell that is called by hand: a sequence of length one."""
    seen = {}
    native = one.call

    def call(sequence, states, training=False):
        before = flat(states)
        inputs = [_known(t, x, seen["args"]) for x in (sequence, *before)]
        with t.resumed(one):
            inputs[0] = tf.expand_dims(inputs[0], 1)

        def compute(xs):
            with swapped(one, dropout=0.0, recurrent_dropout=0.0):
                x, *given = (tf.cast(x, one.compute_dtype) for x in xs)
                given = keras.tree.pack_sequence_as(states, given)
                after = flat(native(x[:, 0], given, training=False)[1])
            return [after[0][:, None], *after[1:]]

        values = compute([sequence[:, None], *before])
        # A state of zeros is none, as in a layer that starts by itself.
        given = [] if all(_zero(t, s) for s in inputs[1:]) else inputs[1:]
        settings = {**_settings(one), "bidirectional": False, "backwards": False}
        settings.update(has_state=bool(given), masked=False)

        def run(xs):
            return compute([*xs, *before[len(xs) - 1 :]])

        more = {"name": t.name_of(one), "code": code_of(one) if t.detailed else " "}
        sources = [inputs[0], *given]
        t.emit("recurrent", settings, sources, values, run, parameters=_parameters(one), **more)
        with t.resumed(one):
            after = [values[0][:, 0], *values[1:]]
        return after[0], keras.tree.pack_sequence_as(states, after)

    seen["args"] = [x for x in flat([args, kwargs]) if tf.is_tensor(x)]
    with swapped(one, call=call):
        return original(one, *args, **kwargs)


def steps(t, one, original, args, kwargs):
    """One step of a cell, its gates in the open."""
    native = one.call

    def call(sequence, states, training=False):
        with t.resumed(one):
            if type(one).__name__ == "LSTMCell" and one.use_bias and not one.dropout:
                after = _lstm_step(one, sequence, *flat(states))
            else:
                after = flat(native(sequence, states, training=False)[1])
        return after[0], keras.tree.pack_sequence_as(states, after)

    with swapped(one, call=call):
        return original(one, *args, **kwargs)


def _lstm_step(one, x, h, c):
    """As `LSTMCell.call`, the bias added where a dense layer of the inputs has it."""
    gates = ops.matmul(x, one.kernel) + one.bias + ops.matmul(h, one.recurrent_kernel)
    i, f, g, o = ops.split(gates, 4, axis=-1)
    gate = one.recurrent_activation
    c = gate(f) * c + gate(i) * one.activation(g)
    return [gate(o) * one.activation(c), c]


def _zero(t, tensor):
    return t.is_constant(tensor) and not bool(tf.reduce_any(tensor != 0))


def _known(t, tensor, given):
    """The tensor the caller gave where Keras converted it."""
    if t.is_live(tensor) or any(x is tensor for x in given):
        return tensor
    alike = [x for x in given if tuple(x.shape) == tuple(tensor.shape)]
    return alike[0] if alike else tensor


def _run(rnn, native, sequences, state, mask, training):
    """The whole sequence; for an LSTM also the cell's state."""
    sequences = tf.cast(sequences, rnn.compute_dtype)
    cell = rnn.cell
    with contextlib.ExitStack() as stack:
        stack.enter_context(swapped(rnn, return_sequences=True, return_state=True))
        if getattr(cell, "dropout", 0) or getattr(cell, "recurrent_dropout", 0):
            stack.enter_context(swapped(cell, dropout=0.0, recurrent_dropout=0.0))
        more = {"initial_state": state} if state else {}
        sequence, *states = native(sequences, mask=mask, training=training, **more)
    return [sequence, states[1]] if len(states) == 2 else [sequence]


def _returned(rnn, values):
    """What the layer returns, as pieces."""
    sequence = values[0]
    last = sequence[:, -1]
    output = sequence if rnn.return_sequences else last
    return (output, last, *values[1:]) if rnn.return_state else output


def is_known(cell):
    """Whether a cell is one of Keras' own three."""
    return type(cell).__name__ in _CELLS and type(cell).__module__.startswith("keras.src.")


def kind_of(layer):
    """The kind of a cell, or of that of a layer; "" of anything else."""
    layer = getattr(layer, "forward_layer", layer)
    cell = getattr(layer, "cell", layer)
    return _CELLS[type(cell).__name__] if is_known(cell) else ""


def _settings(rnn):
    cell = getattr(rnn, "cell", rnn)
    kind = _CELLS[type(cell).__name__]
    settings = {"cell": kind, "units": cell.units, "bias": cell.use_bias}
    settings["activation"] = _name(cell.activation)
    if kind != "rnn":
        settings["recurrent_activation"] = _name(cell.recurrent_activation)
    if kind == "gru":
        settings["reset_after"] = cell.reset_after
    if cell.dropout or cell.recurrent_dropout:
        settings["dropout"] = cell.dropout
        settings["recurrent_dropout"] = cell.recurrent_dropout
    return settings


def _name(function):
    return getattr(function, "__name__", type(function).__name__)


def _parameters(rnn, prefix=""):
    cell = getattr(rnn, "cell", rnn)
    roles = {
        f"{prefix}kernel": (cell.kernel, None, None),
        f"{prefix}recurrent_kernel": (cell.recurrent_kernel, None, None),
    }
    if cell.use_bias:
        roles[f"{prefix}bias"] = (cell.bias, None, None)
    return roles


def bidirectional(t, both, original, args, kwargs):
    """Two recurrent layers, one from each end; taken as one where they are of one kind."""
    forward, backward = both.forward_layer, both.backward_layer
    cells = [getattr(x, "cell", None) for x in (forward, backward)]
    fits = all(is_known(cell) for cell in cells) and _settings(forward) == _settings(backward)
    if not fits or not backward.go_backwards or forward.stateful:
        t.scopes.append(t.scope(both))
        try:
            with t.resumed():
                return original(both, *args, **kwargs)
        finally:
            t.scopes.pop()
    given = [x for x in flat([args, kwargs]) if tf.is_tensor(x)]

    def call(sequences, initial_state=None, mask=None, training=None):
        state = [] if initial_state is None else flat(initial_state)

        def compute(x, states):
            half = len(states) // 2
            ahead = _run(forward, forward.call, x, states[:half], mask, training)
            back = _run(backward, backward.call, x, states[half:], mask, training)
            back[0] = tf.reverse(back[0], [1])
            return [tf.concat(pair, -1) for pair in zip(ahead, back, strict=True)]

        values = compute(sequences, state)
        settings = {**_settings(forward), "bidirectional": True, "backwards": False}
        settings.update(has_state=bool(state), masked=mask is not None)
        roles = {**_parameters(forward, "forward_"), **_parameters(backward, "backward_")}
        inputs = [_known(t, x, given) for x in (sequences, *state)]
        more = {"name": t.name_of(both), "code": code_of(both) if t.detailed else " "}

        def run(xs):
            return compute(xs[0], list(xs[1:]))

        t.emit("recurrent", settings, inputs, values, run, parameters=roles, **more)
        with t.resumed(both):
            return _merged(both, values, forward.cell.units)

    with swapped(both, call=call):
        return original(both, *args, **kwargs)


def _merged(both, values, units):
    """What the layer returns, as pieces of the joined sequence and what is made of them."""
    sequence = values[0]
    ahead, back = sequence[..., :units], sequence[..., units:]
    ends = [ahead[:, -1], back[:, 0]]
    pair = [ahead, back] if both.return_sequences else ends
    match both.merge_mode:
        case "concat":
            output = tf.concat(pair, -1)
        case "sum":
            output = pair[0] + pair[1]
        case "ave":
            output = (pair[0] + pair[1]) / 2
        case "mul":
            output = pair[0] * pair[1]
        case _:
            output = tuple(pair)
    if not both.return_state:
        return output
    states = []
    for k, end in enumerate(ends):
        states.append(end)
        if len(values) > 1:
            states.append(values[1][:, k * units : (k + 1) * units])
    head = output if isinstance(output, tuple) else (output,)
    return (*head, *states)
