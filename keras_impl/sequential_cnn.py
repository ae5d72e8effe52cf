"""Convolutions and a classifier as two blocks of layers, one `Sequential` each, on MNIST.

Twin: pytorch_impl/sequential_cnn.py
Look at: `build_model` (a block is a layer like any other; it needs an input of its own to be built
at once), and where ReLU stands after pooling: maximum and ReLU may change places.
"""

import keras
import tensorflow as tf
from keras import layers

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 64
EPOCHS = 3

loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build_model():
    """Features and classifier: ``(batch, 28, 28, 1)`` to logits ``(batch, 10)``."""
    features = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(5, kernel_size=3, padding="same", activation="relu"),
            layers.Conv2D(10, kernel_size=3, padding="same"),
            layers.MaxPooling2D(2),
            layers.ReLU(),
        ]
    )
    classifier = keras.Sequential(
        [
            keras.Input((14, 14, 10)),
            layers.Flatten(),
            layers.Dense(1024, activation="relu"),
            layers.Dense(2048, activation="relu"),
            layers.Dense(10),
        ]
    )
    return keras.Sequential([keras.Input((28, 28, 1)), features, classifier])


def compile_model(model):
    """Say once how to train; the loss is told that it gets logits."""
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=1e-3),
        loss=loss_fn,
        metrics=["accuracy"],
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
    """Probabilities ``(batch, 10)``: the model gives logits, softmax makes them confidences."""
    return keras.ops.softmax(model(images, training=False))


def loop_by_hand(images, labels):
    """Three steps of what `fit` does, on batches of a `tf.data.Dataset`; their losses."""
    model = build_model()
    compile_model(model)
    model.optimizer.build(model.trainable_variables)  # a traced step may make no variables
    batches = tf.data.Dataset.from_tensor_slices((images, labels))
    batches = batches.shuffle(len(images)).batch(BATCH_SIZE)
    return [float(train_step(model, model.optimizer, *batch)) for batch in batches.take(3)]


def main():
    """Images with a channel, training, and what the network makes of 25 images."""
    plots = Plots(__file__)
    keras.utils.set_random_seed(0)
    data = load("mnist", "available")
    print(data.describe())
    # One channel, behind: (n, 28, 28) to (n, 28, 28, 1).
    train_images = data.train_images.astype("float32")[..., None] / 255
    test_images = data.test_images.astype("float32")[..., None] / 255

    model = build_model()
    model.summary()
    compile_model(model)
    history = model.fit(
        train_images,
        data.train_labels,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        validation_data=(test_images, data.test_labels),
        verbose=2,
    )
    print("three steps by hand:", loop_by_hand(train_images, data.train_labels))
    best = keras.ops.convert_to_numpy(predict(model, test_images[:25])).argmax(axis=1)
    plots.gallery("predictions", data.test_images[:25], data.test_labels, data.class_names, best)
    plots.curves("training", history.history)


if __name__ == "__main__":
    main()
