"""Convolutions on images `(batch, channel, h, w)` with kernels `(out, in, h, w)`.

Twin: keras_impl/convolution.py
Look at: the layout, channel first here and last there; `weights_by_hand` (`.data` takes any shape,
and says nothing); `same_stride_2`, where "same" padding is not padding 1; and `depthwise`, which
here is a grouped convolution.
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


def rising(*shape):
    """0, 1, 2 … as images `(batch, channel, h, w)` or kernels `(out, in, h, w)`."""
    return torch.arange(float(np.prod(shape))).reshape(shape)


def shapes(results):
    """Only the shapes of tensors, where the numbers are many."""
    return {k: tuple(v.shape) if torch.is_tensor(v) else v for k, v in results.items()}


def one_window(x, kernel, bias):
    """Four products and a bias, as a layer and as a function; the kernel is not flipped."""
    layer = nn.Conv2d(1, 1, kernel_size=2)
    layer.load_state_dict({"weight": kernel, "bias": bias})
    return {"layer": layer(x), "functional": F.conv2d(x, kernel, bias)}


def weights_by_hand(x, kernel, bias):
    """Three ways to give a layer its weights; only the first does not look at shapes.

    `.data` is the tensor behind a parameter, out of autograd's sight; so is what stands under
    `no_grad`. A state dict has all parameters by name.
    """
    by_data, by_copy, all_at_once = (nn.Conv2d(1, 1, kernel_size=2) for _ in range(3))
    by_data.weight.data = kernel
    by_data.bias.data = bias
    with torch.no_grad():
        by_copy.weight.copy_(kernel)
        by_copy.bias.copy_(bias)
    all_at_once.load_state_dict({"weight": kernel, "bias": bias})
    found = {
        "by_data": by_data(x),
        "by_copy": by_copy(x),
        "all_at_once": all_at_once(x),
        "still_trained": by_data.weight.requires_grad,
    }
    wrong, refused = torch.ones(1, 1, 3, 3), None
    try:
        by_data.weight.data = wrong
        all_at_once.load_state_dict({"weight": wrong, "bias": bias})
    except RuntimeError as error:
        refused = type(error).__name__
    return found | {
        "wrong_shape_by_data": tuple(by_data.weight.shape) == (1, 1, 3, 3),
        "wrong_shape_all_at_once": refused,
    }


def mean_filters(small, large, two):
    """Equal weights make each output the mean of its window; a batch goes image by image."""
    mean_2x2 = torch.full((1, 1, 2, 2), 1 / 4, dtype=small.dtype)
    mean_3x3 = torch.full((1, 1, 3, 3), 1 / 9, dtype=small.dtype)
    return {
        "small_2x2": F.conv2d(small, mean_2x2),
        "large_2x2": F.conv2d(large, mean_2x2),
        "large_3x3": F.conv2d(large, mean_3x3),
        "two_3x3": F.conv2d(two, mean_3x3),
    }


def sixteen_filters(x, kernel, bias):
    """1 → 16 channels, 3×3: each filter makes a channel of its own."""
    layer = nn.Conv2d(1, 16, kernel_size=3)
    layer.load_state_dict({"weight": kernel, "bias": bias})
    y = layer(x)
    return {
        "layer": y,
        "functional": F.conv2d(x, kernel, bias),
        "batch_channels_height_width": tuple(y.shape),
    }


def one_filter(x, kernel, bias):
    """3 → 1 channel, 5×5: a filter sums over all input channels, and 32 − 5 + 1 = 28."""
    layer = nn.Conv2d(3, 1, kernel_size=5)
    layer.load_state_dict({"weight": kernel, "bias": bias})
    y = layer(x)
    return {
        "layer": y,
        "functional": F.conv2d(x, kernel, bias),
        "batch_channels_height_width": tuple(y.shape),
    }


def output_size(size, kernel, stride, padding, dilation):
    """⌊(size + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1, along one axis."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def output_sizes(x, kernel):
    """Stride (2, 1), padding 1 and dilation (1, 2), alone and together; kernel 3 high, 2 wide."""
    results = {
        "plain": F.conv2d(x, kernel),
        "strided": F.conv2d(x, kernel, stride=(2, 1)),
        "padded": F.conv2d(x, kernel, padding=1),
        "dilated": F.conv2d(x, kernel, dilation=(1, 2)),
        "all_three": F.conv2d(x, kernel, stride=(2, 1), padding=1, dilation=(1, 2)),
    }
    strides_padding_dilations = [
        ((1, 1), 0, (1, 1)),
        ((2, 1), 0, (1, 1)),
        ((1, 1), 1, (1, 1)),
        ((1, 1), 0, (1, 2)),
        ((2, 1), 1, (1, 2)),
    ]
    (height, width), (tall, wide) = x.shape[2:], kernel.shape[2:]
    by_formula = tuple(
        (output_size(height, tall, s[0], p, d[0]), output_size(width, wide, s[1], p, d[1]))
        for s, p, d in strides_padding_dilations
    )
    measured = tuple(tuple(y.shape[2:]) for y in results.values())
    return results | {"by_formula": by_formula, "measured": measured}


def stride_and_dilation(x, kernel):
    """Both above 1 at once: the layer takes it, and so does the function."""
    refused = None
    try:
        nn.Conv2d(3, 5, kernel_size=(3, 2), stride=2, dilation=3)
    except ValueError as error:
        refused = type(error).__name__
    return {"layer": refused, "functional": F.conv2d(x, kernel, stride=2, dilation=3)}


def same_stride_1(x, odd_kernel, even_kernel):
    """Padding "same" keeps the size; an even kernel needs one row more, which goes to the end."""
    return {
        "odd_kernel_same": F.conv2d(x, odd_kernel, padding="same"),
        "even_kernel_same": F.conv2d(x, even_kernel, padding="same"),
    }


def same_stride_2(odd, even, kernel):
    """No "same" with a stride: `padding=1` is it for odd sizes, `F.pad` by hand for even ones."""
    refused = None
    try:
        nn.Conv2d(1, 1, kernel_size=3, stride=2, padding="same")
    except ValueError as error:
        refused = type(error).__name__
    at_the_end = F.pad(even, (0, 1, 0, 1))  # left, right, top, bottom
    return {
        "odd_size": F.conv2d(odd, kernel, stride=2, padding=1),
        "even_size": F.conv2d(even, kernel, stride=2, padding=1),
        "even_size_matched": F.conv2d(at_the_end, kernel, stride=2),
        "same_with_a_stride": refused,
    }


def gradients(x, kernel, bias, upstream):
    """Backwards with respect to the input, the kernel and the bias."""
    for tensor in (x, kernel, bias):
        tensor.requires_grad_()
    y = F.conv2d(x, kernel, bias)
    y.backward(upstream)
    return {"y": y, "dx": x.grad, "dkernel": kernel.grad, "dbias": bias.grad}


def depthwise(x, kernel, upstream):
    """Two filters for each of three channels: a convolution with as many groups as channels."""
    x.requires_grad_()
    kernel.requires_grad_()
    channels = x.shape[1]
    filters = kernel.flatten(0, 1).unsqueeze(1)  # (in, multiplier, h, w) → (out, 1, h, w)
    y = F.conv2d(x, filters, groups=channels)
    y.backward(upstream)
    return {"y": y, "dx": x.grad, "dkernel": kernel.grad}


def grouped(x, kernel, upstream):
    """Two groups: the first half of the filters sees the first half of the channels."""
    x.requires_grad_()
    kernel.requires_grad_()
    y = F.conv2d(x, kernel, groups=2)
    y.backward(upstream)
    return {"y": y, "dx": x.grad, "dkernel": kernel.grad}


def transposed(x, kernel, upstream):
    """Each pixel stamps the kernel onto a larger image; the kernel here is `(in, out, h, w)`."""
    x.requires_grad_()
    kernel.requires_grad_()
    y = F.conv_transpose2d(x, kernel, stride=2)
    y.backward(upstream)
    return {"y": y, "dx": x.grad, "dkernel": kernel.grad}


def transposed_same(x, kernel_4, kernel_3):
    """Twice the size: padding 1 for a kernel of 4; for one of 3 only cropping the end does it."""
    return {
        "kernel_4_same": F.conv_transpose2d(x, kernel_4, stride=2, padding=1),
        "kernel_3_same": F.conv_transpose2d(x, kernel_3, stride=2)[:, :, :-1, :-1],
    }


def draw_filters(figure, image):
    """An image under three filters set by hand: its mean, its horizontal and its vertical edges."""
    layer = nn.Conv2d(1, 3, kernel_size=3, bias=False)
    edge = torch.tensor([[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]])
    layer.weight.data = torch.stack([torch.full((3, 3), 1 / 9), edge, edge.T])[:, None]
    with torch.no_grad():
        maps = layer(torch.tensor(image)[None, None] / 255)[0]
    titles = ("image", "mean of 3×3", "horizontal edges", "vertical edges")
    figure.set_size_inches(11, 3)
    for axes, title, values in zip(figure.subplots(1, 4), titles, (image, *maps), strict=True):
        axes.imshow(values, cmap="gray")
        axes.set(title=title, xticks=[], yticks=[])


def main():
    """Small images of rising numbers, in the order of this file; then a real one."""
    plots = Plots(__file__)
    small, large = rising(1, 1, 2, 2), rising(1, 1, 4, 4)
    kernel = torch.tensor([[[[-0.1733, -0.4235], [0.1802, 0.4668]]]])
    bias = torch.tensor([0.2037])
    show("One window", one_window(small, kernel, bias))
    show("Weights by hand", weights_by_hand(small, kernel, bias))
    show("Means", mean_filters(small, large, rising(2, 1, 4, 4)))

    show(
        "16 filters",
        shapes(sixteen_filters(rising(2, 1, 4, 4), rising(16, 1, 3, 3), torch.zeros(16))),
    )
    show(
        "32 − 5 + 1 = 28",
        shapes(one_filter(rising(16, 3, 32, 32), rising(1, 3, 5, 5), torch.zeros(1))),
    )
    wide, tall = rising(2, 3, 7, 9), rising(5, 3, 3, 2)
    show("Stride, padding, dilation", shapes(output_sizes(wide, tall)))
    show("Stride and dilation", shapes(stride_and_dilation(wide, tall)))
    odd, even = rising(1, 1, 3, 5), rising(1, 1, 4, 6)
    show("Same size", same_stride_1(odd, rising(1, 1, 3, 3), rising(1, 1, 4, 2)))
    show("Half the size", same_stride_2(odd, even, rising(1, 1, 3, 3)))

    show("Gradients", gradients(large, kernel, bias, rising(1, 1, 3, 3)))
    show("Depthwise", shapes(depthwise(rising(1, 2, 3, 3), rising(2, 2, 2, 2), rising(1, 4, 2, 2))))
    show("Grouped", shapes(grouped(rising(1, 2, 3, 3), rising(2, 1, 2, 2), rising(1, 2, 2, 2))))
    show("Transposed", transposed(rising(1, 1, 2, 2), rising(1, 1, 2, 2), rising(1, 1, 4, 4)))
    show(
        "Twice the size",
        transposed_same(rising(1, 1, 2, 2), rising(1, 1, 4, 4), rising(1, 1, 3, 3)),
    )

    image = load("fashion_mnist").train_images[0]
    plots.draw("filters", lambda figure: draw_filters(figure, image))


if __name__ == "__main__":
    main()
