"""Learning-rate schedules: what a step is, and where it falls."""

from parity.spec.difference import KERAS, KERAS_OPTIMIZERS, OPTIM, Difference

_SCHEDULES = KERAS_OPTIMIZERS + "learning_rate_schedules/"
_PLATEAU = OPTIM + "lr_scheduler.ReduceLROnPlateau.html"

ROWS = (
    Difference(
        "who_steps",
        "Exponential schedule of factor 0.5 after 3 steps of the optimizer",
        1.0,
        0.125,
        "`scheduler.step()` after every step",
        OPTIM + "lr_scheduler.ExponentialLR.html",
    ),
    Difference(
        "boundaries",
        "Half at 2 and at 4: `MultiStepLR`, `PiecewiseConstantDecay`",
        (1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.25),
        (1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25),
        "boundaries [1, 3] in Keras",
        _SCHEDULES + "piecewise_constant_decay/",
    ),
    Difference(
        "exponential",
        "Factor 0.25: a step in PyTorch, in `decay_steps=2` in Keras",
        (1.0, 0.25, 0.0625),
        (1.0, 0.5, 0.25),
        "`decay_steps=1` in Keras",
        _SCHEDULES + "exponential_decay/",
    ),
    Difference(
        "cosine_decay",
        "Cosine over 4 steps, and on: up again in PyTorch, stays in Keras, which "
        "computes it in float32",
        ("1.0000", "0.8536", "0.5000", "0.1464", "0.0000", "0.1464", "0.5000"),
        ("1.0000", "0.8536", "0.5000", "0.1464", "0.0000", "0.0000", "0.0000"),
        "",
        OPTIM + "lr_scheduler.CosineAnnealingLR.html",
    ),
    Difference(
        "polynomial",
        "Linear over 4 steps: to 0 in PyTorch, to 1e-4 in Keras",
        (1.0, 0.75, 0.5, 0.25, 0.0, 0.0, 0.0),
        ("1.000000", "0.750025", "0.500050", "0.250075", "0.000100", "0.000100", "0.000100"),
        "`end_learning_rate=0` in Keras",
        _SCHEDULES + "polynomial_decay/",
    ),
    Difference(
        "restarts",
        "Cosine with restarts: factor of the next period",
        "T_mult 1",
        "t_mul 2.0",
        "",
        _SCHEDULES + "cosine_decay_restarts/",
    ),
    Difference(
        "plateau_threshold",
        "`ReduceLROnPlateau`, losses 100, 99.999, 99.998: 1e-4 is relative in "
        "PyTorch, absolute in Keras; rate after them, halved each time",
        0.25,
        1.0,
        '`threshold_mode="abs"` in PyTorch',
        _PLATEAU,
    ),
    Difference(
        "plateau_patience",
        "`ReduceLROnPlateau(patience=2)`, losses 1, 1, 1: rate after them",
        1.0,
        0.5,
        "PyTorch: one epoch of patience less",
        KERAS + "callbacks/reduce_lr_on_plateau/",
    ),
)
