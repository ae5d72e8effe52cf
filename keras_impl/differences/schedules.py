"""Learning-rate schedules: what a step is, and where it falls.

Twin: pytorch_impl/differences/schedules.py
Look at: ``given`` is the framework's own way, ``mapped`` the same with the mapping applied.
"""

import keras
import tensorflow as tf
from keras.optimizers import schedules

from ._common import defaults


def _rates(schedule, steps=7):
    """The rate of every step; schedules compute in float32."""
    return tf.constant([float(schedule(step)) for step in range(steps)], keras.config.floatx())


def who_steps():
    """The optimizer itself."""
    weights = keras.Variable(tf.ones(1))
    optimizer = keras.optimizers.SGD(schedules.ExponentialDecay(1.0, 1, 0.5))
    for _ in range(3):
        optimizer.apply([tf.ones(1, weights.dtype)], [weights])
    rate = tf.constant(float(optimizer.learning_rate), keras.config.floatx())
    return {"given": rate, "mapped": rate}


def boundaries():
    """Up to and with a step."""
    return {
        "given": _rates(schedules.PiecewiseConstantDecay([2, 4], [1.0, 0.5, 0.25])),
        "mapped": _rates(schedules.PiecewiseConstantDecay([1, 3], [1.0, 0.5, 0.25])),
    }


def exponential():
    """A factor in so many steps."""
    return {
        "given": _rates(schedules.ExponentialDecay(1.0, decay_steps=2, decay_rate=0.25), 3),
        "mapped": _rates(schedules.ExponentialDecay(1.0, decay_steps=1, decay_rate=0.25), 3),
    }


def cosine_decay():
    """Stays at the end."""
    return {"given": _rates(schedules.CosineDecay(1.0, 4))}


def polynomial():
    """Down to 1e-4."""
    return {
        "given": _rates(schedules.PolynomialDecay(1.0, 4)),
        "mapped": _rates(schedules.PolynomialDecay(1.0, 4, end_learning_rate=0.0)),
    }


def restarts():
    """Every period twice as long as the one before."""
    return {"given": defaults(schedules.CosineDecayRestarts, "t_mul")}


def _plateau(losses, **settings):
    """The rate after so many epochs."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    callback = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, **settings)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"loss": loss})
    return tf.constant(float(model.optimizer.learning_rate), keras.config.floatx())


def plateau_threshold():
    """1e-4, whatever the loss."""
    rate = _plateau((100.0, 99.999, 99.998), patience=1)
    return {"given": rate, "mapped": rate}


def plateau_patience():
    """The epoch without progress in which the rate falls."""
    rate = _plateau((1.0, 1.0, 1.0), patience=2)
    return {"given": rate, "mapped": rate}
