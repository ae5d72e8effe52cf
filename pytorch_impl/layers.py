"""Normalisation, embedding and convolution: one layer each, with weights in Keras' layout.

Twin: keras_impl/layers.py
Look at: ε in `layer_norm`; `momentum`, the variance and what freezing means in
`batch_norm_train`; and `convolutions`, where depthwise is a grouped convolution here, and every
kernel is turned on its way across.
Seen in notes, wrong because: evaluating without `model.eval()`: batch normalisation then goes by
the batch, and the same image gives another result in other company (`alone_and_in_company`).
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from shared.plots import Plots


def layer_norm(x, gamma, beta, upstream):
    """Over the last axis; ε is 1e-5 by default here."""
    default = F.layer_norm(x, [5])
    layer = nn.LayerNorm(5, eps=1e-5)
    layer.load_state_dict({"weight": gamma, "bias": beta})
    y = layer(x.requires_grad_())
    y.backward(upstream)
    return {
        "y": y,
        "dx": x.grad,
        "dgamma": layer.weight.grad,
        "dbeta": layer.bias.grad,
        "default_epsilon": default,
    }


def group_norm(x, gamma, beta, upstream):
    """Over each of two groups of channels."""
    layer = nn.GroupNorm(2, 4, eps=1e-5)
    layer.load_state_dict({"weight": gamma, "bias": beta})
    y = layer(x.requires_grad_())
    y.backward(upstream)
    return {"y": y, "dgamma": layer.weight.grad, "dbeta": layer.bias.grad, "dx": x.grad}


def _batch_norm(gamma, beta, mean, variance):
    """`momentum` is the weight of what is new."""
    layer = nn.BatchNorm2d(3, eps=1e-5, momentum=0.1)
    state = {"weight": gamma, "bias": beta, "running_mean": mean, "running_var": variance}
    layer.load_state_dict(state | {"num_batches_tracked": torch.tensor(0)})
    return layer


def batch_norm_train(x, gamma, beta, mean, variance, upstream):
    """By the batch's own statistics, which move the running ones; a new module is in this mode."""
    layer = _batch_norm(gamma, beta, mean, variance)
    y = layer(x.requires_grad_())
    y.backward(upstream)
    frozen = _batch_norm(gamma, beta, mean, variance).requires_grad_(False)
    frozen(x)
    return {
        "y": y,
        "dx": x.grad,
        "dgamma": layer.weight.grad,
        "dbeta": layer.bias.grad,
        "moving_mean": layer.running_mean,
        "moving_variance": layer.running_var,
        "frozen_moves": not torch.equal(frozen.running_mean, mean),
    }


def batch_norm_eval(x, gamma, beta, mean, variance, upstream):
    """By the running statistics, after `eval()`."""
    layer = _batch_norm(gamma, beta, mean, variance).eval()
    y = layer(x.requires_grad_())
    y.backward(upstream)
    return {"y": y, "dgamma": layer.weight.grad, "dbeta": layer.bias.grad, "dx": x.grad}


def alone_and_in_company(x, gamma, beta, mean, variance):
    """The first image alone and in its batch: only in evaluation does it give the same."""
    layer = _batch_norm(gamma, beta, mean, variance)
    in_training = torch.allclose(layer(x)[0], layer(x[:1])[0])
    layer.eval()
    in_evaluation = torch.allclose(layer(x)[0], layer(x[:1])[0])
    return {"same_in_training": in_training, "same_in_evaluation": in_evaluation}


def embedding(table, upstream, words):
    """Rows by number; a row taken twice gets both gradients."""
    layer = nn.Embedding(5, 3)
    layer.load_state_dict({"weight": table})
    y = layer(words)
    y.backward(upstream)
    return {"y": y, "dembeddings": layer.weight.grad}


def convolutions(x, depthwise, grouped, transposed):
    """Depthwise is grouped with a group a channel; Keras' kernels begin with height and width.

    A kernel is ``(out, in / groups, h, w)`` here, that of a transposed layer ``(in, out, h, w)``.
    """
    size = {"kernel_size": (3, 2), "bias": False}
    one = nn.Conv2d(4, 8, groups=4, **size)
    one.load_state_dict({"weight": depthwise.permute(2, 3, 0, 1).reshape(8, 1, 3, 2)})
    two = nn.Conv2d(4, 6, groups=2, **size)
    two.load_state_dict({"weight": grouped.permute(3, 2, 0, 1)})
    three = nn.ConvTranspose2d(4, 5, stride=2, **size)
    three.load_state_dict({"weight": transposed.permute(3, 2, 0, 1)})
    return {"depthwise_y": one(x), "grouped_y": two(x), "transposed_y": three(x)}


def settling(batches, momentum):
    """The running mean after each batch ``(batch, channels)``, one channel's; it starts at 0."""
    layer = nn.BatchNorm1d(batches[0].shape[1], momentum=momentum)
    means = []
    for batch in batches:
        layer(batch)
        means.append(layer.running_mean[0].item())
    return means


def main():
    """Each layer on a few numbers: what it does, what it keeps, what its kernel looks like."""
    plots = Plots(__file__)
    torch.manual_seed(0)
    x = torch.randn(2, 5) * 0.01
    normed = layer_norm(x, torch.ones(5), torch.zeros(5), torch.ones(2, 5))
    wider = F.layer_norm(x, [5], eps=1e-3)
    print(f"layer norm, inputs of size 0.01, ε 1e-5: deviation {normed['y'].std():.3f},", end=" ")
    print(f"ε 1e-3: {wider.std():.3f}")

    images = torch.randn(4, 3, 5, 6) + 1
    ones, zeros = torch.ones(3), torch.zeros(3)
    kept = batch_norm_train(images, ones, zeros, zeros, ones, torch.ones(4, 3, 5, 6))
    print(f"batch norm: batch mean {images.mean(dim=(0, 2, 3))[0].item():.3f},", end=" ")
    print(f"running mean from 0 to {kept['moving_mean'][0].item():.3f}")
    print("frozen weights, running mean moves:", kept["frozen_moves"])
    same = alone_and_in_company(images, ones, zeros, zeros, ones)
    print("an image alone as in its batch: in training", same["same_in_training"], end=", ")
    print("after eval()", same["same_in_evaluation"])

    words = torch.tensor([[4, 0, 2], [2, 2, 1]])
    rows = embedding(torch.randn(5, 3), torch.ones(2, 3, 3), words)
    print("gradient of each row, by how often it was taken:", rows["dembeddings"][:, 0].tolist())

    kernels = torch.randn(3, 2, 4, 2), torch.randn(3, 2, 2, 6), torch.randn(3, 2, 5, 4)
    for name, y in convolutions(torch.randn(2, 4, 3, 5), *kernels).items():
        print(f"{name}: {tuple(y.shape)}")

    batches = (torch.randn(100, 16, 1) + 3).unbind()
    means = {f"momentum={m}": settling(batches, m) for m in (0.1, 0.01)}
    for name, values in means.items():
        print(f"{name}: running mean {values[9]:.2f} after 10 batches, {values[-1]:.2f} after 100")

    plots.curves("running mean", means, "batch", "running mean; the true one is 3")


if __name__ == "__main__":
    main()
