"""The perceptron: gates by hand, gates by the perceptron rule, and XOR, which needs two layers.

Twin: pytorch_impl/perceptron.py
Look at: `fires` (a comparison gives bool, which has to become a number again), `perceptron_loss`
(its gradient is the perceptron rule's step, but on the line), and `xor_learnt`: the optimizer here
is handed gradients and variables, there it keeps the parameters and reads their `.grad`.
"""

import keras
import tensorflow as tf

RATE = 0.25  # ρ, a power of two: with weights to match every step is exact


def fires(weighted):
    """The step function: 1 above the threshold, 0 on it and below."""
    return tf.cast(weighted > 0, weighted.dtype)


def _with_one(points):
    """A column of ones in front: its weight is the bias."""
    return tf.concat([tf.ones_like(points[:, :1]), points], axis=1)


def gates_with_constants(points):
    """A neuron fires when its weighted sum is above θ; three sets of constants, three gates."""
    x1, x2 = points[:, 0], points[:, 1]
    weighted = 0.5 * x1 + 0.5 * x2
    return {
        "weighted": weighted,
        "and": fires(weighted - 0.7),
        "nand": fires(-weighted + 0.7),
        "or": fires(weighted - 0.2),
    }


def gates_as_vectors(points, weights, biases):
    """The same as one layer of three neurons, with b = −θ: columns AND, NAND, OR."""
    weighted = points @ weights + biases
    return {"weighted": weighted, "truth": fires(weighted)}


def decision_line(points, weights, biases):
    """Where w₁x₁ + w₂x₂ + b = 0: x₂ = slope·x₁ + intercept, and each point's distance from it."""
    distances = (points @ weights + biases) / tf.norm(weights, axis=0)
    return {
        "slope": -weights[0] / weights[1],
        "intercept": -biases / weights[1],
        "distances": distances,
    }


def perceptron_loss(points, labels, weights):
    """Σ max(0, −y·w·x): its gradient is −Σ y·x over the misclassified, the perceptron rule's step.

    But for points on the line itself: the rule counts them as wrong, their gradient here is 0.
    """
    with tf.GradientTape() as tape:
        tape.watch(weights)
        loss = tf.reduce_sum(tf.nn.relu(-labels * (_with_one(points) @ weights)))
    return {"loss": loss, "gradient": tape.gradient(loss, weights)}


def _rounds(points, labels, weights, most):
    """w ← w + ρ·Σ yₖ·xₖ over the misclassified, until none is left or for so many rounds.

    The perceptron rule. It is often called the delta rule, but that is Widrow's and Hoff's, which
    steps by how far w·x is from y, for every point.
    """
    samples = _with_one(points)
    history, mistakes = [weights], []
    for _ in range(most):
        wrong = labels * (samples @ weights) <= 0  # on the line counts as wrong
        mistakes.append(tf.math.count_nonzero(wrong, axis=0))
        if not tf.reduce_any(wrong):
            break
        weights = weights + RATE * tf.transpose(samples) @ tf.where(wrong, labels, 0)
        history.append(weights)
    return tf.stack(history), tf.stack(mistakes), fires(samples @ weights)


def perceptron_rule(points, labels, weights):
    """Three neurons learn AND, NAND and OR from labels ±1; rows of `weights`: bias, w₁, w₂."""
    history, mistakes, truth = _rounds(points, labels, weights, most=100)
    return {
        "weights": history,
        "mistakes": mistakes,
        "learnt_after": len(history) - 1,
        "learnt": history[-1],
        "truth": truth,
    }


def xor_by_one_layer(points, labels, weights):
    """No line parts XOR: the weights come back to where they were, so they would for ever."""
    history, mistakes, truth = _rounds(points, labels, weights, most=12)
    seen = [tuple(row[:, 0].numpy().tolist()) for row in history]
    again = next(step for step, row in enumerate(seen) if row in seen[:step])
    return {
        "weights": history,
        "mistakes": mistakes,
        "truth": truth,
        "weights_of_step": seen.index(seen[again]),
        "come_back_at_step": again,
    }


def xor_by_two_layers(points, hidden_weights, hidden_biases, output_weights, output_bias):
    """XOR is what OR and NAND have in common: AND on top of the two."""
    hidden = fires(points @ hidden_weights + hidden_biases)
    weighted = tf.linalg.matvec(hidden, output_weights) + output_bias  # `@` wants matrices
    return {"hidden": hidden, "truth": fires(weighted)}


def xor_learnt(points, targets, hidden_kernel, hidden_bias, output_kernel, output_bias):
    """Two layers learn XOR by gradient descent once the step is a smooth one: tanh, then σ."""
    start = (hidden_kernel, hidden_bias, output_kernel, output_bias)
    parameters = [keras.Variable(value) for value in start]  # a tensor cannot be updated
    hidden_kernel, hidden_bias, output_kernel, output_bias = parameters
    optimizer = keras.optimizers.SGD(learning_rate=1.0)
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    losses, probabilities = [], []
    for _ in range(100):
        with tf.GradientTape() as tape:
            hidden = tf.tanh(points @ hidden_kernel + hidden_bias)
            logits = hidden @ output_kernel + output_bias
            loss = cross_entropy(targets, logits)
        gradients = tape.gradient(loss, parameters)
        optimizer.apply(gradients, parameters)
        losses.append(loss)
        probabilities.append(tf.sigmoid(logits[:, 0]))
    return {
        "losses": tf.stack(losses),
        "probabilities": tf.stack(probabilities),
        "at_the_end": probabilities[-1],
        "truth": fires(logits[:, 0]),
        "hidden_kernel": hidden_kernel,
        "hidden_bias": hidden_bias,
        "output_kernel": output_kernel,
        "output_bias": output_bias,
    }
