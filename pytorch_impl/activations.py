"""Activations and their slopes: the functions between the layers, on a grid and at the extremes.

Twin: keras_impl/activations.py
Look at: `stacked_linear` (why they are there at all), `defaults` (the same name with other
constants), `leaky_relu` (a slope passed as a Python number), `relu` (what becomes of the slope at
NaN) and `gelu_by_hand` (why there is one).
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from shared.plots import Plots


def show(title, results):
    """Print what an experiment found; tensors as rounded numbers."""
    print(f"\n{title}")
    for name, value in results.items():
        head = f"  {name}: "
        if torch.is_tensor(value):
            print(head + np.array2string(value.numpy(force=True), precision=4, prefix=head))
        else:
            print(head + str(value))


def stacked_linear(x, first_kernel, first_bias, second_kernel, second_bias):
    """Linear layers on top of each other are one linear layer: W₂W₁·x + (W₂b₁ + b₂).

    Only what bends between them makes the second layer worth having.
    """
    stacked = F.linear(F.linear(x, first_kernel, first_bias), second_kernel, second_bias)
    kernel = second_kernel @ first_kernel  # kernels are (out, in)
    bias = second_kernel @ first_bias + second_bias
    one = F.linear(x, kernel, bias)
    bent = F.linear(F.relu(F.linear(x, first_kernel, first_bias)), second_kernel, second_bias)
    return {
        "stacked": stacked,
        "one_layer": one,
        "are_the_same": torch.allclose(stacked, one, atol=1e-5),
        "with_relu_between": bent,
        "with_relu_are_the_same": torch.allclose(bent, one, atol=1e-5),
    }


def everywhere(activation, x, extremes):
    """y and dy/dx on the grid and at the extremes; points do not mix, so the sum will do."""
    found = {}
    for suffix, points in (("", x), ("_extreme", extremes)):
        points.requires_grad_()
        y = activation(points)
        y.sum().backward()
        found[f"y{suffix}"] = y
        found[f"dy_dx{suffix}"] = points.grad
    return found


def step(x, extremes):
    """1 from 0 upwards, 0 below and for NaN: a comparison, which has no gradient at all."""
    x.requires_grad_()
    y = (x >= 0).to(x.dtype)
    return {
        "y": y,
        "y_extreme": (extremes >= 0).to(extremes.dtype),
        "has_gradient": y.requires_grad,
    }


def sigmoid(x, extremes):
    """1/(1 + e⁻ˣ): flat at both ends, where learning stops."""
    return everywhere(torch.sigmoid, x, extremes)


def tanh(x, extremes):
    """A sigmoid from −1 to 1."""
    return everywhere(torch.tanh, x, extremes)


def relu(x, extremes):
    """max(x, 0); the slope at 0 is 0, and NaN keeps its slope here but not there."""
    return everywhere(F.relu, x, extremes)


def relu_example(x):
    """[2, −4] → [2, 0], as a function and as a module."""
    return {"function": F.relu(x), "layer": nn.ReLU()(x)}


def leaky_relu(x, extremes):
    """A slope of 1/8 below 0, which every precision holds exactly."""
    return everywhere(lambda x: F.leaky_relu(x, 0.125), x, extremes)


def elu(x, extremes):
    """eˣ − 1 below 0."""
    return everywhere(F.elu, x, extremes)


def gelu(x, extremes):
    """x·Φ(x), Φ the normal distribution: the default on both sides."""
    return everywhere(F.gelu, x, extremes)


def gelu_by_hand(x):
    """The same formula written out; Keras' own GELU rounds its constant to float32."""
    x.requires_grad_()
    y = x * torch.special.erfc(-x / 2**0.5) / 2
    y.sum().backward()
    return {"y": y, "dy_dx": x.grad}


def gelu_tanh(x, extremes):
    """The approximation of GELU by tanh; on request only."""
    return everywhere(lambda x: F.gelu(x, approximate="tanh"), x, extremes)


def silu(x, extremes):
    """x·σ(x), also called swish; −∞·0 is NaN."""
    return everywhere(F.silu, x, extremes)


def softplus(x, extremes):
    """log(1 + eˣ), a soft ReLU."""
    return everywhere(F.softplus, x, extremes)


def softmax(x, weights, extremes):
    """Probabilities along the last axis; PyTorch has no default for the axis."""
    x.requires_grad_()
    y = F.softmax(x, dim=-1)
    (weights * y).sum().backward()
    return {
        "y": y,
        "sum": y.sum(dim=-1),
        "gradient": x.grad,
        "log": F.log_softmax(x, dim=-1),
        "y_extreme": F.softmax(extremes, dim=-1),
        "log_extreme": F.log_softmax(extremes, dim=-1),
    }


def defaults(x, large):
    """What you get when you pass nothing; `large` lies around 20, where softplus turns linear."""
    return {
        "leaky_relu_function": F.leaky_relu(x),
        "leaky_relu_layer": nn.LeakyReLU()(x),
        "leaky_relu_tenth": F.leaky_relu(x, 0.1),
        "prelu": nn.PReLU()(x),
        "elu": nn.ELU()(x),
        "hard_sigmoid": F.hardsigmoid(x),
        "softplus": F.softplus(large),
    }


CURVES = {
    "step": step,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "ReLU": relu,
    "leaky ReLU": leaky_relu,
    "ELU": elu,
    "GELU": gelu,
    "GELU by tanh": gelu_tanh,
    "SiLU": silu,
    "softplus": softplus,
}


def draw_curves(figure):
    """The ten, each with its slope; the step has none."""
    figure.set_size_inches(12, 5)
    for axes, (name, activation) in zip(figure.subplots(2, 5).flat, CURVES.items(), strict=True):
        grid = np.linspace(-5, 5, 201, dtype="float32")
        found = activation(torch.tensor(grid), torch.tensor([0.0]))
        axes.plot(grid, found["y"].detach(), label="y")
        if "dy_dx" in found:
            axes.plot(grid, found["dy_dx"], label="dy/dx")
        axes.set(title=name, ylim=(-1.2, 3))
        axes.grid(alpha=0.3)
    figure.axes[1].legend()


def main():
    """Why there are activations, then every one at five points and at the extremes."""
    plots = Plots(__file__)
    layers_of_numbers = (
        [[1.0, 2.0], [-3.0, 0.5]],
        [[1.0, -1.0], [0.5, 2.0], [-1.0, 0.0]],
        [0.1, 0.2, 0.3],
        [[1.0, -2.0, 0.5]],
        [1.0],
    )
    show("Two linear layers, and one", stacked_linear(*map(torch.tensor, layers_of_numbers)))

    x, extremes = [-2.0, -0.5, 0.0, 0.5, 2.0], [float("-inf"), -88.0, 88.0, float("inf")]
    for name, activation in CURVES.items():
        show(f"{name} at {x} and {extremes}", activation(torch.tensor(x), torch.tensor(extremes)))
    show("ReLU of 2 and −4", relu_example(torch.tensor([2.0, -4.0])))
    show("GELU by hand", gelu_by_hand(torch.tensor(x)))
    scores = [[1.0, 2.0, 3.0], [-1.0, 0.0, 5.0]]
    weights, large = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], [[1000.0, 1001.0, 1002.0]]
    show("softmax", softmax(*map(torch.tensor, (scores, weights, large))))
    show(
        "Constants you do not pass",
        defaults(torch.tensor([-2.0, -1.0, 0.5]), torch.tensor([19.0, 21.0])),
    )

    plots.draw("curves", draw_curves)


if __name__ == "__main__":
    main()
