"""Losses: how wrong a prediction is, as one number, and what its gradient says.

Twin: pytorch_impl/losses.py
Look at: what a loss takes (the truth first here, the prediction first there; probabilities here,
unless told; logits and class numbers there), what it divides by (`class_weights`,
`kl_divergence`), and `certain_and_wrong`, where clipping begins.
"""

import numpy as np
import tensorflow as tf
from keras import layers, losses, ops

from shared.plots import Plots


def show(title, results):
    """Print what an experiment found; tensors as rounded numbers."""
    print(f"\n{title}")
    for name, value in results.items():
        head = f"  {name}: "
        if ops.is_tensor(value):
            print(head + np.array2string(ops.convert_to_numpy(value), precision=4, prefix=head))
        else:
            print(head + str(value))


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
        "each": ops.square(target - output),
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


def cross_entropy(logits, label):
    """−log softmax(logits)[label]; its gradient is softmax − onehot."""
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)(label, logits)
    gradient = tape.gradient(loss, logits)
    return {"loss": loss, "gradient": gradient, "softmax": ops.softmax(logits)}


def as_objects(logits, one_logits, targets, labels):
    """A loss is made once, with its options, and then called; each has a function beside it."""
    cross_entropy = losses.SparseCategoricalCrossentropy(from_logits=True)
    binary = losses.BinaryCrossentropy()
    binary_from_logits = losses.BinaryCrossentropy(from_logits=True)
    probabilities = layers.Activation("sigmoid")(one_logits)  # a layer, the last one of a model
    each = losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    return {
        "cross_entropy": cross_entropy(labels, logits),
        "cross_entropy_function": ops.mean(each),  # functions give a loss a sample
        "sigmoid_and_binary": binary(targets, probabilities),
        "binary_from_logits": binary_from_logits(targets, one_logits),
        "binary_function": losses.binary_crossentropy(targets, probabilities),
    }


def logits_are_no_probabilities(logits):
    """They may be negative, and add up to anything: only their differences count."""
    probabilities = ops.softmax(logits)
    return {
        "sum_of_logits": ops.sum(logits),
        "smallest_logit": ops.min(logits),
        "probabilities": probabilities,
        "sum_of_probabilities": ops.sum(probabilities),
        "of_logits_plus_100": ops.softmax(logits + 100),
        "same_winner": bool(ops.argmax(logits) == ops.argmax(probabilities)),
        "every_logarithm_exists": bool(ops.all(ops.isfinite(ops.log(logits)))),
    }


def logits_or_probabilities(logits, labels):
    """One right way and two wrong ones: softmax twice, and logits taken for probabilities."""
    # Keras' own softmax leaves its logits on the tensor, and a loss takes them instead.
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
    onehot = ops.one_hot(label, probabilities.shape[-1], dtype=probabilities.dtype)
    normalised = probabilities / ops.sum(probabilities, axis=-1, keepdims=True)
    return {
        "default": losses.CategoricalCrossentropy()(onehot, probabilities),
        "normalised": losses.CategoricalCrossentropy()(onehot, normalised),
    }


def reductions(logits, labels):
    """A loss a sample, their sum, and their mean, which is the default."""
    each = losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)(labels, logits)
    total = losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")(labels, logits)
    mean = losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    return {"each": each, "sum": total, "mean": mean}


def soft_labels(logits, soft):
    """A probability for every class instead of one number: a loss of its own, without "sparse".

    It is smallest where the prediction is just as undecided, and is not 0 there.
    """
    loss_of = losses.CategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = loss_of(soft, logits)
    gradient = tape.gradient(loss, logits)
    return {"loss": loss, "gradient": gradient, "smallest": loss_of(soft, ops.log(soft))}


def label_smoothing(logits, labels):
    """Targets (1 − ε)·onehot + ε/K with ε = 0.1 and K classes; only for targets as vectors."""
    onehot = ops.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    smooth = losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = smooth(onehot, logits)
    return {"loss": loss, "gradient": tape.gradient(loss, logits)}


def class_weights(logits, weights, labels):
    """A weight a class: the mean divides by the batch size here, by the sum of weights there."""
    chosen = ops.take(weights, labels)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    torch_like = losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="mean_with_sample_weight"
    )
    return {
        # `fit(class_weight=…)` does the same.
        "default": loss(labels, logits, sample_weight=chosen),
        "over_sum_of_weights": torch_like(labels, logits, sample_weight=chosen),
        "over_batch_size": ops.mean(
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


def binary_cross_entropy(logits, targets):
    """−y·log σ(z) − (1 − y)·log(1 − σ(z)), from logits and from probabilities: one number."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        from_logits = losses.BinaryCrossentropy(from_logits=True)(targets, logits)
        from_probabilities = losses.BinaryCrossentropy()(targets, tf.sigmoid(logits))
    return {
        "from_logits": from_logits,
        "gradient": tape.gradient(from_logits, logits),
        "from_probabilities": from_probabilities,
        "gradient_through_sigmoid": tape.gradient(from_probabilities, logits),
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


def draw_losses(figure):
    """What a probability costs, what an error costs, and what a confident mistake costs."""
    figure.set_size_inches(12, 4)
    first, second, third = figure.subplots(1, 3)
    p = ops.linspace(0.005, 1, 200)
    first.plot(p, -ops.log(p))
    first.set(xlabel="probability of the true class", ylabel="loss", title="cross-entropy: −log p")

    error = ops.reshape(ops.linspace(-3.0, 3.0, 121), (-1, 1))  # the last axis is averaged over
    nothing = ops.zeros_like(error)
    second.plot(
        error, losses.MeanSquaredError(reduction=None)(nothing, error) / 2, label="½ squared"
    )
    second.plot(error, losses.Huber(reduction=None)(nothing, error), label="Huber")
    second.plot(error, losses.MeanAbsoluteError(reduction=None)(nothing, error), label="absolute")
    second.set(xlabel="error")
    second.legend()

    z = ops.reshape(ops.linspace(-120.0, 20.0, 281), (-1, 1))
    ones = ops.ones_like(z)
    from_logits = losses.BinaryCrossentropy(from_logits=True, reduction=None)(ones, z)
    # Keras' own sigmoid would leave its logits on the tensor, and the loss take them.
    through = losses.BinaryCrossentropy(reduction=None)(ones, tf.sigmoid(z))
    third.plot(z, from_logits, label="from logits")
    third.plot(z, through, "--", label="through a sigmoid")
    third.set(xlabel="logit of a true 1", title="binary cross-entropy")
    third.legend()


def main():
    """Every loss on a few numbers, in the order of this file."""
    plots = Plots(__file__)
    show(
        "Squared error",
        squared_error(tf.constant([[1.0, 2.0], [0.0, 3.0]]), tf.constant([[1.5, 2.0], [1.0, 1.0]])),
    )
    show("Huber", huber(tf.constant([-0.25, 0.75, 1.0, 3.5]), tf.constant([0.0, 0.0, 0.0, 1.0])))

    scores = [[3.2, 5.1, -1.7]]  # of three classes; the first one is the true one
    show("Cross-entropy", cross_entropy(tf.constant(scores), tf.constant([0])))
    logits = [[2.0, -1.0, 0.5, 0.0], [0.1, 0.2, 3.0, -2.0], [-1.0, 4.0, 0.0, 1.0]]
    one_logits, targets, labels = [-1.5, 0.25, 2.0], [0.0, 1.0, 1.0], [0, 2, 3]
    show(
        "Losses as objects and as functions",
        as_objects(*map(tf.constant, (logits, one_logits, targets)), tf.constant(labels)),
    )
    show("Why logits are no probabilities", logits_are_no_probabilities(tf.constant(scores)))
    show(
        "Which does the loss take?",
        logits_or_probabilities(tf.constant(logits), tf.constant(labels)),
    )
    show("Probabilities ¼ and ¼", not_normalised(tf.constant([[0.25, 0.25]]), tf.constant([0])))
    show("A loss a sample, sum, mean", reductions(tf.constant(logits), tf.constant(labels)))
    show("Soft labels", soft_labels(tf.constant(scores), tf.constant([[0.1, 0.2, 0.7]])))
    show("Labels smoothed", label_smoothing(tf.constant(logits), tf.constant(labels)))
    weights = tf.constant([0.5, 2.0, 1.0, 4.0])
    show("A weight a class", class_weights(tf.constant(logits), weights, tf.constant(labels)))
    show("Samples that do not count", ignore_index(tf.constant(logits), tf.constant([0, -100, 3])))

    show("Two classes", binary_cross_entropy(tf.constant(one_logits), tf.constant(targets)))
    show(
        "Certain, and wrong",
        certain_and_wrong(tf.constant([-40.0, 0.5]), tf.constant([1.0, 1.0]), tf.constant([0.0])),
    )
    p, q = (
        tf.constant([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]]),
        tf.constant([[0.3, 0.3, 0.4], [0.4, 0.4, 0.2]]),
    )
    show("Kullback-Leibler divergence", kl_divergence(p, q))

    plots.draw("curves", draw_losses)


if __name__ == "__main__":
    main()
