"""Optimizers with the same arguments, and what they make of them.

Twin: pytorch_impl/differences/optimizer_semantics.py
Look at: ``given`` is the framework's own equation; the bridges to it are on the other side.
"""

import keras
import tensorflow as tf
from keras import optimizers as optim


def _moved(optimizer, gradients, start, rates=()):
    """Weights after a step along every gradient."""
    weights = keras.Variable(tf.fill(gradients[0].shape, tf.cast(start, gradients.dtype)))
    for step, gradient in enumerate(gradients):
        if rates:
            optimizer.learning_rate = rates[step]
        optimizer.apply([gradient], [weights])
    return weights.value


def sgd_momentum(gradients):
    """The velocity gathers steps."""
    return {"given": _moved(optim.SGD(0.5, momentum=0.875), gradients, 0.0)}


def sgd_nesterov(gradients):
    """The same, one step ahead."""
    return {"given": _moved(optim.SGD(0.5, momentum=0.875, nesterov=True), gradients, 0.0)}


def sgd_rate_change(gradients):
    """The past keeps the rate that it had."""
    w = _moved(optim.SGD(0.1, momentum=0.9), gradients, 1.0, (0.1, 0.01, 0.01))
    return {"given": w, "mapped": w}


def adam_epsilon_place(gradients):
    """Added before the correction of the bias."""
    w = _moved(optim.Adam(1.0, epsilon=1e-7), gradients, 0.0)
    return {"given": w, "mapped": w}


def adam_beta_rounding(gradients):
    """Corrected by powers of the betas in float32."""
    w = _moved(optim.Adam(1.0), gradients, 0.0)
    return {"given": w, "mapped": w}


def adam_weight_decay(gradients):
    """Taken from the weights."""
    w = _moved(optim.Adam(0.1, weight_decay=0.25), gradients, 1.0)
    return {"given": w, "mapped": w}


def l2_penalty(w):
    """`L2(0.5)` is 0.5·w², whose gradient is w."""
    with tf.GradientTape() as tape:
        tape.watch(w)
        penalty = keras.regularizers.L2(0.5)(w)
    gradient = tape.gradient(penalty, w)
    return {"given": gradient, "mapped": gradient}


def rmsprop_epsilon_place(gradients):
    """Inside the root."""
    w = _moved(optim.RMSprop(1.0), gradients, 0.0)
    return {"given": w, "mapped": w}


def rmsprop_momentum(gradients):
    """The past keeps the rate that it had."""
    optimizer = optim.RMSprop(1.0, rho=0.75, momentum=0.5)
    return {"given": _moved(optimizer, gradients, 0.0, (1.0, 0.1, 0.1))}


def adagrad_epsilon_place(gradients):
    """Inside the root."""
    w = _moved(optim.Adagrad(1.0, initial_accumulator_value=0.0), gradients, 0.0)
    return {"given": w, "mapped": w}


def adamax_epsilon_place(gradients):
    """Added to the norm."""
    w = _moved(optim.Adamax(1.0, beta_1=0.875, beta_2=0.5), gradients, 0.0)
    return {"given": w, "mapped": w}


def nadam_momentum(gradients):
    """The momentum schedule moves with every step."""
    w = _moved(optim.Nadam(0.1), gradients, 0.0)
    return {"given": w, "mapped": w}


def clip_by_norm(a, b):
    """`clipnorm` clips each variable by itself, `global_clipnorm` all together."""

    def clipped(**settings):
        weights = [keras.Variable(tf.zeros_like(x)) for x in (a, b)]
        optim.SGD(1.0, **settings).apply([a, b], weights)
        return -tf.concat([w.value for w in weights], 0)

    return {"given": clipped(clipnorm=1.0), "mapped": clipped(global_clipnorm=1.0)}


def accumulated_gradients(gradients):
    """`gradient_accumulation_steps` takes the mean."""
    optimizer = optim.SGD(1.0, gradient_accumulation_steps=2)
    w = _moved(optimizer, gradients[:, None], 0.0)
    return {"given": w, "mapped": w}
