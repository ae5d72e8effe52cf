"""Trainings with Keras' own defaults: `parity.native.running.Native`, function by function.

What a user's program would have: layers initialise themselves, `compile` and `fit` train and
shuffle, Adam is `keras.optimizers.Adam`, BatchNormalization and Dropout are `keras.layers`'.
"""

import importlib

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras.losses import BinaryCrossentropy, SparseCategoricalCrossentropy

from parity.core.sides import LESSON_PACKAGES
from parity.keras_side import named_weights, optimizers
from parity.keras_side.fast_path import LONGEST, Steps
from parity.keras_side.layers import TorchBatchNormalization
from parity.native.running import run_training
from parity.native.summary import Summary

WORTH_COMPILING = 5_000
"""Steps below which XLA takes longer to compile them than it saves."""


def train_setting(suite, framework, example, setting, *, seed, size, **more) -> Summary:
    """Train one setting of an example; `run_training` takes the rest."""
    twin = importlib.import_module(f"{LESSON_PACKAGES[framework.side]}.{example}")
    return run_training(
        suite, framework, Native(), twin, setting, example=example, seed=seed, size=size, **more
    )


class Native:
    """Keras' defaults."""

    def build(self, build, *, seed, initialiser, norm, dropout_seed):
        """A model whose layers have initialised themselves."""
        keras.utils.set_random_seed(seed)
        model = build()
        if initialiser == "other":
            keras.utils.set_random_seed(seed)
            for _, layer in named_weights.leaves(model):
                _as_torch(layer)
        if norm:
            model = _normalised(model, **norm)
        for _, layer in named_weights.leaves(model):
            if isinstance(layer, layers.Dropout):
                layer.seed_generator.state.assign((dropout_seed, 0))
        return model

    def optimizer(self, made, choice):
        """The optimizer of the twin's name and learning rate, as imported; or PyTorch's."""
        if choice == "matched":
            return made
        name = type(made).__name__.removeprefix("Torch")
        kind = getattr(keras.optimizers, name)
        if choice == "other":
            kind = getattr(optimizers, f"Torch{name}")
        return kind(learning_rate=made.get_config()["learning_rate"])

    def order(self, samples, epochs, seed, choice):
        """The permutation of a seeded `fit`, which is the same in every epoch; or new ones.

        The pipeline is that of Keras' adapter of arrays, so the numbers are those of `fit`.
        """
        rows = []
        for epoch in range(epochs):
            keras.utils.set_random_seed(seed + (epoch if choice == "other" else 0))
            pipeline = tf.data.Dataset.range(1).map(
                lambda _: tf.random.shuffle(tf.range(samples, dtype=tf.int64))
            )
            rows.append(next(iter(pipeline)).numpy())
        return np.stack(rows)

    def step(self, gradients, model, optimizer, *batch):
        """One step on one batch."""
        _, found = gradients(model, *batch)
        optimizer.apply(found, model.trainable_variables)

    def train(self, feed, model, optimizer):
        """All steps: by `fit`, or by the fast path."""
        return (_fit if feed.fit else _fast)(feed, model, optimizer)


def _fast(feed, model, optimizer):
    batches, losses = feed.batches, []
    images, labels = tf.constant(batches.everything), tf.constant(batches.labels)
    jit = feed.fast.jit and len(batches) >= WORTH_COMPILING
    steps = Steps(feed.program.loss_and_gradients, model, optimizer, images, labels, jit=jit)
    keras.utils.set_random_seed(feed.seed)
    for start, stop in batches.stretches({1}, LONGEST):
        masks = batches.masks(start, stop) if feed.masked else []
        order = tf.constant(np.stack(batches.order[start:stop]))
        losses.append(steps(order, [tf.constant(mask) for mask in masks]).numpy())
        if start == 0:
            feed.on_first()
        feed.progress(stop, len(batches))
    return feed.epoch_losses(np.concatenate(losses))


def _fit(feed, model, optimizer):
    """`compile` and `fit`; on arrays where it shuffles itself, else on batches in their order."""
    batches = feed.batches
    images, labels = batches.everything, batches.labels
    loss, labels = _loss(model, labels)
    trained = model
    if feed.masked:
        trained = feed.program.with_masks(model)
    trained.compile(optimizer=optimizer, loss=loss)
    given = {"callbacks": [_Follow(feed)], "epochs": batches.epochs, "verbose": 0}
    keras.utils.set_random_seed(feed.seed)
    if feed.shuffles and not feed.masked:
        size = len(batches.order[0])
        told = trained.fit(images[feed.kept], labels[feed.kept], batch_size=size, **given)
    else:
        steps = batches.steps_per_epoch
        given |= {"steps_per_epoch": steps, "shuffle": False}
        told = trained.fit(_dataset(feed, images, labels), **given)
    return [float(value) for value in told.history["loss"]]


def _loss(model, labels):
    """The usual loss for this many outputs, and the labels as it takes them."""
    if hasattr(model, "outputs") and model.outputs[0].shape[-1] == 1:
        return BinaryCrossentropy(from_logits=True), labels[:, None]
    return SparseCategoricalCrossentropy(from_logits=True), labels


def _dataset(feed, images, labels):
    batches = feed.batches

    def arrays():
        for step, chosen in enumerate(batches.order):
            masks = [m[0] for m in batches.masks(step, step + 1)] if feed.masked else []
            given = (images[chosen], *masks)
            yield (given if masks else given[0]), labels[chosen]

    masks = batches.training.masks if feed.masked else ()
    specs = [tf.TensorSpec((None, *images.shape[1:]), tf.float32)]
    specs += [tf.TensorSpec((None, *mask.shape), tf.float32) for mask in masks]
    truth = tf.TensorSpec((None, *labels.shape[1:]), tf.int64)
    inputs = tuple(specs) if masks else specs[0]
    return tf.data.Dataset.from_generator(arrays, output_signature=(inputs, truth))


class _Follow(keras.callbacks.Callback):
    """Tells of the first step and of every epoch."""

    def __init__(self, feed):
        super().__init__()
        self._feed, self._steps = feed, 0

    def on_train_batch_end(self, batch, logs=None):
        self._steps += 1
        if self._steps == 1:
            self._feed.on_first()

    def on_epoch_end(self, epoch, logs=None):
        self._feed.progress(self._steps, len(self._feed.batches))


def _as_torch(layer):
    """Kernel and bias uniform within 1 / √fan_in."""
    if isinstance(layer, layers.Dense | layers.Conv2D):
        bound = float(np.prod(layer.kernel.shape[:-1])) ** -0.5
        for variable in layer.weights:
            drawn = keras.random.uniform(variable.shape, -bound, bound)
            variable.assign(drawn)


def _normalised(model, epsilon=None, momentum=None, unbiased=None):
    """The same model and weights; every BatchNormalization with other settings."""

    def other(layer):
        if not isinstance(layer, layers.BatchNormalization):
            return type(layer).from_config(layer.get_config())
        config = layer.get_config()
        if epsilon is not None:
            config["epsilon"] = epsilon
        if momentum is not None:
            config["momentum"] = 1 - momentum
        kind = type(layer)
        if unbiased is not None:
            kind = TorchBatchNormalization if unbiased else layers.BatchNormalization
        return kind.from_config(config)

    made = keras.models.clone_model(model, clone_function=other, recursive=True)
    made.set_weights(model.get_weights())
    return made
