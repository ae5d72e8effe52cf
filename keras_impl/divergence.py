"""How long two equal programs stay equal: a network with batch normalisation on CIFAR-10.

Twin: pytorch_impl/divergence.py
Look at: `build_model` (epsilon and momentum are given, because both defaults are other than
PyTorch's; momentum is the weight of the *old* here), and the convolutions, which have no bias: the
normalisation behind them would subtract it, so its true gradient is zero and it would wander.
"""

import keras
import tensorflow as tf
from keras import layers
from keras.losses import SparseCategoricalCrossentropy


def build_model():
    """Four blocks 32-64-128-256, global average, dense 128, dense 10: images to logits."""
    model = keras.Sequential()
    model.add(keras.Input((32, 32, 3)))
    for block, outputs in enumerate([32, 64, 128, 256], 1):
        convolution = layers.Conv2D(outputs, 3, padding="same", use_bias=False, name=f"conv{block}")
        model.add(convolution)
        model.add(layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name=f"norm{block}"))
        model.add(layers.ReLU(name=f"relu{block}"))
        if block < 4:
            model.add(layers.MaxPooling2D(2, name=f"pool{block}"))
    model.add(layers.GlobalAveragePooling2D(keepdims=True, name="average"))
    model.add(layers.Flatten(name="flatten"))
    model.add(layers.Dense(128, name="hidden"))
    model.add(layers.ReLU(name="relu"))
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
    """Probabilities ``(batch, 10)`` and mean cross-entropy, with the running statistics."""
    logits = model(images, training=False)
    probabilities = keras.ops.softmax(logits, axis=1)
    loss = SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    return probabilities, loss
