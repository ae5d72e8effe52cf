"""A network pretrained on one task and used for another: new head, frozen backbone, fine-tuning.

Twin: pytorch_impl/transfer_learning.py
Look at: `frozen_model`, because freezing is a flag on layers here and a frozen BatchNormalization
uses and keeps its moving statistics by itself; `half_frozen_model`, which freezes variables only;
and `replace_head`, where loading goes by order and layer. `compile` must be called again after a
flag has changed. Fine-tuning here trains BatchNormalization too; Keras' guide calls the backbone
with `training=False`, so that it stays in inference mode, whatever is trained.
"""

import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 25
EPOCHS = 20

loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def backbone():
    """Two blocks, ``(batch, 28, 28, 1)`` to ``(batch, 6, 6, 16)``; BatchNorm's β is the bias."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(8, kernel_size=5, strides=3, use_bias=False),
            layers.BatchNormalization(epsilon=1e-3, momentum=0.9),
            layers.Activation("silu"),
            layers.Conv2D(16, kernel_size=3, use_bias=False),
            layers.BatchNormalization(epsilon=1e-3, momentum=0.9),
            layers.Activation("silu"),
        ],
        name="backbone",
    )


def _classifier(classes=5):
    """A backbone and a head of its own, to logits ``(batch, classes)``."""
    return keras.Sequential(
        [keras.Input((28, 28, 1)), backbone(), layers.Flatten(), layers.Dense(classes, name="head")]
    )


def build_model():
    """Everything is trained: pretraining, fine-tuning, and from scratch."""
    return _classifier()


def frozen_model():
    """Feature extraction: only the head is trained."""
    model = _classifier()
    model.get_layer("backbone").trainable = False
    return model


def half_frozen_model():
    """A mistake: the variables are frozen, but BatchNormalization still trains on every batch."""
    model = _classifier()
    for variable in model.get_layer("backbone").variables:
        variable.trainable = False
    return model


def trained(model):
    """Variables that have a gradient."""
    return model.trainable_variables


def compile_model(model):
    """For a new head, or a whole network that knows nothing yet."""
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.1), loss=loss_fn, metrics=["accuracy"]
    )


def compile_gently(model):
    """For fine-tuning: small steps, so that what was learnt before is not thrown away."""
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.03), loss=loss_fn, metrics=["accuracy"]
    )


@tf.function
def train_step(model, optimizer, images, labels):
    """What `fit` does with one batch; the mean loss before it."""
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(gradients, model.trainable_variables)
    return loss


def predict(model, images):
    """Probabilities ``(batch, classes)``: softmax makes confidences of logits."""
    return keras.ops.softmax(model(images, training=False))


def counts():
    """How many numbers there are, and how many of them train."""
    return {
        "parameters": build_model().count_params(),
        "trained": sum(int(np.prod(v.shape)) for v in trained(build_model())),
        "trained_when_frozen": sum(int(np.prod(v.shape)) for v in trained(frozen_model())),
        "trained_when_half_frozen": sum(
            int(np.prod(v.shape)) for v in trained(half_frozen_model())
        ),
    }


def _equal(one, other):
    """Whether two models hold the same numbers, bit for bit, moving statistics included."""
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def save_and_load():
    """`.weights.h5` holds arrays by layer; `.keras` holds the layers too, and what was frozen."""
    model, fresh = frozen_model(), build_model()
    before = _equal(model, fresh)
    with tempfile.TemporaryDirectory() as folder:
        model.save_weights(Path(folder) / "model.weights.h5")
        model.save(Path(folder) / "model.keras")
        fresh.load_weights(Path(folder) / "model.weights.h5")
        other = keras.saving.load_model(Path(folder) / "model.keras")
    return {
        "arrays": len(model.get_weights()),
        "equal_before": before,
        "equal_after": _equal(model, fresh),
        "equal_from_other_format": _equal(model, other),
        "weights_remember_freezing": len(trained(fresh)) < len(trained(build_model())),
        "other_format_remembers_freezing": len(trained(other)) < len(trained(build_model())),
    }


def replace_head():
    """`skip_mismatch` leaves layers of another shape as they are, and says so in a warning."""
    source, target, same_size = _classifier(5), _classifier(3), _classifier(5)
    fresh = target.get_layer("head").get_weights()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it names the layer that was skipped
        path = Path(folder) / "source.weights.h5"
        source.save_weights(path)
        try:
            _classifier(3).load_weights(path)
            wrong_shape = "none"
        except ValueError as error:
            wrong_shape = type(error).__name__
        target.load_weights(path, skip_mismatch=True)
        same_size.load_weights(path)  # nothing complains: this head still knows the old classes
    head = target.get_layer("head")
    untouched = all(map(np.array_equal, fresh, head.get_weights()))
    return {
        "head_parameters": head.count_params(),
        "wrong_shape": wrong_shape,
        "backbone_loaded": _equal(source.get_layer("backbone"), target.get_layer("backbone")),
        "head_untouched": untouched,
        "stale_head_of_same_size": _equal(source.get_layer("head"), same_size.get_layer("head")),
    }


def _batch_norm(*weights):
    layer = layers.BatchNormalization(epsilon=1e-3, momentum=0.9)
    layer.build((None, None, None, 3))
    layer.set_weights(weights)
    return layer


def freeze_batch_norm(x, gamma, beta, mean, variance):
    """The flag on the layer stops gradients and statistics; flags on its variables do not."""
    frozen = _batch_norm(gamma, beta, mean, variance)
    weights_only = _batch_norm(gamma, beta, mean, variance)
    frozen.trainable = False
    for variable in weights_only.variables:
        variable.trainable = False
    y_frozen, y_weights_only = frozen(x, training=True), weights_only(x, training=True)
    moves = not bool(tf.reduce_all(frozen.moving_mean == mean))
    return {
        "y_frozen": y_frozen,
        "frozen_moves": moves,
        "y_weights_only": y_weights_only,
        "moving_mean_weights_only": weights_only.moving_mean.value,
        "moving_variance_weights_only": weights_only.moving_variance.value,
        "flag_alone_moves": moves,
    }


def models_of_keras():
    """`keras.applications`: a backbone without its top, 4 × 4 × 1024 numbers to 100 classes."""
    base = keras.applications.MobileNet(weights=None, include_top=False, input_shape=(128, 128, 3))
    logits = layers.Dense(100)(layers.Flatten()(base.output))
    return base.output.shape, keras.Model(base.input, logits).output.shape


def part_of(data, classes, samples):
    """Images and labels of these classes only, renumbered from 0; the first so many samples."""
    part = data.of_classes(classes).first(samples)
    train, test = (
        images.astype("float32")[..., None] / 255
        for images in (part.train_images, part.test_images)
    )
    return train, part.train_labels, (test, part.test_labels)


def main():
    """Pretrain on five kinds of garment; then 50 samples of five others, in three ways."""
    plots = Plots(__file__)
    keras.utils.set_random_seed(0)
    data = load("fashion_mnist", "available")
    print(data.describe())
    for name, value in counts().items():
        print(f"{name.replace('_', ' ')}: {value}")
    source = build_model()
    compile_model(source)
    images, labels, test = part_of(data, (0, 1, 2, 3, 4), 0)
    source.fit(images, labels, batch_size=BATCH_SIZE, epochs=1, verbose=0)
    print("pretrained: loss {:.4f}, accuracy {:.4f}".format(*source.evaluate(*test, verbose=0)))

    images, labels, test = part_of(data, (5, 6, 7, 8, 9), 50)
    learnt = source.get_layer("backbone").get_weights()
    found = {}
    for name, build, compile_it in (
        ("from scratch", build_model, compile_model),
        ("frozen backbone", frozen_model, compile_model),
        ("fine-tuned", build_model, compile_gently),
    ):
        model = build()
        if name != "from scratch":
            model.get_layer("backbone").set_weights(learnt)
        compile_it(model)
        found[name] = model.fit(
            images,
            labels,
            batch_size=BATCH_SIZE,
            epochs=EPOCHS,
            validation_data=test,
            verbose=0,
        ).history["val_accuracy"]
        print(f"{name}: accuracy {found[name][-1]:.4f} after {EPOCHS} epochs of 50 samples")
    print("keras.applications:", *models_of_keras())
    plots.curves("accuracy", found)


if __name__ == "__main__":
    main()
