"""Over-fitting, and what is done against it: decay, dropout, batch normalisation, stopping early.

Twin: pytorch_impl/regularisation.py
Look at: `MaskedDropout` (dropout is a product with a random mask; the rest is luck),
`build_biased_model` (momentum 0.1 here is 0.9 there, and the running variance another), `adam_l2`
(`weight_decay` is decoupled in every optimizer here), and `fit_and_stop` (a loop there).
"""

import keras
import tensorflow as tf
from keras import layers
from keras.losses import SparseCategoricalCrossentropy

from parity.keras_side.layers import TorchBatchNormalization
from parity.keras_side.optimizers import TorchAdam, TorchAdamW

DECAY = 1e-4
PATIENCE = 1


class MaskedDropout(layers.Layer):
    """`layers.Dropout` with the luck from outside: x · kept, which is 0 or 1 / (1 - rate)."""

    def call(self, x, kept=None):  # an argument named mask would be about padding
        """``(batch, n)`` and a mask of that shape; without one, as in evaluation, x itself."""
        return x if kept is None else x * kept


def dropout(x, mask):
    """The framework's dropout, whose mask is its own, and ours, whose mask is given."""
    ours, builtin = MaskedDropout(), layers.Dropout(0.5)
    many = tf.ones(1000, dtype=x.dtype)
    return {
        "masked": ours(x, mask),
        "possible": tf.sort(tf.unique(builtin(many, training=True)).y),
        "evaluated": builtin(x, training=False),
    }


def batch_norm(x):
    """Running statistics after one batch: the framework's, and what the bridge makes of them."""
    norm, bridge = (
        kind(epsilon=1e-5, momentum=0.1)
        for kind in (layers.BatchNormalization, TorchBatchNormalization)
    )
    y, same = norm(x, training=True), bridge(x, training=True)
    return {
        "y": y,
        "y_of_bridge": same,
        "moving_mean": norm.moving_mean.value,
        "moving_variance": norm.moving_variance.value,
        "moving_variance_of_bridge": bridge.moving_variance.value,
    }


def l2(w):
    """The penalty that adds w / 2 to the gradient, as ``weight_decay=0.5`` does: Σ w² / 4."""
    with tf.GradientTape() as tape:
        tape.watch(w)
        penalty = keras.regularizers.L2(0.5 / 2)(w)
    gradient = tape.gradient(penalty, w)
    return {"penalty": penalty, "gradient": gradient}


def _stack(*between):
    """Dense 128, what is given, dense 10: images ``(batch, 28, 28)`` to logits ``(batch, 10)``."""
    model = keras.Sequential()
    model.add(keras.Input((28, 28)))
    model.add(layers.Flatten(name="flatten"))
    # Batch normalisation takes the mean away, and any bias with it.
    model.add(layers.Dense(128, use_bias=not between, name="hidden"))
    for norm in between:
        model.add(norm)
    model.add(layers.ReLU(name="relu"))
    model.add(layers.Dense(10, name="logits"))
    return model


def build_model():
    """Flatten, dense 128, ReLU, dense 10."""
    return _stack()


def build_biased_model():
    """With batch normalisation whose running variance is Keras': divided by n."""
    return _stack(layers.BatchNormalization(epsilon=1e-5, momentum=0.1, name="norm"))


def build_unbiased_model():
    """With batch normalisation whose running variance is PyTorch's: divided by n - 1."""
    return _stack(TorchBatchNormalization(epsilon=1e-5, momentum=0.1, name="norm"))


class DropoutNet(keras.Model):
    """The same layers with dropout before the last; the mask comes with the images."""

    def __init__(self):
        super().__init__()
        self.flatten = layers.Flatten(name="flatten")
        self.hidden = layers.Dense(128, name="hidden")
        self.relu = layers.ReLU(name="relu")
        self.dropout = MaskedDropout(name="dropout")
        self.logits = layers.Dense(10, name="logits")

    def call(self, images, kept=None):
        """Images ``(batch, 28, 28)`` to logits ``(batch, 10)``."""
        hidden = self.relu(self.hidden(self.flatten(images)))
        return self.logits(self.dropout(hidden, kept))


def build_dropout_model():
    """Flatten, dense 128, ReLU, dropout, dense 10."""
    model = DropoutNet()
    model(keras.Input((28, 28)))  # makes the weights; a `Sequential` has them from the start
    return model


def adam(model):
    """Adam without any decay."""
    return TorchAdam(learning_rate=3e-4)


def adam_l2(model):
    """Coupled: DECAY · w joins the gradient, so Adam divides it by the gradient's size."""
    return TorchAdam(learning_rate=3e-4, l2=DECAY)


def adam_decoupled(model):
    """Decoupled: w shrinks by lr · DECAY · w beside the step, whatever the gradient."""
    return TorchAdamW(learning_rate=3e-4, decay=DECAY)


def faster_adam(model):
    """Over-fits sooner, so that stopping early has something to stop."""
    return TorchAdam(learning_rate=1e-3)


def loss_and_gradients(model, images, labels, *masks):
    """Mean cross-entropy of the batch, and its gradient for every parameter."""
    with tf.GradientTape() as tape:
        logits = model(images, *masks, training=True)
        loss = SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    return loss, gradients


def train(model, batches, optimizer):
    """One optimizer step a batch; yields the loss before each step."""
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(images, labels, *masks):
        loss, gradients = loss_and_gradients(model, images, labels, *masks)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    for images, labels, *masks in batches:
        yield step(images, labels, *masks)


def fit_and_stop(model, batches, optimizer, validation, epochs, steps_per_epoch, callbacks):
    """Until PATIENCE epochs in a row are no better than the best; then back to its weights.

    `batches` is a `tf.data.Dataset`, which `fit` never shuffles.
    """
    stopping = keras.callbacks.EarlyStopping(
        monitor="val_accuracy", mode="max", patience=PATIENCE, restore_best_weights=True
    )
    loss = SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    model.fit(
        batches,
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        validation_data=validation,
        callbacks=[*callbacks, stopping],
        verbose=0,
    )


def evaluate(model, images, labels):
    """Probabilities ``(batch, 10)`` and mean cross-entropy: no mask, running statistics."""
    logits = model(images, training=False)
    probabilities = keras.ops.softmax(logits, axis=1)
    loss = SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    return probabilities, loss
