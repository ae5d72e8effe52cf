"""Recurrent layers and attention: what they return, and weights taken across both ways.

Twin: pytorch_impl/sequences.py
Look at: `gru`, whose gates stand in another order, and `lstm`, which has one bias here;
`attention`, where a mask says what *may be seen* here; and `heads_of_3`, a rounding of its own.
"""

import keras
import tensorflow as tf
from keras import layers, ops

from shared.plots import Plots

RECURRENT = ("kernel", "recurrent_kernel", "bias")
PARTS = ("query", "key", "value")


def _build(layer, shape, *weights):
    """Variables are made once the input's shape is known; then they can be set."""
    layer.build(shape)
    layer.set_weights(weights)
    return layer


def lstm(x, kernel, recurrent_kernel, bias, upstream):
    """Sequence and states are returned on request."""
    layer = layers.LSTM(2, return_sequences=True, return_state=True)
    _build(layer, x.shape, kernel, recurrent_kernel, bias)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y, hidden, cell = layer(x)
    dx, *gradients = tape.gradient(y, [x, *layer.trainable_weights], upstream)
    return {
        "y": y,
        "dx": dx,
        "dkernel": gradients[0],
        "drecurrent_kernel": gradients[1],
        "dbias": gradients[2],
        "last_hidden": hidden,
        "last_cell": cell,
    }


def _gates_swapped(array):
    """Update, reset, new here; reset, update, new there: the first two change places."""
    one, other, new = ops.split(array, 3, axis=-1)
    return ops.concatenate([other, one, new], axis=-1)


def gru(x, kernel, recurrent_kernel, bias, upstream):
    """Gates stand as update, reset, new here; PyTorch's equation is `reset_after=True`."""
    layer = layers.GRU(2, return_sequences=True, reset_after=True)
    _build(layer, x.shape, kernel, recurrent_kernel, bias)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    dx, *gradients = tape.gradient(y, [x, *layer.trainable_weights], upstream)
    return {
        "y": y,
        "dkernel": gradients[0],
        "drecurrent_kernel": gradients[1],
        "dbias": gradients[2],
        "dx": dx,
    }


def bidirectional(x, upstream, **weights):
    """A layer around a layer; without `return_sequences` it returns both last states."""
    names = [f"{way}_{part}" for way in ("forward", "backward") for part in RECURRENT]
    arrays = [weights[name] for name in names]
    layer = layers.Bidirectional(layers.LSTM(2, return_sequences=True))
    _build(layer, x.shape, *arrays)
    short = _build(layers.Bidirectional(layers.LSTM(2)), x.shape, *arrays)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    dx, *gradients = tape.gradient(y, [x, *layer.trainable_weights], upstream)
    found = {"y": y, "dx": dx, "last": short(x)}
    return found | {f"d{name}": g for name, g in zip(names, gradients, strict=True)}


def attention(query, value, upstream, blocked, **weights):
    """`key_dim` is of one head, and True in a mask lets through."""
    names = [f"{part}_{name}" for part in (*PARTS, "output") for name in ("kernel", "bias")]
    layer = layers.MultiHeadAttention(num_heads=2, key_dim=4)
    layer.build(query.shape, value.shape)
    layer.set_weights([weights[name] for name in names])
    seen = blocked == 0  # (query, value): the same for the whole batch
    with tf.GradientTape() as tape:
        tape.watch([query, value])
        y, scores = layer(query, value, attention_mask=seen, return_attention_scores=True)
    dquery, dvalue, *gradients = tape.gradient(
        y, [query, value, *layer.trainable_weights], upstream
    )
    nowhere = layer(query, value, attention_mask=ops.zeros_like(seen))
    found = {"y": y, "attention": scores, "dquery": dquery, "dvalue": dvalue}
    found |= {f"d{name}": gradient for name, gradient in zip(names, gradients, strict=True)}
    return found | {"all_blocked": "finite" if bool(ops.all(ops.isfinite(nowhere))) else "NaN"}


def heads_of_3(query, value, **weights):
    """The scores are multiplied by 1/√3, rounded to float32 even in float64."""
    layer = layers.MultiHeadAttention(num_heads=2, key_dim=3, use_bias=False)
    layer.build(query.shape, value.shape)
    layer.set_weights([weights[f"{part}_kernel"] for part in (*PARTS, "output")])
    return {"y": layer(query, value)}


def lstm_from_pytorch(x, weight_ih, weight_hh, bias_ih, bias_hh):
    """The other way: the two biases of PyTorch are added."""
    across = ops.transpose(weight_ih), ops.transpose(weight_hh), bias_ih + bias_hh
    return {"y": _build(layers.LSTM(2, return_sequences=True), x.shape, *across)(x)}


def gru_from_pytorch(x, weight_ih, weight_hh, bias_ih, bias_hh):
    """The other way: the gates change places here."""
    kernels = (_gates_swapped(ops.transpose(weight)) for weight in (weight_ih, weight_hh))
    bias = _gates_swapped(ops.stack([bias_ih, bias_hh]))
    return {"y": _build(layers.GRU(2, return_sequences=True), x.shape, *kernels, bias)(x)}


def main():
    """Run each layer on one short sequence, and look at states, weights and attention."""
    plots = Plots(__file__)
    keras.utils.set_random_seed(0)
    normal = keras.random.normal
    x = normal((2, 4, 3))
    print("sequences (batch, step, feature):", tuple(x.shape))
    for kind in (layers.LSTM, layers.GRU):
        layer = kind(2)
        layer.build(x.shape)
        print(f"{kind.__name__}: { ({w.name: tuple(w.shape) for w in layer.weights}) }")

    run = lstm(x, normal((3, 8)), normal((2, 8)), ops.zeros(8), ops.ones((2, 4, 2)))
    last = run["last_hidden"]
    print(f"LSTM: every state {tuple(run['y'].shape)}, last {last[0].numpy()}")
    print("the last is the last of all:", bool(ops.all(run["y"][:, -1] == last)))

    weights = {}
    for way in ("forward", "backward"):
        weights |= {f"{way}_kernel": normal((3, 8)), f"{way}_bias": ops.zeros(8)}
        weights[f"{way}_recurrent_kernel"] = normal((2, 8))
    both = bidirectional(x, ops.ones((2, 4, 4)), **weights)
    print(f"both ways: {tuple(both['y'].shape)};", end=" ")
    print("the last states are y[:, -1]:", bool(ops.all(both["y"][:, -1] == both["last"])))

    layer = layers.MultiHeadAttention(2, 4)
    layer.build((2, 4, 8), (2, 4, 8))
    weights = {f"{part}_kernel": normal((8, 2, 4)) / 4 for part in PARTS}
    weights |= {f"{part}_bias": ops.zeros((2, 4)) for part in PARTS}
    weights |= {"output_kernel": normal((2, 4, 8)), "output_bias": ops.zeros(8)}
    future = ops.triu(ops.ones((4, 4)), k=1)
    word = normal((2, 4, 8))
    seen = attention(word, normal((2, 4, 8)), ops.ones((2, 4, 8)), future, **weights)
    print("attention:", {w.path.partition("/")[2]: tuple(w.shape) for w in layer.weights})
    print("who looks where, the future blocked, first head:")
    print(seen["attention"][0, 0].numpy().round(2))
    print("a query that may look nowhere:", seen["all_blocked"])

    def draw(figure):
        for head, axes in enumerate(figure.subplots(1, 2)):
            axes.imshow(seen["attention"][0, head], vmin=0, vmax=1)
            axes.set(title=f"head {head}", xlabel="looks at", ylabel="position", yticks=range(4))

    plots.draw("attention", draw)
    states = run["y"][0].numpy().T.tolist()
    plots.curves("states", {f"unit {i}": states[i] for i in range(2)}, "step", "hidden state")


if __name__ == "__main__":
    main()
