"""One-layer modules with weights taken across from Keras' layout, and their gradients back.

Twin: keras_impl/layers.py
Look at: ε in `layer_norm`; `momentum`, the variance and what freezing means in
`batch_norm_train`; and `convolutions`, where depthwise is a grouped convolution here.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

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


def layer_norm(x, gamma, beta, upstream):
    """Over the last axis; ε is 1e-5 by default here."""
    default = F.layer_norm(x, [5])
    layer = _load(nn.LayerNorm(5, eps=1e-5), "layer_norm", {"gamma": gamma, "beta": beta})
    y = layer(x.requires_grad_())
    found = _gradients(layer, "layer_norm", y, upstream)
    return {"y": y, "dx": x.grad, **found, "default_epsilon": default}


def group_norm(x, gamma, beta, upstream):
    """Over each of two groups of channels."""
    layer = _load(nn.GroupNorm(2, 4, eps=1e-5), "group_norm", {"gamma": gamma, "beta": beta})
    y = layer(x.requires_grad_())
    return {"y": y, **_gradients(layer, "group_norm", y, upstream), "dx": x.grad}


def _batch_norm(gamma, beta, mean, variance):
    """`momentum` is the weight of what is new."""
    layer = nn.BatchNorm2d(3, eps=1e-5, momentum=0.1)
    names = weight_layouts.KERAS_NAMES["batch_norm"]
    return _load(layer, "batch_norm", dict(zip(names, (gamma, beta, mean, variance), strict=True)))


def batch_norm_train(x, gamma, beta, mean, variance, upstream):
    """By the batch's own statistics, which move the running ones; a new module is in this mode."""
    layer = _batch_norm(gamma, beta, mean, variance)
    y = layer(x.requires_grad_())
    found = _gradients(layer, "batch_norm", y, upstream)
    frozen = _batch_norm(gamma, beta, mean, variance).requires_grad_(False)
    frozen(x)
    return {
        "y": y,
        "dx": x.grad,
        **found,
        "moving_mean": layer.running_mean,
        "moving_variance": layer.running_var,
        "frozen_moves": not torch.equal(frozen.running_mean, mean),
    }


def batch_norm_eval(x, gamma, beta, mean, variance, upstream):
    """By the running statistics, after `eval()`."""
    layer = _batch_norm(gamma, beta, mean, variance).eval()
    y = layer(x.requires_grad_())
    return {"y": y, **_gradients(layer, "batch_norm", y, upstream), "dx": x.grad}


def embedding(table, upstream, words):
    """Rows by number; a row taken twice gets both gradients."""
    layer = _load(nn.Embedding(5, 3), "embedding", {"embeddings": table})
    y = layer(words)
    return {"y": y, **_gradients(layer, "embedding", y, upstream)}


def convolutions(x, depthwise, grouped, transposed):
    """Depthwise is grouped with a group a channel; a transposed kernel is `(in, out, h, w)`."""
    size = {"kernel_size": (3, 2), "bias": False}
    one = _load(nn.Conv2d(4, 8, groups=4, **size), "depthwise_conv2d", {"kernel": depthwise})
    two = _load(nn.Conv2d(4, 6, groups=2, **size), "conv2d", {"kernel": grouped})
    three = nn.ConvTranspose2d(4, 5, stride=2, **size)
    _load(three, "conv2d_transpose", {"kernel": transposed})
    return {"depthwise_y": one(x), "grouped_y": two(x), "transposed_y": three(x)}
