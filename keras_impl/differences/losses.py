"""What the arguments of losses mean, and what they are divided by.

Twin: pytorch_impl/differences/losses.py
Look at: ``given`` is the framework's own way, ``mapped`` the same with the mapping applied.
"""

import inspect

import keras
import tensorflow as tf
from keras import losses

from ._common import defaults, slope


def argument_order():
    """What is true comes first."""
    call = inspect.signature(losses.CategoricalCrossentropy().call)
    return {"given": ", ".join(list(call.parameters)[:2])}


def mean_squared_error(y, target):
    """The mean over all elements."""
    return {"given": losses.MeanSquaredError()(target, y)}


def cross_entropy_of_logits(y, label):
    """Probabilities are what is expected, unless it is said."""
    return {
        "given": losses.SparseCategoricalCrossentropy()(label, y),
        "mapped": losses.SparseCategoricalCrossentropy(from_logits=True)(label, y),
    }


def cross_entropy_of_probabilities(y, label):
    """What is expected."""
    loss = losses.SparseCategoricalCrossentropy()(label, y)
    return {"given": loss, "mapped": loss}


def probabilities_not_normalised(y, label):
    """Divided by their sum."""
    loss = losses.CategoricalCrossentropy()(tf.one_hot(label, 2, dtype=y.dtype), y)
    return {"given": loss, "mapped": loss}


def class_axis(y, label):
    """The last."""
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)(label, y)
    return {"given": loss, "mapped": loss}


def binary_at_zero(y, target):
    """Probabilities are clipped to 1e-7 and more."""
    loss = losses.BinaryCrossentropy()(target, y)
    return {"given": loss, "mapped": loss}


def binary_gradient_outside(y, target):
    """0: the probability is clipped."""
    gradient = slope(lambda y: losses.BinaryCrossentropy()(target, y), y)
    return {"given": gradient, "mapped": gradient}


def binary_of_logits(y, target):
    """Never clipped."""
    return {"given": losses.BinaryCrossentropy(from_logits=True)(target, y)}


def label_smoothing(y, label):
    """The rest is shared by all classes."""
    loss = losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    return {"given": loss(tf.one_hot(label, 3, dtype=y.dtype), y)}


def class_weights(y, label):
    """A weight a sample, divided by the number of samples."""
    weights = tf.gather(tf.constant([1.0, 3.0], y.dtype), label)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)(label, y, sample_weight=weights)
    return {"given": loss, "mapped": loss}


def ignored_class(y, label):
    """None is."""
    loss = losses.SparseCategoricalCrossentropy
    return {
        "given": defaults(loss, "ignore_class"),
        "mapped": loss(from_logits=True, ignore_class=1)(label, y),
    }


def kl_divergence(y, target):
    """Divided by the number of samples; y comes as probabilities."""
    loss = losses.KLDivergence()(target, y)
    return {"given": loss, "mapped": loss}


def huber(y, target):
    """Huber's loss."""
    loss = losses.Huber(delta=0.5)(target, y)
    return {"given": loss, "mapped": loss}


def cosine_similarity(y, target):
    """Likeness, negative: less is better."""
    loss = losses.CosineSimilarity()(target, y)
    return {"given": loss, "mapped": loss}


def poisson(y, target):
    """Rates."""
    loss = losses.Poisson()(target, y)
    return {"given": loss, "mapped": loss}


def hinge(y, target):
    """Labels 0 and 1 become −1 and 1."""
    named = hasattr(losses, "Hinge")
    loss = losses.Hinge()(target, y)
    return {"given": "there is one" if named else "no such loss", "mapped": loss}


def epoch_loss(y, target):
    """The mean over the samples, whatever the batches."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Identity()])
    model.compile(loss="mse")
    loss = model.evaluate(y, target, batch_size=2, verbose=0)
    found = tf.constant(loss, y.dtype)
    return {"given": found, "mapped": found}
