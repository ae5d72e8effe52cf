"""A deep perceptron with batch normalisation on Iris.

Twin: pytorch_impl/iris_mlp.py
Look at: the normalisation layers (momentum is the weight of the *old* statistics here and of the
new ones there; the default epsilon here is 100 times larger; the running variance is biased here,
unbiased in PyTorch's own layer), and `evaluate`, where the running statistics are used.
"""

import math

import keras
import tensorflow as tf
from keras import layers
from keras.losses import SparseCategoricalCrossentropy


def build_model():
    """4-128-64-32-16-3: rows ``(batch, 4)`` to logits ``(batch, 3)``; 16 trainable variables."""
    model = keras.Sequential()
    model.add(keras.Input((4,)))
    model.add(layers.Dense(128, name="dense1"))
    model.add(layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name="norm1"))
    model.add(layers.ReLU(name="relu1"))
    model.add(layers.Dense(64, name="dense2"))
    model.add(layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name="norm2"))
    model.add(layers.ReLU(name="relu2"))
    model.add(layers.Dense(32, name="dense3"))
    model.add(layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name="norm3"))
    model.add(layers.ReLU(name="relu3"))
    model.add(layers.Dense(16, name="dense4"))
    model.add(layers.ReLU(name="relu4"))
    model.add(layers.Dense(3, name="logits"))
    return model


def count_parameters():
    """16 trainable variables: five kernels, five biases, three pairs of scale and shift."""
    variables = build_model().trainable_variables
    return {
        "tensors": len(variables),
        "numbers": sum(math.prod(v.shape) for v in variables),
        "first": tuple(variables[0].shape),
    }


def sgd(model):
    """Stochastic gradient descent, the same equation on both sides."""
    return keras.optimizers.SGD(learning_rate=0.001)


def loss_and_gradients(model, rows, labels):
    """Mean cross-entropy of the batch, and its gradient for every parameter."""
    with tf.GradientTape() as tape:
        logits = model(rows, training=True)
        loss = SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    return loss, gradients


def train(model, batches, optimizer):
    """One optimizer step a batch; yields the loss before each step."""
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(rows, labels):
        loss, gradients = loss_and_gradients(model, rows, labels)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    for rows, labels in batches:
        yield step(rows, labels)


def fit(model, batches, optimizer, epochs, steps_per_epoch, callbacks):
    """The same in Keras' own loop; `batches` is a `tf.data.Dataset`, which `fit` never shuffles."""
    model.compile(optimizer=optimizer, loss=SparseCategoricalCrossentropy(from_logits=True))
    model.fit(
        batches,
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        callbacks=callbacks,
        verbose=0,
    )


def evaluate(model, rows, labels):
    """Probabilities ``(batch, 3)`` and mean cross-entropy, with the running statistics."""
    logits = model(rows, training=False)
    probabilities = keras.ops.softmax(logits, axis=1)
    loss = SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    return probabilities, loss
