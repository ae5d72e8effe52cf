"""Recurrent layers and attention, with weights taken across in both directions.

Twin: pytorch_impl/sequences.py
Look at: `gru`, whose gates stand in another order, and `lstm`, which has one bias here;
`attention`, where a mask says what *may be seen* here; and `heads_of_3`, a rounding of its own.
"""

import keras
import tensorflow as tf

from parity.reference import weight_layouts


def _build(layer, shape, *weights):
    """Variables are made once the input's shape is known; then they can be set."""
    layer.build(shape)
    layer.set_weights(weights)
    return layer


def _gradients(layer, kind, tape, y, upstream):
    """The gradients of the layer's weights, by name."""
    found = tape.gradient(y, layer.trainable_weights, output_gradients=upstream)
    return {f"d{name}": g for name, g in zip(weight_layouts.KERAS_NAMES[kind], found, strict=False)}


def lstm(x, kernel, recurrent_kernel, bias, upstream):
    """Sequence and states are returned on request."""
    layer = keras.layers.LSTM(2, return_sequences=True, return_state=True)
    _build(layer, x.shape, kernel, recurrent_kernel, bias)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, hidden, cell = layer(x)
    dx = tape.gradient(y, x, output_gradients=upstream)
    found = _gradients(layer, "lstm", tape, y, upstream)
    return {"y": y, "dx": dx, **found, "last_hidden": hidden, "last_cell": cell}


def gru(x, kernel, recurrent_kernel, bias, upstream):
    """Gates stand as update, reset, new here; PyTorch's equation is `reset_after=True`."""
    layer = keras.layers.GRU(2, return_sequences=True, reset_after=True)
    _build(layer, x.shape, kernel, recurrent_kernel, bias)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = layer(x)
    dx = tape.gradient(y, x, output_gradients=upstream)
    return {"y": y, **_gradients(layer, "gru", tape, y, upstream), "dx": dx}


def bidirectional(
    x,
    forward_kernel,
    forward_recurrent_kernel,
    forward_bias,
    backward_kernel,
    backward_recurrent_kernel,
    backward_bias,
    upstream,
):
    """A layer around a layer; without `return_sequences` it returns both last states."""
    forward = (forward_kernel, forward_recurrent_kernel, forward_bias)
    backward = (backward_kernel, backward_recurrent_kernel, backward_bias)
    layer = keras.layers.Bidirectional(keras.layers.LSTM(2, return_sequences=True))
    _build(layer, x.shape, *forward, *backward)
    short = _build(keras.layers.Bidirectional(keras.layers.LSTM(2)), x.shape, *forward, *backward)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = layer(x)
    dx = tape.gradient(y, x, output_gradients=upstream)
    found = _gradients(layer, "bidirectional_lstm", tape, y, upstream)
    return {"y": y, "dx": dx, **found, "last": short(x)}


def attention(
    query,
    value,
    query_kernel,
    query_bias,
    key_kernel,
    key_bias,
    value_kernel,
    value_bias,
    output_kernel,
    output_bias,
    upstream,
    blocked,
):
    """`key_dim` is of one head, and True in a mask lets through."""
    parts = (query_kernel, query_bias, key_kernel, key_bias, value_kernel, value_bias)
    layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)
    layer.build(query.shape, value.shape)
    layer.set_weights([*parts, output_kernel, output_bias])
    seen = blocked == 0  # (query, value): the same for the whole batch
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([query, value])
        y, scores = layer(query, value, attention_mask=seen, return_attention_scores=True)
    dquery, dvalue = tape.gradient(y, [query, value], output_gradients=upstream)
    nowhere = layer(query, value, attention_mask=tf.zeros_like(seen))
    return {
        "y": y,
        "attention": scores,
        "dquery": dquery,
        "dvalue": dvalue,
        **_gradients(layer, "multi_head_attention", tape, y, upstream),
        "all_blocked": "finite" if bool(tf.reduce_all(tf.math.is_finite(nowhere))) else "NaN",
    }


def heads_of_3(query, value, query_kernel, key_kernel, value_kernel, output_kernel):
    """The scores are multiplied by 1/√3, rounded to float32 even in float64."""
    layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=3, use_bias=False)
    layer.build(query.shape, value.shape)
    layer.set_weights([query_kernel, key_kernel, value_kernel, output_kernel])
    return {"y": layer(query, value)}


def _across(kind, weights):
    """PyTorch's weights in the order of `set_weights`."""
    state = {f"{name}_l0": weight.numpy() for name, weight in weights.items()}
    return weight_layouts.to_keras(kind, state).values()


def lstm_from_pytorch(x, weight_ih, weight_hh, bias_ih, bias_hh):
    """The other way: the two biases of PyTorch are added."""
    weights = {"weight_ih": weight_ih, "weight_hh": weight_hh}
    across = _across("lstm", weights | {"bias_ih": bias_ih, "bias_hh": bias_hh})
    return {"y": _build(keras.layers.LSTM(2, return_sequences=True), x.shape, *across)(x)}


def gru_from_pytorch(x, weight_ih, weight_hh, bias_ih, bias_hh):
    """The other way: the gates change places here."""
    weights = {"weight_ih": weight_ih, "weight_hh": weight_hh}
    across = _across("gru", weights | {"bias_ih": bias_ih, "bias_hh": bias_hh})
    return {"y": _build(keras.layers.GRU(2, return_sequences=True), x.shape, *across)(x)}
