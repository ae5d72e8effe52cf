"""A convolutional network on Fashion-MNIST.

Twin: pytorch_impl/fashion_cnn.py
Look at: `build_model` (channels last, so the input is ``(batch, 28, 28, 1)``; sizes of inputs are
inferred; there they must be given to every layer), and `layers.Flatten`, which puts pixel by pixel
behind each other where PyTorch puts channel by channel.
"""

import keras
import tensorflow as tf
from keras import layers
from keras.losses import SparseCategoricalCrossentropy


def build_model():
    """Conv 32, pool, conv 64, pool, dense 128, dense 10: ``(batch, 28, 28, 1)`` to logits."""
    model = keras.Sequential()
    model.add(keras.Input((28, 28, 1)))
    model.add(layers.Conv2D(32, kernel_size=3, name="conv1"))
    model.add(layers.ReLU(name="relu1"))
    model.add(layers.MaxPooling2D(2, name="pool1"))
    model.add(layers.Conv2D(64, kernel_size=3, name="conv2"))
    model.add(layers.ReLU(name="relu2"))
    model.add(layers.MaxPooling2D(2, name="pool2"))
    model.add(layers.Flatten(name="flatten"))
    model.add(layers.Dense(128, name="hidden"))
    model.add(layers.ReLU(name="relu3"))
    model.add(layers.Dense(10, name="logits"))
    return model


def keras_adam(model):
    """Adam as Keras computes it; PyTorch's is another equation, see fashion_mlp."""
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


def evaluate(model, images, labels):
    """Probabilities ``(batch, 10)`` and mean cross-entropy, without tracking gradients."""
    logits = model(images, training=False)
    probabilities = keras.ops.softmax(logits, axis=1)
    loss = SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    return probabilities, loss
