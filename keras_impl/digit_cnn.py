"""A small convolutional network on MNIST digits, as a functional model.

Twin: pytorch_impl/digit_cnn.py
Look at: `build_model` (layers are called on a symbolic input once; there a subclass calls them in
`forward` every time), and padding (the word "same" here, a number of pixels there; for stride 1
they are equal).
"""

import keras
import tensorflow as tf
from keras import layers
from keras.losses import SparseCategoricalCrossentropy


def build_model():
    """Conv 5, pool, conv 10, pool, dense 10: ``(batch, 28, 28, 1)`` to logits ``(batch, 10)``."""
    images = keras.Input((28, 28, 1))
    x = layers.Conv2D(5, kernel_size=3, padding="same", name="conv1")(images)
    x = layers.ReLU(name="relu1")(x)
    x = layers.MaxPooling2D(2, name="pool1")(x)
    x = layers.Conv2D(10, kernel_size=3, padding="same", name="conv2")(x)
    x = layers.ReLU(name="relu2")(x)
    x = layers.MaxPooling2D(2, name="pool2")(x)
    x = layers.Flatten(name="flatten")(x)
    logits = layers.Dense(10, name="logits")(x)
    return keras.Model(images, logits)


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
