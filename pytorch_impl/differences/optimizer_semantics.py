"""Optimizers with the same arguments, and what they make of them.

Twin: keras_impl/differences/optimizer_semantics.py
Look at: ``given`` is the framework's own equation, ``mapped`` the bridge to the other's.
"""

import torch
from torch import nn, optim

from parity.torch_side import optimizers as bridges


def _moved(make, gradients, start, rates=()):
    """Weights after a step along every gradient."""
    weights = nn.Parameter(torch.full_like(gradients[0], start))
    optimizer = make([weights])
    for step, gradient in enumerate(gradients):
        if rates:
            optimizer.param_groups[0]["lr"] = rates[step]
        weights.grad = gradient
        optimizer.step()
    return weights.detach()


def sgd_momentum(gradients):
    """The buffer gathers gradients."""
    return {"given": _moved(lambda p: optim.SGD(p, lr=0.5, momentum=0.875), gradients, 0.0)}


def sgd_nesterov(gradients):
    """The same, one step ahead."""
    own = _moved(lambda p: optim.SGD(p, lr=0.5, momentum=0.875, nesterov=True), gradients, 0.0)
    return {"given": own}


def sgd_rate_change(gradients):
    """The new rate is for the past too."""
    rates = (0.1, 0.01, 0.01)
    return {
        "given": _moved(lambda p: optim.SGD(p, lr=0.1, momentum=0.9), gradients, 1.0, rates),
        "mapped": _moved(lambda p: bridges.KerasSGD(p, 0.1, 0.9), gradients, 1.0, rates),
    }


def adam_epsilon_place(gradients):
    """Added after the correction of the bias."""
    return {
        "given": _moved(lambda p: optim.Adam(p, lr=1.0, eps=1e-7), gradients, 0.0),
        "mapped": _moved(lambda p: bridges.KerasAdam(p, lr=1.0), gradients, 0.0),
    }


def adam_beta_rounding(gradients):
    """Corrected by powers of the betas themselves."""
    return {
        "given": _moved(lambda p: optim.Adam(p, lr=1.0), gradients, 0.0),
        "mapped": _moved(lambda p: bridges.KerasAdam(p, lr=1.0), gradients, 0.0),
    }


def adam_weight_decay(gradients):
    """Added to the gradient, and divided away by Adam."""
    return {
        "given": _moved(lambda p: optim.Adam(p, lr=0.1, weight_decay=0.25), gradients, 1.0),
        "mapped": _moved(lambda p: bridges.KerasAdam(p, lr=0.1, weight_decay=0.25), gradients, 1.0),
    }


def l2_penalty(w):
    """`weight_decay=0.5` adds 0.5·w to the gradient."""

    def step(decay):
        weights = nn.Parameter(w.clone())
        weights.grad = torch.zeros_like(w)
        optim.SGD([weights], lr=1.0, weight_decay=decay).step()
        return (w - weights).detach()

    return {"given": step(0.5), "mapped": step(1.0)}


def rmsprop_epsilon_place(gradients):
    """Outside the root."""
    return {
        "given": _moved(lambda p: optim.RMSprop(p, lr=1.0, alpha=0.9, eps=1e-7), gradients, 0.0),
        "mapped": _moved(lambda p: bridges.KerasRMSprop(p, lr=1.0), gradients, 0.0),
    }


def rmsprop_momentum(gradients):
    """The new rate is for the past too."""
    own = _moved(
        lambda p: optim.RMSprop(p, lr=1.0, alpha=0.75, momentum=0.5),
        gradients,
        0.0,
        (1.0, 0.1, 0.1),
    )
    return {"given": own}


def adagrad_epsilon_place(gradients):
    """Outside the root."""
    return {
        "given": _moved(lambda p: optim.Adagrad(p, lr=1.0, eps=1e-7), gradients, 0.0),
        "mapped": _moved(lambda p: bridges.KerasAdagrad(p, lr=1.0, start=0.0), gradients, 0.0),
    }


def adamax_epsilon_place(gradients):
    """Kept in the norm."""
    betas = (0.875, 0.5)
    return {
        "given": _moved(lambda p: optim.Adamax(p, 1.0, betas, 1e-7), gradients, 0.0),
        "mapped": _moved(lambda p: bridges.KerasAdamax(p, 1.0, betas), gradients, 0.0),
    }


def nadam_momentum(gradients):
    """The momentum schedule takes 250 steps for one of Keras'."""
    return {
        "given": _moved(lambda p: optim.NAdam(p, lr=0.1), gradients, 0.0),
        "mapped": _moved(lambda p: bridges.KerasNadam(p, lr=0.1), gradients, 0.0),
    }


def clip_by_norm(a, b):
    """All parameters together."""
    parameters = [nn.Parameter(torch.zeros_like(x)) for x in (a, b)]
    for parameter, gradient in zip(parameters, (a, b), strict=True):
        parameter.grad = gradient.clone()
    nn.utils.clip_grad_norm_(parameters, 1.0)
    together = torch.cat([a, b])
    return {
        "given": torch.cat([p.grad for p in parameters]),
        "mapped": together / together.norm(),
    }


def accumulated_gradients(gradients):
    """Backward passes add up."""
    own, mapped = nn.Parameter(gradients.new_zeros(1)), nn.Parameter(gradients.new_zeros(1))
    for weights, share in ((own, 1), (mapped, len(gradients))):
        for gradient in gradients:
            (weights * gradient / share).sum().backward()
        optim.SGD([weights], lr=1.0).step()
    return {"given": own.detach(), "mapped": mapped.detach()}
