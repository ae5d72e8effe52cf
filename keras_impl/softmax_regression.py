"""Softmax regression on Fashion-MNIST: once from scratch, once with the API.

Twin: pytorch_impl/softmax_regression.py
Look at: `OwnDense` (a layer's weights are added in `build`; a module's parameters are attributes),
`OwnSGD` (a variable is assigned to; nothing is tracked outside a tape), and `compile_model`, behind
which `fit` does the rest. Zeros are asked for in `OwnDense`: `add_weight` by itself draws any float
weight, a bias too, as a `Dense` kernel.
"""

import keras
import tensorflow as tf
from keras import layers

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 256
EPOCHS = 10

loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


class OwnDense(layers.Layer):
    """x·W + b, with W as ``(in, out)``."""

    def __init__(self, outputs, **kwargs):
        super().__init__(**kwargs)
        self.outputs = outputs

    def build(self, input_shape):
        """Weights are made when the number of inputs is known."""
        shape = (input_shape[-1], self.outputs)
        self.kernel = self.add_weight(shape=shape, initializer="zeros", name="kernel")
        self.bias = self.add_weight(shape=(self.outputs,), initializer="zeros", name="bias")

    def call(self, x):
        """Rows ``(batch, in)`` to rows ``(batch, out)``."""
        return x @ self.kernel + self.bias


def build_own_model():
    """Images ``(batch, 28, 28)`` to logits ``(batch, 10)``, with a layer of our own."""
    return keras.Sequential([keras.Input((28, 28)), layers.Flatten(), OwnDense(10)])


def own_softmax(logits):
    """exp(x) / Σ exp(x), row by row."""
    powers = tf.exp(logits)
    return powers / tf.reduce_sum(powers, axis=1, keepdims=True)


def own_cross_entropy(probabilities, labels):
    """−log of the probability that each row gives to its label, ``(batch,)``."""
    chosen = tf.gather(probabilities, labels, batch_dims=1)
    return -tf.math.log(chosen)


def cross_entropy_of_two_rows(probabilities, labels):
    """What two rows lose by their labels."""
    return {"losses": own_cross_entropy(probabilities, labels)}


class OwnSGD:
    """What an optimizer is: w ← w − lr·g; outside a tape nothing is tracked."""

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate

    def apply(self, gradients, variables):
        """Down the slope."""
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.assign_sub(self.learning_rate * gradient)


def make_own_optimizer(model):
    """Ours, with the learning rate of `compile_model`."""
    return OwnSGD(learning_rate=0.1)


@tf.function
def own_train_step(model, optimizer, images, labels):
    """One step on one batch, with a softmax, a loss and an optimizer of our own."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(own_cross_entropy(own_softmax(model(images)), labels))
    optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
    return loss


def own_evaluate(model, batches):
    """Mean loss and accuracy."""
    total, correct, samples = 0.0, 0, 0
    for images, labels in batches:
        probabilities = own_softmax(model(images))
        total += float(tf.reduce_sum(own_cross_entropy(probabilities, labels)))
        right = tf.argmax(probabilities, axis=1) == tf.cast(labels, tf.int64)
        correct += int(tf.math.count_nonzero(right))
        samples += len(labels)
    return total / samples, correct / samples


def own_predict(model, images):
    """Probabilities ``(batch, 10)``."""
    return own_softmax(model(images))


def build_model():
    """The same with the framework's own dense layer; weights from N(0, 0.01²), biases zero."""
    normal = keras.initializers.RandomNormal(stddev=0.01)
    return keras.Sequential(
        [keras.Input((28, 28)), layers.Flatten(), layers.Dense(10, kernel_initializer=normal)]
    )


def compile_model(model):
    """Say once how to train; the loss is told that it gets logits."""
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.1),
        loss=loss_fn,
        metrics=["accuracy"],
    )


@tf.function
def train_step(model, optimizer, images, labels):
    """What `fit` does with one batch; the mean loss before it."""
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(gradients, model.trainable_variables)
    return loss


def predict(model, images):
    """Probabilities ``(batch, 10)``: the model gives logits, softmax makes them confidences."""
    return keras.ops.softmax(model(images, training=False))


class Accumulator:
    """Sums of several quantities over batches."""

    def __init__(self, count):
        self.sums = [0.0] * count

    def add(self, *values):
        """One batch."""
        self.sums = [total + float(value) for total, value in zip(self.sums, values, strict=True)]


def accuracy(probabilities, labels):
    """Number of right predictions in a batch."""
    right = tf.argmax(probabilities, axis=1) == tf.cast(labels, tf.int64)
    return tf.math.count_nonzero(right)


def evaluate_accuracy(predict, model, batches):
    """Share of right predictions, batch by batch."""
    found = Accumulator(2)
    for images, labels in batches:
        found.add(accuracy(predict(model, images), labels), len(labels))
    return found.sums[0] / found.sums[1]


def the_slip(x, kernel, bias):
    """softmax(XW + b), and the slip softmax(XW) + b, whose rows sum to 1 + Σ b."""
    right = own_softmax(x @ kernel + bias)
    wrong = own_softmax(x @ kernel) + bias
    return tf.reduce_sum(right, axis=1), tf.reduce_sum(wrong, axis=1)


def fit_by_hand(model, batches, plots):
    """Ten epochs with functions of our own; a figure grows with every epoch."""
    optimizer = make_own_optimizer(model)
    history = {"training loss": [], "training accuracy": [], "test accuracy": []}
    for epoch in range(1, EPOCHS + 1):
        found = Accumulator(2)
        for images, labels in batches[0]:
            found.add(own_train_step(model, optimizer, images, labels) * len(labels), len(labels))
        history["training loss"].append(found.sums[0] / found.sums[1])
        history["training accuracy"].append(evaluate_accuracy(own_predict, model, batches[0]))
        history["test accuracy"].append(evaluate_accuracy(own_predict, model, batches[1]))
        words = ", ".join(f"{what} {values[-1]:.4f}" for what, values in history.items())
        print(f"from scratch, epoch {epoch}: {words}")
        plots.curves("from scratch", history)


def main():
    """The same regression twice: with functions of our own, and with Keras'."""
    plots = Plots(__file__)
    keras.utils.set_random_seed(0)
    data = load("fashion_mnist", "available")
    print(data.describe())
    train_images = data.train_images.astype("float32") / 255
    test_images = data.test_images.astype("float32") / 255
    train = tf.data.Dataset.from_tensor_slices((train_images, data.train_labels))
    test = tf.data.Dataset.from_tensor_slices((test_images, data.test_labels))
    batches = train.shuffle(len(train_images)).batch(BATCH_SIZE), test.batch(BATCH_SIZE)

    own = build_own_model()
    own.layers[-1].kernel.assign(tf.random.normal((784, 10), stddev=0.01))
    fit_by_hand(own, batches, plots)
    model = build_model()
    compile_model(model)
    history = model.fit(
        train_images,
        data.train_labels,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        validation_data=(test_images, data.test_labels),
        verbose=2,
    )
    plots.curves("with the API", history.history)

    rows = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    right, wrong = the_slip(rows, tf.eye(2), tf.constant([0.5, 0.25]))
    print("rows of softmax(XW + b) sum to", right.numpy(), "of softmax(XW) + b to", wrong.numpy())
    best = keras.ops.convert_to_numpy(predict(model, test_images[:25])).argmax(axis=1)
    plots.gallery("predictions", data.test_images[:25], data.test_labels, data.class_names, best)


if __name__ == "__main__":
    main()
