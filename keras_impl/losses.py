"""Losses: how wrong a prediction is, as one number, and what its gradient says.

Twin: pytorch_impl/losses.py
Look at: what a loss takes (probabilities here, unless told; logits and class numbers there), what
it divides by (`class_weights`, `kl_divergence`), and `certain_and_wrong`, where clipping begins.
"""

import tensorflow as tf
from keras import layers, losses, ops


def squared_error(output, target):
    """½·(1/n)·Σ‖y − o‖² over n samples; the framework's own form divides by all elements."""
    with tf.GradientTape() as tape:
        tape.watch(output)
        half = tf.reduce_mean(tf.reduce_sum(tf.square(target - output), axis=1)) / 2
    return {
        "half_mean_norm": half,
        "d_half_d_output": tape.gradient(half, output),
        "mean": losses.MeanSquaredError()(target, output),
        # A Keras loss first takes the mean over the last axis: this is a sum of means.
        "sum": losses.MeanSquaredError(reduction="sum")(target, output) * output.shape[-1],
        "each": tf.math.squared_difference(target, output),
    }


def cross_entropy(logits, label):
    """−log softmax(logits)[label]; its gradient is softmax − onehot."""
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)(label, logits)
    gradient = tape.gradient(loss, logits)
    return {"loss": loss, "gradient": gradient, "softmax": tf.nn.softmax(logits)}


def reductions(logits, labels):
    """A loss a sample, their sum, and their mean, which is the default."""
    each = losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)(labels, logits)
    total = losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")(labels, logits)
    mean = losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    return {"each": each, "sum": total, "mean": mean}


def logits_or_probabilities(logits, labels):
    """One right way and two wrong ones: softmax twice, and logits taken for probabilities."""
    probabilities = tf.nn.softmax(logits)
    from_logits = losses.SparseCategoricalCrossentropy(from_logits=True)
    from_probabilities = losses.SparseCategoricalCrossentropy()
    return {
        "from_logits": from_logits(labels, logits),
        "from_probabilities": from_probabilities(labels, probabilities),
        "softmax_twice": from_logits(labels, probabilities),
        "logits_as_probabilities": from_probabilities(labels, logits),
    }


def not_normalised(probabilities, label):
    """Probabilities that do not add up to 1: divided by their sum here, taken as they are there."""
    onehot = tf.one_hot(label, probabilities.shape[-1], dtype=probabilities.dtype)
    normalised = probabilities / tf.reduce_sum(probabilities, axis=-1, keepdims=True)
    return {
        "default": losses.CategoricalCrossentropy()(onehot, probabilities),
        "normalised": losses.CategoricalCrossentropy()(onehot, normalised),
    }


def binary_cross_entropy(logits, targets):
    """−y·log σ(z) − (1 − y)·log(1 − σ(z)), from logits and from probabilities."""
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = losses.BinaryCrossentropy(from_logits=True)(targets, logits)
    return {
        "from_logits": loss,
        "gradient": tape.gradient(loss, logits),
        "from_probabilities": losses.BinaryCrossentropy()(targets, tf.sigmoid(logits)),
    }


def certain_and_wrong(logits, targets, zero):
    """A confident mistake: exact from logits; probabilities are clipped to 1e-7 … 1 − 1e-7."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([logits, zero])
        from_logits = ops.binary_crossentropy(targets, logits, from_logits=True)
        through = ops.binary_crossentropy(targets, tf.sigmoid(logits))
        at_zero = losses.BinaryCrossentropy()(tf.ones_like(zero), zero)
    return {
        "from_logits": from_logits,
        "from_logits_gradient": tape.gradient(from_logits, logits),
        # Keras' own sigmoid leaves its logits on the tensor, and the loss takes them instead.
        "through_layer": ops.binary_crossentropy(targets, layers.Activation("sigmoid")(logits)),
        "through_sigmoid": through,
        "through_sigmoid_gradient": tape.gradient(through, logits),
        "at_zero": at_zero,
        "at_zero_gradient": tape.gradient(at_zero, zero),
    }


def label_smoothing(logits, labels):
    """Targets (1 − ε)·onehot + ε/K with ε = 0.1 and K classes; only for targets as vectors."""
    onehot = tf.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    smooth = losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = smooth(onehot, logits)
    return {"loss": loss, "gradient": tape.gradient(loss, logits)}


def class_weights(logits, weights, labels):
    """A weight a class: the mean divides by the batch size here, by the sum of weights there."""
    chosen = tf.gather(weights, labels)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    torch_like = losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="mean_with_sample_weight"
    )
    return {
        # `fit(class_weight=…)` does the same.
        "default": loss(labels, logits, sample_weight=chosen),
        "over_sum_of_weights": torch_like(labels, logits, sample_weight=chosen),
        "over_batch_size": tf.reduce_mean(
            chosen * ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        ),
    }


def ignore_index(logits, labels):
    """Samples labelled −100 do not count, neither above nor below the line."""
    loss_of = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-100)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = loss_of(labels, logits)
    return {"loss": loss, "gradient": tape.gradient(loss, logits)}


def kl_divergence(p, q):
    """Σ p·log(p/q): takes p first, then q itself; the default mean divides by the samples."""
    with tf.GradientTape() as tape:
        tape.watch(q)
        loss = losses.KLDivergence()(p, q)
    return {
        "per_sample": loss,
        "gradient": tape.gradient(loss, q),
        "per_element": loss / p.shape[-1],
        "default": losses.KLDivergence()(p, q),
    }


def huber(output, target):
    """Quadratic up to δ, linear beyond; SmoothL1 is the same divided by δ."""
    with tf.GradientTape() as tape:
        tape.watch(output)
        loss = losses.Huber()(target, output)
    return {
        "huber": loss,
        "gradient": tape.gradient(loss, output),
        "huber_half": losses.Huber(delta=0.5)(target, output),
        "smooth_l1_half": losses.Huber(delta=0.5)(target, output) / 0.5,
    }
