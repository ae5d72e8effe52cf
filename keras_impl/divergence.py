"""How long two equal programs stay equal: a network with batch normalisation on CIFAR-10.

Twin: pytorch_impl/divergence.py
Look at: `build_model` (epsilon and momentum are given, because both defaults are other than
PyTorch's; momentum is the weight of the *old* here), and the convolutions, which have no bias: the
normalisation behind them would subtract it, so its true gradient is zero and it would wander.
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
    """Four blocks 32-64-128-256, global average, dense 128, dense 10: images to logits."""
    model = keras.Sequential([keras.Input((32, 32, 3))])
    for block, outputs in enumerate([32, 64, 128, 256], 1):
        model.add(layers.Conv2D(outputs, kernel_size=3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(epsilon=1e-5, momentum=0.9))
        model.add(layers.ReLU())
        if block < 4:
            model.add(layers.MaxPooling2D(2))
    model.add(layers.GlobalAveragePooling2D(keepdims=True))
    model.add(layers.Flatten())
    model.add(layers.Dense(128, activation="relu"))
    model.add(layers.Dense(10))
    return model


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
    """Train a network with batch normalisation on CIFAR-10."""
    plots = Plots(__file__)
    keras.utils.set_random_seed(0)
    data = load("cifar10", "available")
    print(data.describe())
    train_images, test_images = (
        ((images.astype("float32") / 255 - MEAN) / DEVIATION).astype("float32")
        for images in (data.train_images, data.test_images)
    )

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
    plots.curves("training", history.history)


if __name__ == "__main__":
    main()
