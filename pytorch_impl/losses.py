"""Losses: how wrong a prediction is, as one number, and what its gradient says.

Twin: keras_impl/losses.py
Look at: what a loss takes (logits and class numbers here; probabilities there, unless told), what
it divides by (`class_weights`, `kl_divergence`), and `certain_and_wrong`, where clipping begins.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


def squared_error(output, target):
    """½·(1/n)·Σ‖y − o‖² over n samples; the framework's own form divides by all elements."""
    output.requires_grad_()
    half = (target - output).square().sum(dim=1).mean() / 2
    half.backward()
    return {
        "half_mean_norm": half,
        "d_half_d_output": output.grad,
        "mean": F.mse_loss(output, target),
        "sum": F.mse_loss(output, target, reduction="sum"),
        "each": F.mse_loss(output, target, reduction="none"),
    }


def cross_entropy(logits, label):
    """−log softmax(logits)[label]; its gradient is softmax − onehot."""
    logits.requires_grad_()
    loss = F.cross_entropy(logits, label)
    loss.backward()
    return {"loss": loss, "gradient": logits.grad, "softmax": F.softmax(logits, dim=-1)}


def reductions(logits, labels):
    """A loss a sample, their sum, and their mean, which is the default."""
    each = F.cross_entropy(logits, labels, reduction="none")
    total = F.cross_entropy(logits, labels, reduction="sum")
    return {"each": each, "sum": total, "mean": F.cross_entropy(logits, labels)}


def logits_or_probabilities(logits, labels):
    """One right way and two wrong ones: softmax twice, and logits taken for probabilities."""
    probabilities = F.softmax(logits, dim=-1)
    # What Keras does when it is not told that it gets logits, written out.
    clipped = logits.clip(1e-7, 1 - 1e-7)
    return {
        "from_logits": F.cross_entropy(logits, labels),
        "from_probabilities": F.nll_loss(probabilities.log(), labels),
        "softmax_twice": F.cross_entropy(probabilities, labels),
        "logits_as_probabilities": F.nll_loss(
            (clipped / clipped.sum(dim=-1, keepdim=True)).log(), labels
        ),
    }


def not_normalised(probabilities, label):
    """Probabilities that do not add up to 1: taken as they are here, divided by their sum there."""
    normalised = probabilities / probabilities.sum(dim=-1, keepdim=True)
    return {
        "default": F.nll_loss(probabilities.log(), label),
        "normalised": F.nll_loss(normalised.log(), label),
    }


def binary_cross_entropy(logits, targets):
    """−y·log σ(z) − (1 − y)·log(1 − σ(z)), from logits and from probabilities."""
    logits.requires_grad_()
    loss = F.binary_cross_entropy_with_logits(logits, targets)
    loss.backward()
    return {
        "from_logits": loss,
        "gradient": logits.grad,
        "from_probabilities": F.binary_cross_entropy(torch.sigmoid(logits), targets),
    }


def certain_and_wrong(logits, targets, zero):
    """A confident mistake: exact from logits; from probabilities the gradient dies."""
    direct = logits.clone().requires_grad_()
    from_logits = F.binary_cross_entropy_with_logits(direct, targets, reduction="none")
    from_logits.sum().backward()
    logits.requires_grad_()
    through = F.binary_cross_entropy(torch.sigmoid(logits), targets, reduction="none")
    through.sum().backward()
    zero.requires_grad_()
    at_zero = F.binary_cross_entropy(zero, torch.ones_like(zero))
    at_zero.backward()
    return {
        "from_logits": from_logits,
        "from_logits_gradient": direct.grad,
        "through_layer": F.binary_cross_entropy(nn.Sigmoid()(logits), targets, reduction="none"),
        "through_sigmoid": through,
        "through_sigmoid_gradient": logits.grad,
        "at_zero": at_zero,
        "at_zero_gradient": zero.grad,
    }


def label_smoothing(logits, labels):
    """Targets (1 − ε)·onehot + ε/K with ε = 0.1 and K classes."""
    logits.requires_grad_()
    loss = F.cross_entropy(logits, labels, label_smoothing=0.1)
    loss.backward()
    return {"loss": loss, "gradient": logits.grad}


def class_weights(logits, weights, labels):
    """A weight a class: the mean divides by the sum of weights here, by the batch size there."""
    each = F.cross_entropy(logits, labels, weight=weights, reduction="none")
    return {
        "default": F.cross_entropy(logits, labels, weight=weights),
        "over_sum_of_weights": each.sum() / weights[labels].sum(),
        "over_batch_size": each.mean(),
    }


def ignore_index(logits, labels):
    """Samples labelled −100 do not count, neither above nor below the line."""
    logits.requires_grad_()
    loss = F.cross_entropy(logits, labels)  # ignore_index=-100 is the default
    loss.backward()
    return {"loss": loss, "gradient": logits.grad}


def kl_divergence(p, q):
    """Σ p·log(p/q): takes log q first, then p; the default mean divides by all elements."""
    q.requires_grad_()
    loss = F.kl_div(q.log(), p, reduction="batchmean")
    loss.backward()
    return {
        "per_sample": loss,
        "gradient": q.grad,
        "per_element": F.kl_div(q.log(), p, reduction="sum") / p.numel(),
        "default": F.kl_div(q.log(), p, reduction="mean"),
    }


def huber(output, target):
    """Quadratic up to δ, linear beyond; SmoothL1 is the same divided by δ, which it calls β."""
    output.requires_grad_()
    loss = F.huber_loss(output, target)
    loss.backward()
    return {
        "huber": loss,
        "gradient": output.grad,
        "huber_half": F.huber_loss(output, target, delta=0.5),
        "smooth_l1_half": F.smooth_l1_loss(output, target, beta=0.5),
    }
