"""Softmax regression on Fashion-MNIST: once from scratch, once with the API.

Twin: pytorch_impl/softmax_regression.py
Look at: `OwnDense` (a layer's weights are added in `build`; a module's parameters are attributes),
`own_sgd` (a variable is assigned to; nothing is tracked outside a tape), and `fit` against `train`.
Zeros are asked for: `add_weight` by itself draws any float weight, a bias too, as a `Dense` kernel.
"""

import keras
import tensorflow as tf
from keras import layers
from keras.losses import SparseCategoricalCrossentropy


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
    model = keras.Sequential()
    model.add(keras.Input((28, 28)))
    model.add(layers.Flatten(name="flatten"))
    model.add(OwnDense(10, name="logits"))
    return model


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


def own_loss_and_gradients(model, images, labels):
    """Mean cross-entropy of the batch, and its gradient for every parameter."""
    with tf.GradientTape() as tape:
        probabilities = own_softmax(model(images))
        loss = tf.reduce_mean(own_cross_entropy(probabilities, labels))
    return loss, tape.gradient(loss, model.trainable_variables)


def own_sgd(model):
    """w ← w − 0.1·g; outside a tape nothing is tracked."""

    def update(gradients):
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
            variable.assign_sub(0.1 * gradient)

    return update


def train_from_scratch(model, batches, optimizer):
    """One step a batch; yields the loss before each step."""

    @tf.function
    def step(images, labels):
        loss, gradients = own_loss_and_gradients(model, images, labels)
        optimizer(gradients)
        return loss

    for images, labels in batches:
        yield step(images, labels)


def own_evaluate(model, images, labels):
    """Probabilities ``(batch, 10)`` and mean cross-entropy."""
    probabilities = own_softmax(model(images))
    loss = tf.reduce_mean(own_cross_entropy(probabilities, labels))
    return probabilities, loss


def build_model():
    """The same with the framework's own dense layer."""
    model = keras.Sequential()
    model.add(keras.Input((28, 28)))
    model.add(layers.Flatten(name="flatten"))
    model.add(layers.Dense(10, name="logits"))
    return model


def sgd(model):
    """Stochastic gradient descent; the learning rate must be given, the defaults differ."""
    return keras.optimizers.SGD(learning_rate=0.1)


def loss_and_gradients(model, images, labels):
    """Mean cross-entropy from logits: softmax and logarithm in one, which cannot overflow."""
    with tf.GradientTape() as tape:
        loss = SparseCategoricalCrossentropy(from_logits=True)(labels, model(images))
    return loss, tape.gradient(loss, model.trainable_variables)


def fit(model, batches, optimizer, epochs, steps_per_epoch, callbacks):
    """The loop that Keras brings; `batches` is a `tf.data.Dataset`, which `fit` never shuffles."""
    model.compile(optimizer=optimizer, loss=SparseCategoricalCrossentropy(from_logits=True))
    model.fit(
        batches,
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        callbacks=callbacks,
        verbose=0,
    )


def evaluate(model, images, labels):
    """Probabilities ``(batch, 10)`` and mean cross-entropy."""
    logits = model(images)
    loss = SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    return keras.ops.softmax(logits, axis=1), loss
