"""Recurrent layers and attention, with weights taken across in both directions.

Twin: keras_impl/sequences.py
Look at: `gru`, whose gates stand in another order, and `lstm`, which has two biases here;
`attention`, where a mask says what is *blocked* here; and `heads_of_3`, a rounding of its own.
"""

import torch
from torch import nn

from parity.reference import weight_layouts


def _load(layer, kind, weights):
    """Weights in Keras' layout into a module."""
    state = weight_layouts.to_torch(kind, {name: w.numpy() for name, w in weights.items()})
    layer.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    return layer


def _gradients(layer, kind, y, upstream, **sizes):
    """Backwards; the gradients of the weights in Keras' layout."""
    y.backward(upstream)
    state = {name: weight.grad.numpy() for name, weight in layer.named_parameters()}
    across = weight_layouts.to_keras(kind, state, gradients=True, **sizes)
    return {f"d{name}": torch.from_numpy(array) for name, array in across.items()}


def lstm(x, kernel, recurrent_kernel, bias, upstream):
    """Two biases here, one there: the second is loaded as zero, both have the same gradient."""
    weights = {"kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias}
    layer = _load(nn.LSTM(3, 2, batch_first=True), "lstm", weights)
    y, (hidden, cell) = layer(x.requires_grad_())
    found = _gradients(layer, "lstm", y, upstream)
    return {"y": y, "dx": x.grad, **found, "last_hidden": hidden[0], "last_cell": cell[0]}


def gru(x, kernel, recurrent_kernel, bias, upstream):
    """Gates stand as reset, update, new here."""
    weights = {"kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias}
    layer = _load(nn.GRU(3, 2, batch_first=True), "gru", weights)
    y, _ = layer(x.requires_grad_())
    return {"y": y, **_gradients(layer, "gru", y, upstream), "dx": x.grad}


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
    """An argument of the layer; the last states are `hidden`, not `y[:, -1]`."""
    forward = (forward_kernel, forward_recurrent_kernel, forward_bias)
    backward = (backward_kernel, backward_recurrent_kernel, backward_bias)
    names = weight_layouts.KERAS_NAMES["bidirectional_lstm"]
    layer = nn.LSTM(3, 2, batch_first=True, bidirectional=True)
    _load(layer, "bidirectional_lstm", dict(zip(names, forward + backward, strict=True)))
    y, (hidden, _) = layer(x.requires_grad_())
    found = _gradients(layer, "bidirectional_lstm", y, upstream)
    return {"y": y, "dx": x.grad, **found, "last": torch.cat([hidden[0], hidden[1]], dim=1)}


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
    """`embed_dim` is of all heads together, and True in a mask blocks."""
    parts = (query_kernel, query_bias, key_kernel, key_bias, value_kernel, value_bias)
    names = weight_layouts.KERAS_NAMES["multi_head_attention"]
    weights = dict(zip(names, (*parts, output_kernel, output_bias), strict=True))
    layer = nn.MultiheadAttention(embed_dim=8, num_heads=2, batch_first=True)
    _load(layer, "multi_head_attention", weights)
    query.requires_grad_()
    value.requires_grad_()
    y, scores = layer(query, value, value, attn_mask=blocked.bool(), average_attn_weights=False)
    found = _gradients(layer, "multi_head_attention", y, upstream, heads=2)
    nowhere, _ = layer(query, value, value, attn_mask=torch.ones_like(blocked).bool())
    return {
        "y": y,
        "attention": scores,
        "dquery": query.grad,
        "dvalue": value.grad,
        **found,
        "all_blocked": "NaN" if nowhere.isnan().all() else "finite",
    }


def heads_of_3(query, value, query_kernel, key_kernel, value_kernel, output_kernel):
    """The scores are divided by √3, in the precision of the query."""
    parts = {"query": query_kernel, "key": key_kernel, "value": value_kernel}
    weights = {f"{part}_kernel": kernel for part, kernel in parts.items()}
    layer = nn.MultiheadAttention(embed_dim=6, num_heads=2, bias=False, batch_first=True)
    _load(layer, "multi_head_attention", weights | {"output_kernel": output_kernel})
    return {"y": layer(query, value, value)[0]}


def _own(weights):
    """PyTorch's own layout needs no conversion, only the layer's number in the names."""
    return {f"{name}_l0": weight for name, weight in weights.items()}


def lstm_from_pytorch(x, weight_ih, weight_hh, bias_ih, bias_hh):
    """The other way: weights that were PyTorch's from the start."""
    layer = nn.LSTM(3, 2, batch_first=True)
    weights = {"weight_ih": weight_ih, "weight_hh": weight_hh}
    layer.load_state_dict(_own(weights | {"bias_ih": bias_ih, "bias_hh": bias_hh}))
    return {"y": layer(x)[0]}


def gru_from_pytorch(x, weight_ih, weight_hh, bias_ih, bias_hh):
    """The other way: the gates stand as they are here, and change places there."""
    layer = nn.GRU(3, 2, batch_first=True)
    weights = {"weight_ih": weight_ih, "weight_hh": weight_hh}
    layer.load_state_dict(_own(weights | {"bias_ih": bias_ih, "bias_hh": bias_hh}))
    return {"y": layer(x)[0]}
