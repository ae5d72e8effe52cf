"""Spec of the sequence examples: recurrent layers and attention, weights taken across."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.spec.cases import Case, Known, Numbers
from parity.spec.example import ExampleSpec
from parity.spec.expected import as_numbers, numbers
from shared import numpy_reference
from shared.initial_weights import drawn

Array = NDArray[Any]
Arrays = dict[str, Array]
_KERAS_ATTENTION = "https://keras.io/api/layers/attention_layers/multi_head_attention/"
_TORCH_ATTENTION = "https://pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html"


def _with_gradients(function: Any, upstream: Array, **arguments: Array) -> Arrays:
    y = function(**arguments)
    return {"y": y} | numpy_reference.gradients(function, arguments, upstream)


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def _lstm_states(x: Array, kernel: Array, recurrent_kernel: Array, bias: Array) -> Arrays:
    """Hidden state at every step ``(batch, step, hidden)``, last cell ``(batch, hidden)``."""
    hidden = cell = np.zeros((len(x), len(recurrent_kernel)))
    states = []
    for step in range(x.shape[1]):
        gates = x[:, step] @ kernel + hidden @ recurrent_kernel + bias
        i, f, g, o = np.split(gates, 4, axis=1)
        cell = _sigmoid(f) * cell + _sigmoid(i) * np.tanh(g)
        hidden = _sigmoid(o) * np.tanh(cell)
        states.append(hidden)
    return {"y": np.stack(states, axis=1), "cell": cell}


def _lstm(x: Array, kernel: Array, recurrent_kernel: Array, bias: Array, upstream: Array) -> Arrays:
    weights = {"kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias}
    states = _lstm_states(x, **weights)
    found = _with_gradients(lambda **a: _lstm_states(**a)["y"], upstream, x=x, **weights)
    return found | {"last_hidden": states["y"][:, -1], "last_cell": states["cell"]}


def _gru_states(x: Array, kernel: Array, recurrent_kernel: Array, bias: Array) -> Array:
    hidden = np.zeros((len(x), len(recurrent_kernel)))
    states = []
    for step in range(x.shape[1]):
        xz, xr, xn = np.split(x[:, step] @ kernel + bias[0], 3, axis=1)
        hz, hr, hn = np.split(hidden @ recurrent_kernel + bias[1], 3, axis=1)
        update, reset = _sigmoid(xz + hz), _sigmoid(xr + hr)
        hidden = update * hidden + (1 - update) * np.tanh(xn + reset * hn)
        states.append(hidden)
    return np.stack(states, axis=1)


def _gru(x: Array, kernel: Array, recurrent_kernel: Array, bias: Array, upstream: Array) -> Arrays:
    return _with_gradients(
        _gru_states, upstream, x=x, kernel=kernel, recurrent_kernel=recurrent_kernel, bias=bias
    )


def _both_ways(x: Array, **weights: Array) -> Array:
    """Forward states beside those of the reversed sequence, turned back."""
    one, other = (
        {n.removeprefix(way): w for n, w in weights.items() if n.startswith(way)}
        for way in ("forward_", "backward_")
    )
    backward = _lstm_states(x[:, ::-1], **other)["y"][:, ::-1]
    return np.concatenate([_lstm_states(x, **one)["y"], backward], axis=2)


def _bidirectional(x: Array, upstream: Array, **weights: Array) -> Arrays:
    found = _with_gradients(_both_ways, upstream, x=x, **weights)
    half = found["y"].shape[2] // 2
    ends = (found["y"][:, -1, :half], found["y"][:, 0, half:])
    return found | {"last": np.concatenate(ends, axis=1)}


def _attended(
    query: Array, value: Array, blocked: Array, scale: Any = None, **weights: Array
) -> tuple[Any, Any]:
    """Result and attention; the scores are scaled by 1/√size of a head unless told otherwise."""

    def projected(source: Array, part: str) -> Any:
        bias = weights.get(f"{part}_bias", np.zeros(weights[f"{part}_kernel"].shape[1:]))
        return np.einsum("bte,ehd->bhtd", source, weights[f"{part}_kernel"]) + bias[:, None]

    queries, keys, values = (
        projected(*pair) for pair in ((query, "query"), (value, "key"), (value, "value"))
    )
    scale = queries.shape[3] ** -0.5 if scale is None else scale
    scores = queries @ np.swapaxes(keys, 2, 3) * scale
    powers = np.exp(scores - scores.real.max(axis=3, keepdims=True)) * (blocked == 0)
    attention = powers / powers.sum(axis=3, keepdims=True)
    heads = attention @ values
    y = np.einsum("bhtd,hde->bte", heads, weights["output_kernel"])
    y = y + weights.get("output_bias", 0)
    return y, attention


def _attention(
    query: Array, value: Array, upstream: Array, blocked: Array, **weights: Array
) -> Arrays:
    arguments = {"query": query, "value": value, **weights}
    _, attention = _attended(blocked=blocked, **arguments)
    found = _with_gradients(lambda **a: _attended(blocked=blocked, **a)[0], upstream, **arguments)
    # Adding a number to all keys moves every score of a row alike: the true gradient is zero.
    found["dkey_bias"] = np.zeros_like(found["dkey_bias"])
    return found | {"attention": attention}


def _lstm_from_pytorch(
    x: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> Arrays:
    return {"y": _lstm_states(x, weight_ih.T, weight_hh.T, bias_ih + bias_hh)["y"]}


def _gru_from_pytorch(
    x: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> Arrays:
    def swapped(array: Array) -> Array:
        reset, update, new = np.split(array, 3, axis=-1)
        return np.concatenate([update, reset, new], axis=-1)

    bias = np.stack([swapped(bias_ih), swapped(bias_hh)])
    return {"y": _gru_states(x, swapped(weight_ih.T), swapped(weight_hh.T), bias)}


def _recurrent(
    case: str, gates: int, bias: tuple[int, ...], prefix: str = ""
) -> dict[str, Numbers]:
    """Weights of a recurrent layer, 3 inputs and 2 units, in Keras' layout."""
    shapes = {"kernel": (3, gates * 2), "recurrent_kernel": (2, gates * 2), "bias": bias}
    return {f"{prefix}{n}": drawn(f"sequences/{case}/{prefix}{n}", s) for n, s in shapes.items()}


def _torch_recurrent(case: str, gates: int) -> dict[str, Numbers]:
    """The same sizes in PyTorch's layout."""
    shapes = {
        "weight_ih": (gates * 2, 3),
        "weight_hh": (gates * 2, 2),
        "bias_ih": (gates * 2,),
        "bias_hh": (gates * 2,),
    }
    return {n: drawn(f"sequences/{case}/{n}", s) for n, s in shapes.items()}


def _attention_weights() -> dict[str, Numbers]:
    """Embedding 8, 2 heads of 4."""
    shapes: dict[str, tuple[int, ...]] = {}
    for part in ("query", "key", "value"):
        shapes |= {f"{part}_kernel": (8, 2, 4), f"{part}_bias": (2, 4)}
    shapes |= {"output_kernel": (2, 4, 8), "output_bias": (8,)}
    return {n: drawn(f"sequences/attention/{n}", s, 0.5) for n, s in shapes.items()}


_THREES = {
    "query": drawn("sequences/threes/query", (1, 2, 6)),
    "value": drawn("sequences/threes/value", (1, 4, 6)),
    **{
        f"{part}_kernel": drawn(f"sequences/threes/{part}_kernel", (6, 2, 3), 0.5)
        for part in ("query", "key", "value")
    },
    "output_kernel": drawn("sequences/threes/output_kernel", (2, 3, 6), 0.5),
}


def _listed(scale: float) -> Numbers:
    arrays = {name: numbers(value) for name, value in _THREES.items()}
    return as_numbers(_attended(blocked=np.zeros((2, 4)), scale=scale, **arrays)[0])


_SEQUENCE = drawn("sequences/sequence", (2, 4, 3))

SEQUENCES = ExampleSpec(
    name="sequences",
    title="Recurrent layers and attention, weights taken across",
    part="Layers and modules",
    summary=(
        "LSTM, GRU, both directions and multi-head attention with weights that go across, from "
        "Keras to PyTorch and the other way: gates in another order, two biases or one, masks that "
        "mean the opposite. Outputs and all gradients come out equal."
    ),
    cases=(
        Case(
            "lstm",
            {
                "x": _SEQUENCE,
                **_recurrent("lstm", 4, (8,)),
                "upstream": drawn("sequences/lstm/upstream", (2, 4, 2)),
            },
            reference=_lstm,
        ),
        Case(
            "gru",
            {
                "x": _SEQUENCE,
                **_recurrent("gru", 3, (2, 6)),
                "upstream": drawn("sequences/gru/upstream", (2, 4, 2)),
            },
            reference=_gru,
        ),
        Case(
            "bidirectional",
            {
                "x": _SEQUENCE,
                **_recurrent("bidirectional", 4, (8,), "forward_"),
                **_recurrent("bidirectional", 4, (8,), "backward_"),
                "upstream": drawn("sequences/bidirectional/upstream", (2, 4, 4)),
            },
            reference=_bidirectional,
        ),
        Case(
            "attention",
            {
                "query": drawn("sequences/attention/query", (2, 3, 8)),
                "value": drawn("sequences/attention/value", (2, 4, 8)),
                **_attention_weights(),
                "upstream": drawn("sequences/attention/upstream", (2, 3, 8)),
            },
            integers={"blocked": ((0, 0, 1, 0), (0, 1, 1, 0), (1, 0, 0, 0))},
            reference=_attention,
        ),
        Case("heads_of_3", _THREES),
        Case(
            "lstm_from_pytorch",
            {"x": _SEQUENCE, **_torch_recurrent("lstm", 4)},
            reference=_lstm_from_pytorch,
        ),
        Case(
            "gru_from_pytorch",
            {"x": _SEQUENCE, **_torch_recurrent("gru", 3)},
            reference=_gru_from_pytorch,
        ),
    ),
    known=(
        Known(
            "values/heads_of_3/y",
            torch=_listed(3**-0.5),
            keras=_listed(float(np.float32(3**-0.5))),
            reason="Keras casts the scale 1/√3 by way of float32, in float64 too: 1e-8 apart. "
            "1/√4 is exact in float32, so heads of 4 show nothing",
            link=_KERAS_ATTENTION,
        ),
        Known(
            "values/attention/all_blocked",
            torch="NaN",
            keras="finite",
            reason="a query that may look nowhere: PyTorch blocks with −∞ and the softmax is 0/0, "
            "Keras with a large negative number, and the softmax is even",
            link=_TORCH_ATTENTION,
        ),
    ),
)
