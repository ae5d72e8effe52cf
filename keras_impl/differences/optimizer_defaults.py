"""What optimizers do when nothing is said.

Twin: pytorch_impl/differences/optimizer_defaults.py
Look at: ``given`` are the framework's own constants; ``mapped`` is what a few steps with them do to
the weights.
"""

import keras
import tensorflow as tf
from keras import optimizers as optim

from ._common import defaults


def _moved(optimizer, gradients):
    """Weights after a step along every gradient."""
    weights = keras.Variable(tf.ones_like(gradients[0]))
    for gradient in gradients:
        optimizer.apply([gradient], [weights])
    return weights.value


def sgd_defaults(gradients):
    """Rate and momentum."""
    return {
        "given": defaults(optim.SGD, "learning_rate", "momentum"),
        "mapped": _moved(optim.SGD(), gradients),
    }


def adam_defaults(gradients):
    """Rate, decay of the moments, epsilon."""
    return {
        "given": defaults(optim.Adam, "learning_rate", "beta_1", "beta_2", "epsilon"),
        "mapped": _moved(optim.Adam(), gradients),
    }


def adamw_defaults(gradients):
    """How fast weights decay."""
    return {
        "given": defaults(optim.AdamW, "weight_decay", "epsilon"),
        "mapped": _moved(optim.AdamW(), gradients),
    }


def rmsprop_defaults(gradients):
    """Rate, decay of the squares, epsilon."""
    return {
        "given": defaults(optim.RMSprop, "learning_rate", "rho", "epsilon"),
        "mapped": _moved(optim.RMSprop(), gradients),
    }


def adagrad_defaults(gradients):
    """Rate, where the sum begins, epsilon."""
    names = ("learning_rate", "initial_accumulator_value", "epsilon")
    return {"given": defaults(optim.Adagrad, *names), "mapped": _moved(optim.Adagrad(), gradients)}


def adadelta_defaults(gradients):
    """Rate, decay of the squares, epsilon."""
    return {
        "given": defaults(optim.Adadelta, "learning_rate", "rho", "epsilon"),
        "mapped": _moved(optim.Adadelta(), gradients),
    }


def adamax_defaults(gradients):
    """Rate and epsilon."""
    return {
        "given": defaults(optim.Adamax, "learning_rate", "epsilon"),
        "mapped": _moved(optim.Adamax(), gradients),
    }


def nadam_defaults(gradients):
    """Rate and epsilon."""
    return {
        "given": defaults(optim.Nadam, "learning_rate", "epsilon"),
        "mapped": _moved(optim.Nadam(), gradients),
    }


def adafactor_defaults():
    """Rate."""
    return {"given": defaults(optim.Adafactor, "learning_rate")}
