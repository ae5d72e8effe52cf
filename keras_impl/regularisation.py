"""Over-fitting, and what is done against it: decay, dropout, batch normalisation, stopping early.

Twin: pytorch_impl/regularisation.py
Look at: `masked` (dropout is a product with a random mask; the rest is luck), `build_norm_model`
(momentum 0.1 here is 0.9 there, and the running variance another), `build_l2_model`
(`weight_decay` is decoupled in every optimizer here), and `make_callbacks` (a loop there).
"""

import keras
import tensorflow as tf
from keras import layers

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 50
EPOCHS = 30

DECAY = 2**-13  # about 0.0001, but a power of two: L2 rounds its factor to float32
PATIENCE = 1

loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def masked(x, kept):
    """What `Dropout` does once its mask is drawn: x · kept, which is 0 or 1 / (1 - rate)."""
    return x * kept


def dropout(x, mask):
    """The framework's dropout, whose mask is its own, and a product with a mask that is given."""
    builtin = layers.Dropout(0.5)
    many = tf.ones(1000, dtype=x.dtype)
    return {
        "masked": masked(x, mask),
        "possible": tf.sort(tf.unique(builtin(many, training=True)).y),
        "evaluated": builtin(x, training=False),
    }


def batch_norm(x):
    """Running statistics after one batch: the variance divides by n here, by n - 1 there."""
    norm = layers.BatchNormalization(epsilon=1e-5, momentum=0.1)
    return {
        "y": norm(x, training=True),
        "moving_mean": norm.moving_mean.value,
        "moving_variance": norm.moving_variance.value,
    }


def l2(w):
    """The penalty that adds w / 2 to the gradient, as ``weight_decay=0.5`` does: Σ w² / 4."""
    with tf.GradientTape() as tape:
        tape.watch(w)
        penalty = keras.regularizers.L2(0.5 / 2)(w)
    gradient = tape.gradient(penalty, w)
    return {"penalty": penalty, "gradient": gradient}


def build_model():
    """Flatten, dense 128, ReLU, dense 10: images ``(batch, 28, 28)`` to logits ``(batch, 10)``."""
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10),
        ]
    )


def build_l2_model():
    """With a penalty of DECAY / 2 · Σ w² in the loss, whose gradient is DECAY · w."""
    l2 = keras.regularizers.L2(DECAY / 2)
    penalty = {"kernel_regularizer": l2, "bias_regularizer": l2}
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(128, activation="relu", **penalty),
            layers.Dense(10, **penalty),
        ]
    )


def build_dropout_model():
    """With dropout before the last layer."""
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10),
        ]
    )


def build_norm_model():
    """With batch normalisation, which takes the mean away, and any bias with it."""
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(128, use_bias=False),
            layers.BatchNormalization(epsilon=1e-5, momentum=0.1),
            layers.ReLU(),
            layers.Dense(10),
        ]
    )


def compile_model(model):
    """Say once how to train; the loss is told that it gets logits."""
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=3e-4),
        loss=loss_fn,
        metrics=["accuracy"],
    )


def compile_adamw(model):
    """Decoupled: w shrinks by lr · DECAY · w beside the step, whatever the gradient."""
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=3e-4, weight_decay=DECAY),
        loss=loss_fn,
        metrics=["accuracy"],
    )


def compile_faster(model):
    """Over-fits sooner, so that stopping early has something to stop."""
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=1e-3), loss=loss_fn, metrics=["accuracy"]
    )


def make_callbacks():
    """Until PATIENCE epochs in a row are no better than the best; then back to its weights."""
    return [
        keras.callbacks.EarlyStopping(
            monitor="val_accuracy", mode="max", patience=PATIENCE, restore_best_weights=True
        )
    ]


@tf.function
def train_step(model, optimizer, images, labels):
    """What `fit` does with one batch; the mean loss before it."""
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels, logits)
        total = loss + sum(model.losses)  # the penalties of `kernel_regularizer`; `fit` adds them
    gradients = tape.gradient(total, model.trainable_variables)
    optimizer.apply(gradients, model.trainable_variables)
    return loss


def predict(model, images):
    """Probabilities ``(batch, 10)``: the model gives logits, softmax makes them confidences."""
    return keras.ops.softmax(model(images, training=False))


def main():
    """500 images learnt by heart, and what each remedy does about it."""
    plots = Plots(__file__)
    keras.utils.set_random_seed(0)
    data = load("fashion_mnist", "available", train=1000)
    print(data.describe())
    images = data.train_images.astype("float32") / 255

    def fit(model, **more):
        # `validation_split` takes the last part, before anything is shuffled.
        return model.fit(
            images,
            data.train_labels,
            batch_size=BATCH_SIZE,
            epochs=EPOCHS,
            validation_split=0.5,
            verbose=0,
            **more,
        ).history

    for name, build, compile_it in (
        ("nothing", build_model, compile_model),
        ("L2", build_l2_model, compile_model),
        ("decoupled decay", build_model, compile_adamw),
        ("dropout", build_dropout_model, compile_model),
        ("batch normalisation", build_norm_model, compile_model),
    ):
        model = build()
        compile_it(model)
        history = fit(model)
        print(f"{name}: loss {history['loss'][-1]:.4f} in training, ", end="")
        print(f"{history['val_loss'][-1]:.4f} held out")
        plots.curves(name, {what: history[what] for what in ("loss", "val_loss")}, y="loss")
    model = build_model()
    compile_faster(model)
    history = fit(model, callbacks=make_callbacks())
    print(f"stopped in time, after {len(history['loss'])} epochs: ", end="")
    print(f"accuracy {max(history['val_accuracy']):.4f} held out")


if __name__ == "__main__":
    main()
