"""Pooling over windows of images `(batch, channel, h, w)`, and the ReLU that stands before it.

Twin: keras_impl/pooling.py
Look at: `in_place` (a layer that writes over its input); `same_windows_of_3`, where "same" is
`padding` for odd sizes and `ceil_mode` for even ones; `padding_that_counts`; and `ties`, where a
global maximum sends its gradient.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from shared.data import load
from shared.plots import Plots


def show(title, results):
    """Print what an experiment found; tensors as rounded numbers, without axes one long."""
    print(f"\n{title}")
    for name, value in results.items():
        head = f"  {name}: "
        if torch.is_tensor(value):
            array = np.squeeze(value.numpy(force=True))
            print(head + np.array2string(array, precision=4, prefix=head))
        else:
            print(head + str(value))


def image(rows):
    """Rows of numbers as one image of one channel."""
    return torch.tensor(rows, dtype=torch.float32)[None, None]


def in_place(x):
    """`nn.ReLU(inplace=True)` writes over what it is given: memory saved, and the input lost.

    So it must not be needed again: not by a skip connection, which then adds y to y, and not by
    autograd, which stops at `backward` where it kept what was overwritten.
    """
    relu, relu_in_place = nn.ReLU(), nn.ReLU(inplace=True)
    given = x.clone()
    y = relu_in_place(given)
    skipped = x.clone()
    around = relu_in_place(skipped) + skipped
    squashed = torch.sigmoid(x.clone().requires_grad_())  # its slope is made from its output
    backward = None
    try:
        relu_in_place(squashed).sum().backward()
    except RuntimeError as error:
        backward = type(error).__name__
    return {
        "y": y,
        "input_afterwards": given,
        "same_memory": y.data_ptr() == given.data_ptr(),
        "skip": x + relu(x),
        "skip_in_place": around,
        "backward": backward,
    }


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


def draw_pooling(figure, picture):
    """An image, and what is left of it behind windows of 4."""
    x = image(picture)
    panes = {
        "image": picture,
        "maximum of 4×4": F.max_pool2d(x, 4)[0, 0],
        "mean of 4×4": F.avg_pool2d(x, 4)[0, 0],
    }
    figure.set_size_inches(9, 3)
    for axes, (title, values) in zip(figure.subplots(1, 3), panes.items(), strict=True):
        axes.imshow(values, cmap="gray")
        axes.set(title=title, xticks=[], yticks=[])


def main():
    """Small images, in the order of this file; then a real one."""
    plots = Plots(__file__)
    rising = np.arange(1, 26).reshape(5, 5)
    show("In place", in_place(torch.tensor([-1.0, 2.0, -3.0, 4.0])))
    show("5×5 by 2×2", drops_the_rest(image(rising)))
    show("Valid and same", valid_and_same(image(rising)))
    odd, even = np.arange(15).reshape(3, 5), np.arange(24).reshape(4, 6)
    show("Windows of 3, stride 2", same_windows_of_3(image(odd), image(even)))
    show("Padding that counts", padding_that_counts(image(np.ones((3, 4)))))
    show("Padding below zero", padding_below_zero(image(-1 - even)))
    show("Overlapping", overlapping(image(odd), image([[1, 2], [3, 4]])))
    show("One number an image", global_pooling(image(odd), torch.tensor([[1.0]])))
    show("Equal maxima", ties(image([[5, 5, 1, 2], [5, 5, 2, 2]])))
    show("Where the maximum stood", positions(image([[1, 7, 3, 2], [5, 0, 4, 9]])))
    show("NaN in a window", nan_in_a_window(image([[1, 2, np.nan, 4], [3, 0, 5, 6]])))

    picture = load("fashion_mnist").train_images[0]
    plots.draw("windows", lambda figure: draw_pooling(figure, picture))


if __name__ == "__main__":
    main()
