"""A convolutional network on Fashion-MNIST.

Twin: pytorch_impl/fashion_cnn.py
Look at: `build_model` (channels last, so the input is ``(batch, 28, 28, 1)``; sizes of inputs are
inferred; there they must be given to every layer), and `layers.Flatten`, which puts pixel by pixel
behind each other where PyTorch puts channel by channel.
"""

import keras
import tensorflow as tf
from keras import layers

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 64
EPOCHS = 5

loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build_model():
    """Conv 32, pool, conv 64, pool, dense 128, dense 10: ``(batch, 28, 28, 1)`` to logits."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, kernel_size=3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, kernel_size=3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10),
        ]
    )


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
    data = load("fashion_mnist", "available")
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
