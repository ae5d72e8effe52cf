"""Convolutions and a classifier as two blocks of layers, one `Sequential` each, on MNIST.

Twin: pytorch_impl/sequential_cnn.py
Look at: `build_model` (a block is a layer like any other; it needs an input of its own to be built
at once), and where ReLU stands after pooling: maximum and ReLU may change places.
"""

import keras
import tensorflow as tf
from keras import layers
from keras.losses import SparseCategoricalCrossentropy


def build_model():
    """Features and classifier: ``(batch, 28, 28, 1)`` to logits ``(batch, 10)``."""
    features = keras.Sequential(name="features")
    features.add(keras.Input((28, 28, 1)))
    features.add(layers.Conv2D(5, kernel_size=3, padding="same", name="conv1"))
    features.add(layers.ReLU(name="relu1"))
    features.add(layers.Conv2D(10, kernel_size=3, padding="same", name="conv2"))
    features.add(layers.MaxPooling2D(2, name="pool"))
    features.add(layers.ReLU(name="relu2"))
    classifier = keras.Sequential(name="classifier")
    classifier.add(keras.Input((14, 14, 10)))
    classifier.add(layers.Flatten(name="flatten"))
    classifier.add(layers.Dense(1024, name="dense1"))
    classifier.add(layers.ReLU(name="relu1"))
    classifier.add(layers.Dense(2048, name="dense2"))
    classifier.add(layers.ReLU(name="relu2"))
    classifier.add(layers.Dense(10, name="logits"))
    model = keras.Sequential()
    model.add(keras.Input((28, 28, 1)))
    model.add(features)
    model.add(classifier)
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
