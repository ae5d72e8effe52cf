"""Zero or one: a convolutional network with a single output.

Twin: pytorch_impl/binary_cnn.py
Look at: `loss_fn` (it expects probabilities unless told that these are logits, and casts labels
itself; there they must be floats), `predict`, where the sigmoid is, and `main`, where TensorFlow
puts everything on the device by itself.
"""

import tempfile
from pathlib import Path

import keras
import tensorflow as tf
from keras import layers

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 128
EPOCHS = 5

loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)


def build_model():
    """Conv 16 5×5, ReLU, pool, one dense unit: ``(batch, 28, 28, 1)`` to logits ``(batch, 1)``."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, kernel_size=5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


def compile_model(model):
    """Say once how to train; the loss is told that it gets logits."""
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=1e-3),
        loss=loss_fn,
        metrics=[keras.metrics.BinaryAccuracy("accuracy", threshold=0)],  # of logits
    )


@tf.function
def train_step(model, optimizer, images, labels):
    """What `fit` does with one batch; the mean loss before it."""
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = loss_fn(labels[:, None], logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(gradients, model.trainable_variables)
    return loss


def predict(model, images):
    """Probability of a one ``(batch, 1)``: the sigmoid of the logit."""
    return keras.ops.sigmoid(model(images, training=False))


def older_model(width):
    """What came before convolutions: 784 pixels, a few hidden units (2, 30, 256), one output."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(width, activation="relu"),
            layers.Dense(1),
        ]
    )


def shapes(model, images):
    """Name and output shape of every layer, for a batch of images."""
    found = [("input", tuple(images.shape))]
    for layer in model.layers:
        images = layer(images)
        found.append((type(layer).__name__, tuple(images.shape)))
    return found


def sigmoid_and_bce(logits, labels):
    """Probabilities with `BinaryCrossentropy()`, and logits with ``from_logits=True``: one loss."""
    truth = labels[:, None]
    of_probabilities = keras.losses.BinaryCrossentropy()
    return of_probabilities(truth, keras.ops.sigmoid(logits)), loss_fn(truth, logits)


def images_from_files(images):
    """Write images as PNG files, read them again, and stack them: ``(n, 28, 28, 1)`` bytes."""
    with tempfile.TemporaryDirectory() as folder:
        for index, image in enumerate(images):
            tf.io.write_file(str(Path(folder) / f"{index:05d}.png"), tf.io.encode_png(image))
        files = sorted(str(file) for file in Path(folder).iterdir())
        return tf.stack([tf.io.decode_png(tf.io.read_file(file)) for file in files])


def loop_by_hand(images, labels):
    """Three steps of what `fit` does, on batches of a `tf.data.Dataset`; their losses."""
    model = build_model()
    compile_model(model)
    model.optimizer.build(model.trainable_variables)  # a traced step may make no variables
    batches = tf.data.Dataset.from_tensor_slices((images, labels))
    batches = batches.shuffle(len(images)).batch(BATCH_SIZE)
    return [float(train_step(model, model.optimizer, *batch)) for batch in batches.take(3)]


def main():
    """Zeros and ones from files, on whatever device there is; then truth against prediction."""
    plots = Plots(__file__)
    keras.utils.set_random_seed(0)
    device = "GPU:0" if tf.config.list_physical_devices("GPU") else "CPU:0"
    print("device:", device)
    data = load("mnist", "available").of_classes((0, 1))
    print(data.describe())
    some = images_from_files(data.train_images[:20, ..., None])
    print("read from files:", tuple(some.shape), some.dtype.name)
    train_images = data.train_images.astype("float32")[..., None] / 255
    test_images = data.test_images.astype("float32")[..., None] / 255

    with tf.device(device):  # TensorFlow takes the accelerator by itself, where there is one
        model = build_model()
        for name, shape in shapes(model, train_images[:100]):
            print(f"{name:12} {shape}")
        compile_model(model)
        history = model.fit(
            train_images,
            data.train_labels,
            batch_size=BATCH_SIZE,
            epochs=EPOCHS,
            validation_data=(test_images, data.test_labels),
            verbose=2,
        )
    for width in (2, 30, 256):
        older = older_model(width)
        compile_model(older)
        older.fit(train_images, data.train_labels, batch_size=BATCH_SIZE, verbose=0)
        loss, accuracy = older.evaluate(test_images, data.test_labels, verbose=0)
        print(f"784-{width}-1: test loss {loss:.4f}, accuracy {accuracy:.4f}")
    print("three steps by hand:", loop_by_hand(train_images, data.train_labels))

    apart, together = sigmoid_and_bce(model(test_images[:100]), data.test_labels[:100])
    print(f"of probabilities {float(apart):.6f}, from logits {float(together):.6f}")
    plots.dots(
        "prediction against label",
        {
            "training": (data.train_labels[:500], predict(model, train_images[:500])[:, 0]),
            "test": (data.test_labels[:500], predict(model, test_images[:500])[:, 0]),
        },
    )
    plots.curves("training", history.history)


if __name__ == "__main__":
    main()
