"""A perceptron on CIFAR-10 colour images, normalised channel by channel.

Twin: pytorch_impl/cifar_mlp.py
Look at: `layers.Flatten` (pixel by pixel here; red plane, green plane, blue plane there), which is
why the first kernel's rows stand in another order, though the model is the same.
"""

import keras
import tensorflow as tf
from keras import layers

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 32
EPOCHS = 10
MEAN = (0.4914, 0.48216, 0.44653)
DEVIATION = (0.24703, 0.24349, 0.26159)

loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build_model():
    """Flatten, dense 500, ReLU, dense 10: ``(batch, 32, 32, 3)`` to logits ``(batch, 10)``."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Flatten(),
            layers.Dense(500, activation="relu"),
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


def normalised(images):
    """Bytes to 0…1, then each channel by itself, as `layers.Normalization` does too."""
    scaled = images.astype("float32") / 255
    layer = layers.Normalization(mean=MEAN, variance=[d**2 for d in DEVIATION])
    return keras.ops.convert_to_numpy(layer(scaled))


def loop_by_hand(images, labels):
    """Three steps of what `fit` does, on batches of a `tf.data.Dataset`; their losses."""
    model = build_model()
    compile_model(model)
    model.optimizer.build(model.trainable_variables)  # a traced step may make no variables
    batches = tf.data.Dataset.from_tensor_slices((images, labels))
    batches = batches.shuffle(len(images)).batch(BATCH_SIZE)
    return [float(train_step(model, model.optimizer, *batch)) for batch in batches.take(3)]


def count_correct(model, images, labels):
    """Predictions and truth, counted by hand: correct and total."""
    predicted = model.predict(images, verbose=0).argmax(axis=1)
    return int((predicted == labels).sum()), len(labels)


def main():
    """Normalise, train, and count."""
    plots = Plots(__file__)
    keras.utils.set_random_seed(0)
    data = load("cifar10", "available")
    print(data.describe())
    train_images, test_images = normalised(data.train_images), normalised(data.test_images)
    steps = -(-len(train_images) // BATCH_SIZE)
    print(test_images.shape, steps, "batches of", BATCH_SIZE)

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
    correct, total = count_correct(model, test_images, data.test_labels)
    print(f"{correct} of {total} right: {100 * correct / total:.1f} %")
    print("three steps by hand:", loop_by_hand(train_images, data.train_labels))

    best = keras.ops.convert_to_numpy(predict(model, test_images[:25])).argmax(axis=1)
    plots.gallery("predictions", data.test_images[:25], data.test_labels, data.class_names, best)
    plots.curves("training", history.history)


if __name__ == "__main__":
    main()
