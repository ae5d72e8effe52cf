"""Pooling over windows of images `(batch, channel, h, w)`.

Twin: keras_impl/pooling.py
Look at: `same_windows_of_3`, where "same" is `padding` for odd sizes and `ceil_mode` for even
ones; `padding_that_counts`; and `ties`, where a global maximum sends its gradient.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


def drops_the_rest(x):
    """2×2 on 5×5 gives 2×2: the last row and column fill no window. The stride is the size."""
    return {
        "max_layer": nn.MaxPool2d(2)(x),
        "max_functional": F.max_pool2d(x, 2),
        "average_layer": nn.AvgPool2d(2)(x),
        "average_functional": F.avg_pool2d(x, 2),
    }


def valid_and_same(x):
    """Keep the rest: `ceil_mode` lets the last windows hang over the edge, "same" elsewhere."""
    max_valid, max_same = F.max_pool2d(x, 2), F.max_pool2d(x, 2, ceil_mode=True)
    return {
        "max_valid": max_valid,
        "max_same": max_same,
        "average_valid": F.avg_pool2d(x, 2),
        "average_same": F.avg_pool2d(x, 2, ceil_mode=True),
        "valid_size": tuple(max_valid.shape[2:]),
        "same_size": tuple(max_same.shape[2:]),
    }


def same_windows_of_3(odd, even):
    """Windows of 3, stride 2: "same" is `padding=1` for odd sizes, but `ceil_mode` for even."""
    return {
        "odd_max": F.max_pool2d(odd, 3, stride=2, padding=1),
        "odd_average": F.avg_pool2d(odd, 3, stride=2, padding=1, count_include_pad=False),
        "even_max": F.max_pool2d(even, 3, stride=2, ceil_mode=True),
        "even_average": F.avg_pool2d(even, 3, stride=2, ceil_mode=True),
        "even_max_padding_1": F.max_pool2d(even, 3, stride=2, padding=1),
    }


def padding_that_counts(x):
    """The mean of ones is not one where the padding counts, which is the default here."""
    return {
        "default": F.avg_pool2d(x, 3, stride=1, padding=1),
        "not_counted": F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False),
        "counted": F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=True),
    }


def padding_below_zero(x):
    """Pooling pads with −∞, so that padding never wins; zeros put before it do, over negatives."""
    zeros = F.pad(x, (1, 1, 1, 1))
    return {
        "minus_infinity": F.max_pool2d(x, 3, stride=2, padding=1),
        "zeros": F.max_pool2d(zeros, 3, stride=2),
    }


def overlapping(x, upstream):
    """Windows 2 high and 3 wide, stride (1, 2): where they overlap, gradients add up."""
    x.requires_grad_()
    maximum = F.max_pool2d(x, (2, 3), stride=(1, 2))
    average = F.avg_pool2d(x, (2, 3), stride=(1, 2))
    (dx_max,) = torch.autograd.grad(maximum, x, upstream)
    (dx_average,) = torch.autograd.grad(average, x, upstream)
    return {"max": maximum, "average": average, "dx_max": dx_max, "dx_average": dx_average}


def global_pooling(x, upstream):
    """One number an image and channel: an adaptive pooling to 1×1, flattened."""
    x.requires_grad_()
    average = nn.AdaptiveAvgPool2d(1)(x).flatten(1)
    maximum = nn.AdaptiveMaxPool2d(1)(x).flatten(1)
    (dx_average,) = torch.autograd.grad(average, x, upstream)
    (dx_max,) = torch.autograd.grad(maximum, x, upstream)
    return {"average": average, "max": maximum, "dx_average": dx_average, "dx_max": dx_max}


def ties(x):
    """Equal maxima: pooling sends the gradient to the first, `amax` shares it among all."""
    x.requires_grad_()
    (pool,) = torch.autograd.grad(F.max_pool2d(x, 2).sum(), x)
    (global_layer,) = torch.autograd.grad(nn.AdaptiveMaxPool2d(1)(x).sum(), x)
    (shared,) = torch.autograd.grad(x.amax(dim=(2, 3)).sum(), x)
    return {"pool": pool, "global_layer": global_layer, "shared": shared}


def positions(x):
    """Where each maximum stood: row · width + column, counted in every channel by itself."""
    maximum, position = F.max_pool2d(x, 2, return_indices=True)
    return {"max": maximum, "position": position}


def nan_in_a_window(x):
    """NaN is contagious, in the maximum as in the mean."""
    return {"max": F.max_pool2d(x, 2), "average": F.avg_pool2d(x, 2)}
