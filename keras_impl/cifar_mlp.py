"""A perceptron on CIFAR-10 colour images, normalised channel by channel.

Twin: pytorch_impl/cifar_mlp.py
Look at: `layers.Flatten` (pixel by pixel here; red plane, green plane, blue plane there), which is
why the first kernel's rows stand in another order, though the model is the same.
"""

import keras
import tensorflow as tf
from keras import layers
from keras.losses import SparseCategoricalCrossentropy


def build_model():
    """Flatten, dense 500, ReLU, dense 10: ``(batch, 32, 32, 3)`` to logits ``(batch, 10)``."""
    model = keras.Sequential()
    model.add(keras.Input((32, 32, 3)))
    model.add(layers.Flatten(name="flatten"))
    model.add(layers.Dense(500, name="hidden"))
    model.add(layers.ReLU(name="relu"))
    model.add(layers.Dense(10, name="logits"))
    return model


def keras_adam(model):
    """Adam as Keras computes it; PyTorch's is another equation, see fashion_mlp."""
    return keras.optimizers.Adam(learning_rate=3e-4)


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


def evaluate(model, images, labels):
    """Probabilities ``(batch, 10)`` and mean cross-entropy, without tracking gradients."""
    logits = model(images, training=False)
    probabilities = keras.ops.softmax(logits, axis=1)
    loss = SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    return probabilities, loss
