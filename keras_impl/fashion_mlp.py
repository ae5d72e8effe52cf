"""A multi-layer perceptron on Fashion-MNIST, trained by GradientTape and by `compile`/`fit`.

Twin: pytorch_impl/fashion_mlp.py
Look at: `loss_and_gradients` (the tape returns gradients; there they are stored on the parameters
and must be cleared), `torch_adam` (the same word Adam is two equations), `train` (`step` is traced
once for each shape and type of its arguments, and Python in it, such as `print`, runs only then; a
variable may be made in the first trace alone, which is then done again, so `optimizer.build` makes
the slots before), and `fit` (the whole loop is one call here; there you write it).
"""

import keras
import tensorflow as tf
from keras import layers
from keras.losses import SparseCategoricalCrossentropy

from parity.keras_side.optimizers import TorchAdam


def build_model():
    """Flatten, Dense 128, ReLU, Dense 10: images ``(batch, 28, 28)`` to logits ``(batch, 10)``."""
    model = keras.Sequential()
    model.add(keras.Input((28, 28)))
    model.add(layers.Flatten(name="flatten"))
    model.add(layers.Dense(128, name="hidden"))
    model.add(layers.ReLU(name="relu"))
    model.add(layers.Dense(10, name="logits"))
    return model


def torch_adam(model):
    """Adam as PyTorch computes it: epsilon 1e-8, added after the bias correction."""
    return TorchAdam(learning_rate=1e-3)


def keras_adam(model):
    """Adam as Keras computes it: epsilon 1e-7, added before the bias correction."""
    return keras.optimizers.Adam(learning_rate=1e-3)


def loss_and_gradients(model, images, labels):
    """Mean cross-entropy of the batch, and its gradient for every parameter."""
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    return loss, gradients


def train(model, batches, optimizer):
    """One optimizer step a batch; yields the loss before each step."""
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(images, labels):
        loss, gradients = loss_and_gradients(model, images, labels)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    for images, labels in batches:
        yield step(images, labels)


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


def evaluate(model, images, labels):
    """Probabilities ``(batch, 10)`` and mean cross-entropy, without tracking gradients."""
    logits = model(images, training=False)
    probabilities = keras.ops.softmax(logits, axis=1)
    loss = SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    return probabilities, loss
