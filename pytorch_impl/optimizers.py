"""Eleven optimizers on one fixed sequence of gradients, from 1e-12 to 1 in a hundred steps.

Twin: keras_impl/optimizers.py
Look at: every function makes two optimizers: the framework's own, and the bridge that follows the
other's equation. `native` and `torch` are PyTorch's own here, `keras` is the bridge. Then
`rate_change`, `weight_decay`, `clipping` and `schedules`, where the same argument means two things.
"""

import torch
from torch import nn, optim
from torch.optim import lr_scheduler

from parity.torch_side.optimizers import (
    KerasAdadelta,
    KerasAdagrad,
    KerasAdam,
    KerasAdamax,
    KerasAdamW,
    KerasNadam,
    KerasRMSprop,
    KerasSGD,
)

SLOTS = {
    "momentum_buffer": "velocity",
    "exp_avg": "m",
    "exp_avg_sq": "v",
    "max_exp_avg_sq": "v_max",
    "square_avg": "v",
    "sum": "sum",
    "acc_delta": "delta",
    "exp_inf": "u",
    "mu_product": "mu_product",
}


def follow(optimizer, weights, gradients, rate=None):
    """Weights and state after 1, 2, 10 and 100 steps, one row each."""
    rows = []
    for step, gradient in enumerate(gradients, 1):
        if rate is not None:
            optimizer.param_groups[0]["lr"] = rate(step)
        weights.grad = gradient
        optimizer.step()
        if step in (1, 2, 10, 100):
            state = optimizer.state[weights]
            held = {SLOTS[name]: state[name] for name in SLOTS if state.get(name) is not None}
            rows.append({n: t.detach().clone() for n, t in {"weights": weights, **held}.items()})
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def both(own, bridge, w, gradients):
    """The framework's own optimizer and the bridge to the other's, from the same weights."""
    runs = {}
    for names, make in ((("native", "torch"), own), (("keras",), bridge)):
        weights = nn.Parameter(w.clone())
        found = follow(make([weights]), weights, gradients)
        runs |= {f"{name}/{key}": value for name in names for key, value in found.items()}
    return runs


def sgd(w, gradients):
    """w ← w − lr·g. The same equation; lr is 1e-3 in PyTorch, 1e-2 in Keras."""
    return both(optim.SGD, KerasSGD, w, gradients)


def momentum(w, gradients):
    """The buffer gathers gradients in PyTorch and steps, −lr·gradient, in Keras."""
    return both(
        lambda p: optim.SGD(p, momentum=0.9),
        lambda p: KerasSGD(p, momentum=0.9),
        w,
        gradients,
    )


def nesterov(w, gradients):
    """Momentum that looks one step ahead."""
    return both(
        lambda p: optim.SGD(p, momentum=0.9, nesterov=True),
        lambda p: KerasSGD(p, momentum=0.9, nesterov=True),
        w,
        gradients,
    )


def adam(w, gradients):
    """The same moments, two updates: epsilon after the bias correction or before it."""
    return both(optim.Adam, KerasAdam, w, gradients)


def amsgrad(w, gradients):
    """Adam that divides by the largest second moment so far."""
    return both(
        lambda p: optim.Adam(p, amsgrad=True),
        lambda p: KerasAdam(p, amsgrad=True),
        w,
        gradients,
    )


def adamw(w, gradients):
    """Adam with decoupled weight decay: 0.01 in PyTorch, 0.004 in Keras."""
    return both(optim.AdamW, KerasAdamW, w, gradients)


def rmsprop(w, gradients):
    """Epsilon outside the root in PyTorch, inside in Keras; other lr and decay."""
    return both(optim.RMSprop, KerasRMSprop, w, gradients)


def adagrad(w, gradients):
    """Epsilon outside or inside the root; the sum starts at 0 or 0.1; lr is 0.01 and 0.001."""
    return both(optim.Adagrad, KerasAdagrad, w, gradients)


def adadelta(w, gradients):
    """One equation; lr is 1 in PyTorch and 0.001 in Keras, rho 0.9 and 0.95."""
    return both(optim.Adadelta, KerasAdadelta, w, gradients)


def adamax(w, gradients):
    """Epsilon inside the largest gradient or added to it when dividing; lr is 0.002 and 0.001."""
    return both(optim.Adamax, KerasAdamax, w, gradients)


def nadam(w, gradients):
    """Nesterov's Adam: Keras' momentum warms up 250 times as fast; lr is 0.002 and 0.001."""
    return both(optim.NAdam, KerasNadam, w, gradients)


def rate_change(w, gradients):
    """Momentum with lr 0.5, and 0.0625 from step 6 on: what the past is worth then."""

    def rate(step):
        return 0.5 if step < 6 else 0.0625

    one, other = nn.Parameter(w.clone()), nn.Parameter(w.clone())
    own = follow(optim.SGD([one], momentum=0.875), one, gradients, rate)
    bridge = follow(KerasSGD([other], momentum=0.875), other, gradients, rate)
    return {
        "native": own["weights"],
        "torch": own["weights"],
        "keras": bridge["weights"],
    }


def weight_decay(w, gradients):
    """Adam with decay 0.01: in the gradient (L2, the argument here), or of the weights (AdamW)."""
    makes = {
        "native": lambda p: optim.Adam(p, weight_decay=0.01),
        "coupled": lambda p: optim.Adam(p, weight_decay=0.01),
        "decoupled": lambda p: optim.AdamW(p, weight_decay=0.01),
    }
    weights = {name: nn.Parameter(w.clone()) for name in makes}
    return {
        name: follow(make([weights[name]]), weights[name], gradients)["weights"]
        for name, make in makes.items()
    }


def clipping(a, b):
    """Two gradients of norm 5 and 12, together 13; each way of clipping, before the step."""

    def clipped(clip):
        parameters = [nn.Parameter(torch.zeros_like(gradient)) for gradient in (a, b)]
        for parameter, gradient in zip(parameters, (a, b), strict=True):
            parameter.grad = gradient.clone()
        clip(parameters)
        return torch.cat([parameter.grad for parameter in parameters])

    return {
        "by_value": clipped(lambda p: nn.utils.clip_grad_value_(p, 3.5)),
        "global_norm": clipped(lambda p: nn.utils.clip_grad_norm_(p, 6.5)),
        "each_norm": clipped(lambda p: [nn.utils.clip_grad_norm_([one], 6.0) for one in p]),
    }


def schedules(rate):
    """The learning rate of eight steps, from 1: a scheduler is told when a step is over."""

    def rates(make):
        optimizer = optim.SGD([nn.Parameter(torch.zeros_like(rate))], lr=rate.item())
        scheduler, seen = make(optimizer), []
        for _ in range(8):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return torch.tensor(seen, dtype=rate.dtype)

    return {
        "halved_every_step": rates(lambda o: lr_scheduler.ExponentialLR(o, 0.5)),
        "steps_at_2_and_4": rates(lambda o: lr_scheduler.MultiStepLR(o, [2, 4], 0.5)),
        "steps_matched": rates(lambda o: lr_scheduler.MultiStepLR(o, [2, 4], 0.5)),
        "cosine_over_4": rates(lambda o: lr_scheduler.CosineAnnealingLR(o, 4)),
        "linear_over_4": rates(lambda o: lr_scheduler.PolynomialLR(o, 4)),
        "linear_matched": rates(lambda o: lr_scheduler.PolynomialLR(o, 4)),
    }
