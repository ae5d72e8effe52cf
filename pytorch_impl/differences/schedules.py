"""Learning-rate schedules: what a step is, and where it falls.

Twin: keras_impl/differences/schedules.py
Look at: ``given`` is the framework's own way, ``mapped`` the same with the mapping applied.
"""

import torch
from torch import nn, optim
from torch.optim import lr_scheduler

from ._common import defaults


def _optimizer():
    """With learning rate 1 and one weight whose gradient is 1."""
    weights = nn.Parameter(torch.ones(1))
    weights.grad = torch.ones(1)
    return optim.SGD([weights], lr=1.0)


def _rates(make, steps=7):
    """The rate of every step."""
    optimizer = _optimizer()
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return torch.tensor(rates)


def who_steps():
    """Nobody, but for `scheduler.step()`."""
    optimizer = _optimizer()
    lr_scheduler.ExponentialLR(optimizer, 0.5)
    for _ in range(3):
        optimizer.step()
    given = torch.tensor(optimizer.param_groups[0]["lr"])
    return {"given": given, "mapped": _rates(lambda o: lr_scheduler.ExponentialLR(o, 0.5), 4)[3]}


def boundaries():
    """After so many steps."""
    rates = _rates(lambda o: lr_scheduler.MultiStepLR(o, [2, 4], 0.5))
    return {"given": rates, "mapped": rates}


def exponential():
    """A factor a step."""
    rates = _rates(lambda o: lr_scheduler.ExponentialLR(o, 0.25), 3)
    return {"given": rates, "mapped": rates}


def cosine_decay():
    """Up again after the end."""
    return {"given": _rates(lambda o: lr_scheduler.CosineAnnealingLR(o, 4))}


def polynomial():
    """Down to 0."""
    rates = _rates(lambda o: lr_scheduler.PolynomialLR(o, 4))
    return {"given": rates, "mapped": rates}


def restarts():
    """Every period as long as the first."""
    return {"given": defaults(lr_scheduler.CosineAnnealingWarmRestarts, "T_mult")}


def _plateau(losses, **settings):
    """The rate after so many epochs."""
    optimizer = _optimizer()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, **settings)
    for loss in losses:
        scheduler.step(loss)
    return torch.tensor(optimizer.param_groups[0]["lr"])


def plateau_threshold():
    """1e-4 of the best loss."""
    losses = (100.0, 99.999, 99.998)
    return {
        "given": _plateau(losses, patience=0),
        "mapped": _plateau(losses, patience=0, threshold_mode="abs"),
    }


def plateau_patience():
    """Epochs to be borne before the rate falls."""
    losses = (1.0, 1.0, 1.0)
    return {"given": _plateau(losses, patience=2), "mapped": _plateau(losses, patience=1)}
