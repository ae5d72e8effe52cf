"""Learning-rate schedules: what a step is, and where it falls."""

from parity.spec.difference import KERAS, KERAS_OPTIMIZERS, OPTIM, Difference, NoWay

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
        in_torch=("optimizer.step()\nscheduler.step()  # after every step"),
        in_keras="optimizer.learning_rate = 1.0  # a number, not a schedule",
    ),
    Difference(
        "boundaries",
        "Half at 2 and at 4: `MultiStepLR`, `PiecewiseConstantDecay`",
        (1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.25),
        (1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25),
        "boundaries [1, 3] in Keras",
        _SCHEDULES + "piecewise_constant_decay/",
        in_torch="torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5], 0.5)",
        in_keras="keras.optimizers.schedules.PiecewiseConstantDecay([1, 3], [1.0, 0.5, 0.25])",
    ),
    Difference(
        "exponential",
        "Factor 0.25: a step in PyTorch, in `decay_steps=2` in Keras",
        (1.0, 0.25, 0.0625),
        (1.0, 0.5, 0.25),
        "`decay_steps=1` in Keras",
        _SCHEDULES + "exponential_decay/",
        in_torch="torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.25 ** (1 / 2))",
        in_keras=(
            "keras.optimizers.schedules.ExponentialDecay(\n"
            "    1.0, decay_steps=1, decay_rate=0.25\n"
            ")"
        ),
    ),
    Difference(
        "cosine_decay",
        "Cosine over 4 steps, and on: up again in PyTorch, stays in Keras, which "
        "computes it in float32",
        ("1.0000", "0.8536", "0.5000", "0.1464", "0.0000", "0.1464", "0.5000"),
        ("1.0000", "0.8536", "0.5000", "0.1464", "0.0000", "0.0000", "0.0000"),
        "",
        OPTIM + "lr_scheduler.CosineAnnealingLR.html",
        in_torch=(
            "import math\n"
            "\n"
            "torch.optim.lr_scheduler.LambdaLR(\n"
            "    optimizer, lambda step: (1 + math.cos(math.pi * min(step, 4) / 4)) / 2\n"
            ")"
        ),
        in_keras=(
            "import math\n"
            "\n"
            "keras.callbacks.LearningRateScheduler(\n"
            "    lambda epoch: (1 + math.cos(math.pi * epoch / 4)) / 2\n"
            ")"
        ),
    ),
    Difference(
        "polynomial",
        "Linear over 4 steps: to 0 in PyTorch, to 1e-4 in Keras",
        (1.0, 0.75, 0.5, 0.25, 0.0, 0.0, 0.0),
        ("1.000000", "0.750025", "0.500050", "0.250075", "0.000100", "0.000100", "0.000100"),
        "`end_learning_rate=0` in Keras",
        _SCHEDULES + "polynomial_decay/",
        in_torch=(
            "torch.optim.lr_scheduler.LambdaLR(\n"
            "    optimizer, lambda step: 1 - (1 - 1e-4) * min(step, 4) / 4\n"
            ")"
        ),
        in_keras="keras.optimizers.schedules.PolynomialDecay(1.0, 4, end_learning_rate=0.0)",
    ),
    Difference(
        "restarts",
        "Cosine with restarts: factor of the next period",
        "T_mult 1",
        "t_mul 2.0",
        "",
        _SCHEDULES + "cosine_decay_restarts/",
        in_torch=(
            "torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(\n"
            "    optimizer, T_0=4, T_mult=2\n"
            ")"
        ),
        in_keras="keras.optimizers.schedules.CosineDecayRestarts(1.0, 4, t_mul=1.0)",
    ),
    Difference(
        "plateau_threshold",
        "`ReduceLROnPlateau`, losses 100, 99.999, 99.998: 1e-4 is relative in "
        "PyTorch, absolute in Keras; rate after them, halved each time",
        0.25,
        1.0,
        '`threshold_mode="abs"` in PyTorch',
        _PLATEAU,
        in_torch='torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, threshold_mode="abs")',
        in_keras=NoWay(
            "`min_delta` is absolute, and nothing makes it relative. For losses near L, "
            "`min_delta=1e-4 * L` comes near."
        ),
    ),
    Difference(
        "plateau_patience",
        "`ReduceLROnPlateau(patience=2)`, losses 1, 1, 1: rate after them",
        1.0,
        0.5,
        "PyTorch: one epoch of patience less",
        KERAS + "callbacks/reduce_lr_on_plateau/",
        in_torch="torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2 - 1)",
        in_keras="keras.callbacks.ReduceLROnPlateau(patience=2 + 1)",
    ),
)
