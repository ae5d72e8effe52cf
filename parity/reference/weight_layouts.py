"""Weights across: from a Keras layer's to a PyTorch module's, and back, in plain NumPy.

Names are the frameworks' own: Keras' ``weight.name`` in the order of ``get_weights()``, PyTorch's
keys of ``state_dict()``. So, with a Keras layer and a module of the same sizes::

    names = transfer.KERAS_NAMES["gru"]
    state = transfer.to_torch("gru", dict(zip(names, layer.get_weights())))
    module.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})

    state = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    layer.set_weights(list(transfer.to_keras("gru", state).values()))

Weights that a layer does not have, a bias say, are left out on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.core.axis_layouts import LAYOUTS, permute
from parity.core.errors import UsageError
from parity.core.text import did_you_mean

Array = NDArray[Any]
Arrays = dict[str, Array]

RENAMED: dict[str, tuple[tuple[str, str, str], ...]] = {
    "dense": (("kernel", "weight", "dense/kernel"), ("bias", "bias", "")),
    "conv2d": (("kernel", "weight", "conv2d/kernel"), ("bias", "bias", "")),
    "conv2d_transpose": (("kernel", "weight", "conv2d_transpose/kernel"), ("bias", "bias", "")),
    "embedding": (("embeddings", "weight", ""),),
    "layer_norm": (("gamma", "weight", ""), ("beta", "bias", "")),
    "group_norm": (("gamma", "weight", ""), ("beta", "bias", "")),
    "batch_norm": (
        ("gamma", "weight", ""),
        ("beta", "bias", ""),
        ("moving_mean", "running_mean", ""),
        ("moving_variance", "running_var", ""),
    ),
}
"""Kinds whose weights are renamed and permuted: (Keras' name, PyTorch's name, role)."""

_RECURRENT = ("kernel", "recurrent_kernel", "bias")
_DIRECTIONS = {"forward": "", "backward": "_reverse"}
_PARTS = ("query", "key", "value")

KERAS_NAMES: dict[str, tuple[str, ...]] = {
    **{kind: tuple(row[0] for row in rows) for kind, rows in RENAMED.items()},
    "depthwise_conv2d": ("kernel", "bias"),
    "lstm": _RECURRENT,
    "gru": _RECURRENT,
    "bidirectional_lstm": tuple(f"{d}_{name}" for d in _DIRECTIONS for name in _RECURRENT),
    "bidirectional_gru": tuple(f"{d}_{name}" for d in _DIRECTIONS for name in _RECURRENT),
    "multi_head_attention": tuple(
        f"{part}_{name}" for part in (*_PARTS, "output") for name in ("kernel", "bias")
    ),
}
"""Kind → names of its Keras weights, in the order of ``get_weights()``. A grouped convolution is a
``conv2d``. Weights of a layer inside a layer carry its part: ``forward_kernel``, ``query_bias``."""


def to_torch(kind: str, weights: Mapping[str, Array]) -> Arrays:
    """A Keras layer's weights as a PyTorch module's state.

    Args:
        kind: a key of `KERAS_NAMES`.
        weights: Keras' name → array. Gradients go across the same way, but for a bias that
            PyTorch has twice.

    Returns:
        PyTorch's name → array, for ``load_state_dict``.

    Raises:
        UsageError: there is no such kind, a name is not one of its weights, or the layer has no
            exact counterpart (a GRU with ``reset_after=False``).
    """
    _check(kind, weights, KERAS_NAMES)
    if kind in RENAMED:
        state = {
            torch: _permuted(weights[keras], role, "keras", "torch")
            for keras, torch, role in RENAMED[kind]
            if keras in weights
        }
        return state | ({"num_batches_tracked": np.array(0)} if kind == "batch_norm" else {})
    if kind == "depthwise_conv2d":
        return _depthwise_to_torch(weights)
    if kind == "multi_head_attention":
        return _attention_to_torch(weights)
    state = {}
    for prefix, suffix in _directions(kind).items():
        own = {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}
        one = _recurrent_to_torch(kind, own)
        state |= {f"{name}_l0{suffix}": array for name, array in one.items()}
    return state


def to_keras(
    kind: str,
    state: Mapping[str, Array],
    *,
    heads: int = 0,
    channels: int = 0,
    gradients: bool = False,
) -> Arrays:
    """A PyTorch module's state as a Keras layer's weights.

    Args:
        kind: a key of `KERAS_NAMES`.
        state: PyTorch's name → array.
        heads: of a ``multi_head_attention``; PyTorch's arrays do not tell.
        channels: that go into a ``depthwise_conv2d``; PyTorch's arrays do not tell.
        gradients: the arrays are gradients, not weights. An LSTM's one bias in Keras is the sum of
            two in PyTorch, so each of the two has the gradient of the sum.

    Returns:
        Keras' name → array, in the order of ``set_weights``.

    Raises:
        UsageError: there is no such kind, or a size that it needs was not given.
    """
    _check(kind, {}, KERAS_NAMES)
    if kind in RENAMED:
        return {
            keras: _permuted(state[torch], role, "torch", "keras")
            for keras, torch, role in RENAMED[kind]
            if torch in state
        }
    if kind == "depthwise_conv2d":
        return _depthwise_to_keras(state, _given(channels, kind, "channels"))
    if kind == "multi_head_attention":
        return _attention_to_keras(state, _given(heads, kind, "heads"))
    weights: Arrays = {}
    for prefix, suffix in _directions(kind).items():
        ending = f"_l0{suffix}"
        own = {n.removesuffix(ending): a for n, a in state.items() if n.endswith(ending)}
        one = _recurrent_to_keras(kind, own, gradients)
        weights |= {f"{prefix}{name}": array for name, array in one.items()}
    return weights


def _check(kind: str, given: Mapping[str, Array], known: Mapping[str, tuple[str, ...]]) -> None:
    if kind not in known:
        hint = did_you_mean(kind, known) or f"There are {', '.join(known)}."
        raise UsageError(f"No kind of layer named '{kind}'. {hint}")
    unknown = [name for name in given if name not in known[kind]]
    if unknown:
        raise UsageError(
            f"'{kind}' has no weight '{unknown[0]}': expected some of {', '.join(known[kind])}."
        )


def _given(size: int, kind: str, name: str) -> int:
    if size < 1:
        raise UsageError(f"'{kind}' to Keras needs {name}=…: PyTorch's arrays do not tell it.")
    return size


def _permuted(array: Array, role: str, source: str, target: str) -> Array:
    if not role:
        return np.array(array)
    layout = LAYOUTS[role]
    return np.ascontiguousarray(permute(array, getattr(layout, source), getattr(layout, target)))


def _directions(kind: str) -> dict[str, str]:
    """Prefix of Keras' names → suffix of PyTorch's."""
    if kind.startswith("bidirectional_"):
        return {f"{name}_": suffix for name, suffix in _DIRECTIONS.items()}
    return {"": ""}


def _depthwise_to_torch(weights: Mapping[str, Array]) -> Arrays:
    """``(h, w, in, multiplier)`` to ``(in·multiplier, 1, h, w)``: one group a channel."""
    state = {}
    if "kernel" in weights:
        kernel = _permuted(weights["kernel"], "depthwise/kernel", "keras", "torch")
        state["weight"] = kernel.reshape(-1, 1, *kernel.shape[2:])
    return state | ({"bias": np.array(weights["bias"])} if "bias" in weights else {})


def _depthwise_to_keras(state: Mapping[str, Array], channels: int) -> Arrays:
    weights = {}
    if "weight" in state:
        kernel = state["weight"].reshape(channels, -1, *state["weight"].shape[2:])
        weights["kernel"] = _permuted(kernel, "depthwise/kernel", "torch", "keras")
    return weights | ({"bias": np.array(state["bias"])} if "bias" in state else {})


def _gates_swapped(kind: str, array: Array) -> Array:
    """A GRU's gates, last axis: Keras has update, reset, new; PyTorch reset, update, new.

    An LSTM's are input, forget, cell, output on both sides.
    """
    if "lstm" in kind:
        return array
    update, reset, new = np.split(array, 3, axis=-1)
    return np.concatenate([reset, update, new], axis=-1)


def _recurrent_to_torch(kind: str, weights: Mapping[str, Array]) -> Arrays:
    swapped = {name: _gates_swapped(kind, array) for name, array in weights.items()}
    state = {
        torch: np.ascontiguousarray(swapped[keras].T)
        for keras, torch in (("kernel", "weight_ih"), ("recurrent_kernel", "weight_hh"))
        if keras in swapped
    }
    if "bias" not in swapped:
        return state
    bias = swapped["bias"]
    if "lstm" in kind:
        return state | {"bias_ih": np.array(bias), "bias_hh": np.zeros_like(bias)}
    if bias.ndim != 2:
        raise UsageError(
            f"A GRU bias of shape {bias.shape} comes from reset_after=False, which PyTorch does "
            "not have: its reset gate acts after the recurrent product. Expected (2, 3h)."
        )
    return state | {"bias_ih": np.array(bias[0]), "bias_hh": np.array(bias[1])}


def _recurrent_to_keras(kind: str, state: Mapping[str, Array], gradients: bool) -> Arrays:
    weights = {
        keras: _gates_swapped(kind, state[torch].T)
        for keras, torch in (("kernel", "weight_ih"), ("recurrent_kernel", "weight_hh"))
        if torch in state
    }
    if "bias_ih" in state:
        both = np.stack([state["bias_ih"], state["bias_hh"]])
        if "lstm" in kind:
            weights["bias"] = both[0] if gradients else both.sum(axis=0)
        else:
            weights["bias"] = _gates_swapped(kind, both)
    return {name: np.ascontiguousarray(array) for name, array in weights.items()}


def _attention_to_torch(weights: Mapping[str, Array]) -> Arrays:
    """Keras' ``(embedding, heads, size)`` a part to PyTorch's stacked ``(3·embedding, embedding)``.

    Query, key and value must have one embedding size, which is heads · size.
    """
    state: Arrays = {}
    if "query_kernel" in weights:
        kernels = [weights[f"{part}_kernel"] for part in _PARTS]
        state["in_proj_weight"] = np.concatenate([k.reshape(len(k), -1).T for k in kernels])
    if "query_bias" in weights:
        state["in_proj_bias"] = np.concatenate([weights[f"{p}_bias"].ravel() for p in _PARTS])
    if "output_kernel" in weights:
        kernel = weights["output_kernel"]
        state["out_proj.weight"] = np.ascontiguousarray(kernel.reshape(-1, kernel.shape[-1]).T)
    if "output_bias" in weights:
        state["out_proj.bias"] = np.array(weights["output_bias"])
    return state


def _attention_to_keras(state: Mapping[str, Array], heads: int) -> Arrays:
    weights: Arrays = {}
    if "in_proj_weight" in state:
        for part, array in zip(_PARTS, np.split(state["in_proj_weight"], 3), strict=True):
            weights[f"{part}_kernel"] = array.T.reshape(array.shape[1], heads, -1)
    if "in_proj_bias" in state:
        for part, array in zip(_PARTS, np.split(state["in_proj_bias"], 3), strict=True):
            weights[f"{part}_bias"] = array.reshape(heads, -1)
    if "out_proj.weight" in state:
        array = state["out_proj.weight"].T
        weights["output_kernel"] = array.reshape(heads, -1, array.shape[1])
    if "out_proj.bias" in state:
        weights["output_bias"] = np.array(state["out_proj.bias"])
    names = KERAS_NAMES["multi_head_attention"]
    return {name: np.ascontiguousarray(weights[name]) for name in names if name in weights}
