"""Zero or one: a convolutional network with a single output.

Twin: pytorch_impl/binary_cnn.py
Look at: `loss_and_gradients` (the loss expects probabilities unless told that these are logits, and
casts labels itself; there they must be floats), and `evaluate`, where the sigmoid is.
"""

import keras
import tensorflow as tf
from keras import layers
from keras.losses import BinaryCrossentropy


def build_model():
    """Conv 16 5×5, ReLU, pool, one dense unit: ``(batch, 28, 28, 1)`` to logits ``(batch, 1)``."""
    model = keras.Sequential()
    model.add(keras.Input((28, 28, 1)))
    model.add(layers.Conv2D(16, kernel_size=5, name="conv"))
    model.add(layers.ReLU(name="relu"))
    model.add(layers.MaxPooling2D(2, name="pool"))
    model.add(layers.Flatten(name="flatten"))
    model.add(layers.Dense(1, name="logit"))
    return model


def keras_adam(model):
    """Adam as Keras computes it; PyTorch's is another equation, see fashion_mlp."""
    return keras.optimizers.Adam(learning_rate=1e-3)


def loss_and_gradients(model, images, labels):
    """Mean binary cross-entropy of the batch, and its gradient for every parameter."""
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = BinaryCrossentropy(from_logits=True)(labels[:, None], logits)
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
    """Probability of a one ``(batch, 1)`` and mean binary cross-entropy."""
    logits = model(images, training=False)
    probabilities = keras.ops.sigmoid(logits)
    loss = BinaryCrossentropy(from_logits=True)(labels[:, None], logits)
    return probabilities, loss
