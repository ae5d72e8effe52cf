"""Faults in Keras programs. Each function returns a context in which the fault is there."""

from unittest import mock

import keras
import tensorflow as tf

from parity.keras_side.optimizers import TorchAdam

from .plant_common import *  # noqa: F403
from .plant_common import replaced


def _optimizer(twin, optimizer):
    def compile_model(model):
        model.compile(optimizer=optimizer(), loss=twin.loss_fn)

    return replaced(twin, "compile_model", compile_model)


def learning_rate_1e6(framework, twin):
    return _optimizer(twin, lambda: keras.optimizers.Adam(1e-3 * (1 + 1e-6)))


def epsilon_placement(framework, twin):
    return _optimizer(twin, lambda: TorchAdam(1e-3, epsilon=1e-7))


def _loss(twin, loss_of):
    def train_step(model, optimizer, images, labels):
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(images, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    return replaced(twin, "train_step", train_step)


def _sparse(labels, logits):
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)


def label_smoothing(framework, twin):
    def smoothed(labels, logits):
        return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=1e-5)(
            keras.ops.one_hot(labels, 10), logits
        )

    return _loss(twin, smoothed)


def sum_instead_of_mean(framework, twin):
    def total(labels, logits):
        # Made here, not outside: a loss object keeps the precision that was set when it was made.
        summed = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
        return summed(labels, logits)

    return _loss(twin, total)


def nan_in_loss(framework, twin):
    return _loss(twin, lambda labels, logits: _sparse(labels, logits) * float("nan"))


def bfloat16_products(framework, twin):
    original = keras.layers.Dense.call

    def call(self, inputs, training=None):
        if self.compute_dtype == "float64":
            return original(self, inputs, training=training)
        product = tf.cast(inputs, tf.bfloat16) @ tf.cast(self.kernel, tf.bfloat16)
        return self.activation(tf.cast(product, tf.float32) + self.bias)

    return mock.patch.object(keras.layers.Dense, "call", call)
