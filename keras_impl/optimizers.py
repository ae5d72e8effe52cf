"""Eleven optimizers on one fixed sequence of gradients, from 1e-12 to 1 in a hundred steps.

Twin: pytorch_impl/optimizers.py
Look at: every function makes two optimizers: the framework's own, and the bridge that follows the
other's equation. `native` and `keras` are Keras' own here, `torch` is the bridge. Then
`rate_change`, `weight_decay`, `clipping` and `schedules`, where the same argument means two things.
"""

import keras
import tensorflow as tf
from keras import optimizers as optim
from keras.optimizers import schedules as lr_schedules

from parity.keras_side.optimizers import (
    TorchAdadelta,
    TorchAdagrad,
    TorchAdam,
    TorchAdamax,
    TorchAdamW,
    TorchNAdam,
    TorchRMSprop,
    TorchSGD,
)

SLOTS = {
    "momentum": "m",
    "velocity": "v",
    "velocity_hat": "v_max",
    "norm": "u",
    "buffer": "velocity",
    "accumulator": "sum",
    "accumulated_grad": "v",
    "accumulated_delta_var": "delta",
    "variable": "mu_product",  # Nadam's own, which has no name
}
SGD_SLOTS = {"momentum": "velocity"}


def follow(optimizer, weights, gradients, rate=None):
    """Weights and state after 1, 2, 10 and 100 steps, one row each."""
    rows = []
    for step, gradient in enumerate(gradients, 1):
        if rate is not None:
            optimizer.learning_rate = rate(step)
        optimizer.apply([gradient], [weights])
        if step in (1, 2, 10, 100):
            row = {"weights": tf.identity(weights.value)}
            for slot in optimizer.variables[2:]:  # after the step counter and the learning rate
                name = slot.name.removeprefix("w_").rstrip("_0123456789")
                names = SGD_SLOTS if isinstance(optimizer, optim.SGD) else SLOTS
                row[names.get(name, name)] = tf.cast(tf.identity(slot.value), weights.dtype)
            rows.append(row)
    return {name: tf.stack([row[name] for row in rows]) for name in rows[0]}


def both(own, bridge, w, gradients):
    """The framework's own optimizer and the bridge to the other's, from the same weights."""
    runs = {}
    for names, make in ((("native", "keras"), own), (("torch",), bridge)):
        weights = keras.Variable(w, name="w")
        found = follow(make(), weights, gradients)
        runs |= {f"{name}/{key}": value for name in names for key, value in found.items()}
    return runs


def sgd(w, gradients):
    """w ← w − lr·g. The same equation; lr is 1e-3 in PyTorch, 1e-2 in Keras."""
    return both(optim.SGD, TorchSGD, w, gradients)


def momentum(w, gradients):
    """The buffer gathers gradients in PyTorch and steps, −lr·gradient, in Keras."""
    return both(
        lambda: optim.SGD(momentum=0.9),
        lambda: TorchSGD(momentum=0.9),
        w,
        gradients,
    )


def nesterov(w, gradients):
    """Momentum that looks one step ahead."""
    return both(
        lambda: optim.SGD(momentum=0.9, nesterov=True),
        lambda: TorchSGD(momentum=0.9, nesterov=True),
        w,
        gradients,
    )


def adam(w, gradients):
    """The same moments, two updates: epsilon after the bias correction or before it."""
    return both(optim.Adam, TorchAdam, w, gradients)


def amsgrad(w, gradients):
    """Adam that divides by the largest second moment so far."""
    return both(
        lambda: optim.Adam(amsgrad=True),
        lambda: TorchAdam(amsgrad=True),
        w,
        gradients,
    )


def adamw(w, gradients):
    """Adam with decoupled weight decay: 0.01 in PyTorch, 0.004 in Keras."""
    return both(optim.AdamW, TorchAdamW, w, gradients)


def rmsprop(w, gradients):
    """Epsilon outside the root in PyTorch, inside in Keras; other lr and decay."""
    return both(optim.RMSprop, TorchRMSprop, w, gradients)


def adagrad(w, gradients):
    """Epsilon outside or inside the root; the sum starts at 0 or 0.1; lr is 0.01 and 0.001."""
    return both(optim.Adagrad, TorchAdagrad, w, gradients)


def adadelta(w, gradients):
    """One equation; lr is 1 in PyTorch and 0.001 in Keras, rho 0.9 and 0.95."""
    return both(optim.Adadelta, TorchAdadelta, w, gradients)


def adamax(w, gradients):
    """Epsilon inside the largest gradient or added to it when dividing; lr is 0.002 and 0.001."""
    return both(optim.Adamax, TorchAdamax, w, gradients)


def nadam(w, gradients):
    """Nesterov's Adam: Keras' momentum warms up 250 times as fast; lr is 0.002 and 0.001."""
    return both(optim.Nadam, TorchNAdam, w, gradients)


def rate_change(w, gradients):
    """Momentum with lr 0.5, and 0.0625 from step 6 on: what the past is worth then."""

    def rate(step):
        return 0.5 if step < 6 else 0.0625

    one, other = keras.Variable(w, name="w"), keras.Variable(w, name="w")
    own = follow(optim.SGD(momentum=0.875), one, gradients, rate)
    bridge = follow(TorchSGD(momentum=0.875), other, gradients, rate)
    return {
        "native": own["weights"],
        "torch": bridge["weights"],
        "keras": own["weights"],
    }


def weight_decay(w, gradients):
    """Adam with decay 0.01: in the gradient (L2), or of the weights (the argument here)."""
    coupled = keras.Variable(w, name="w")
    adam, rows = TorchAdam(), []
    for step, gradient in enumerate(gradients, 1):
        # What a regulariser L2(0.005) on the layer adds to the gradient of the loss.
        adam.apply([gradient + 0.01 * coupled], [coupled])
        rows += [tf.identity(coupled.value)] if step in (1, 2, 10, 100) else []
    own, other = keras.Variable(w, name="w"), keras.Variable(w, name="w")
    return {
        "native": follow(optim.Adam(weight_decay=0.01), own, gradients)["weights"],
        "coupled": tf.stack(rows),
        "decoupled": follow(TorchAdamW(decay=0.01), other, gradients)["weights"],
    }


def clipping(a, b):
    """Two gradients of norm 5 and 12, together 13; each way of clipping, by the optimizer."""

    def clipped(**how):
        variables = [keras.Variable(tf.zeros_like(gradient)) for gradient in (a, b)]
        optim.SGD(learning_rate=1.0, **how).apply([a, b], variables)
        return -tf.concat([variable.value for variable in variables], axis=0)

    return {
        "by_value": clipped(clipvalue=3.5),
        "global_norm": clipped(global_clipnorm=6.5),
        "each_norm": clipped(clipnorm=6.0),
    }


def schedules(rate):
    """The learning rate of eight steps, from 1: a schedule is a function of the step."""
    first = float(rate)
    halves = [first, first / 2, first / 4]

    def rates(schedule):
        # The schedules compute in float32 whatever the precision of the run.
        return tf.stack([tf.cast(schedule(step), rate.dtype) for step in range(8)])

    return {
        "halved_every_step": rates(lr_schedules.ExponentialDecay(first, 1, 0.5)),
        "steps_at_2_and_4": rates(lr_schedules.PiecewiseConstantDecay([2, 4], halves)),
        "steps_matched": rates(lr_schedules.PiecewiseConstantDecay([1, 3], halves)),
        "cosine_over_4": rates(lr_schedules.CosineDecay(first, 4)),
        "linear_over_4": rates(lr_schedules.PolynomialDecay(first, 4)),
        "linear_matched": rates(lr_schedules.PolynomialDecay(first, 4, end_learning_rate=0.0)),
    }
