"""A multi-layer perceptron on Fashion-MNIST: `compile`, `fit`, `evaluate`, `predict`.

Twin: pytorch_impl/fashion_mlp.py
Look at: `compile_model` and `fit` (the whole loop is one call here; there you write it), and
`train_step`, which is what `fit` does inside: the tape returns gradients; there they are stored on
the parameters and must be cleared.
"""

import keras
import tensorflow as tf
from keras import layers

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 32
EPOCHS = 5

loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


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


def same_training(images, labels):
    """Logits with a loss that is told so, softmax with the loss as a word: the same training.

    Returns the losses of both. Keras finds the logits behind a softmax and takes softmax and
    logarithm in one, which cannot overflow.
    """
    losses = []
    for activation, loss in ((None, loss_fn), ("softmax", "sparse_categorical_crossentropy")):
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [
                keras.Input((28, 28)),
                layers.Flatten(),
                layers.Dense(128, activation="relu"),
                layers.Dense(10, activation=activation),
            ]
        )
        model.compile(optimizer="adam", loss=loss)
        for at in range(0, 10 * BATCH_SIZE, BATCH_SIZE):
            batch = slice(at, at + BATCH_SIZE)
            model.reset_metrics()
            losses.append(float(model.train_on_batch(images[batch], labels[batch])))
    return losses[:10], losses[10:]


def loop_by_hand(images, labels):
    """Three steps of what `fit` does, on batches of a `tf.data.Dataset`; their losses."""
    model = build_model()
    optimizer = keras.optimizers.Adam(learning_rate=1e-3)
    optimizer.build(model.trainable_variables)  # a traced step may make no variables
    batches = tf.data.Dataset.from_tensor_slices((images, labels))
    batches = batches.shuffle(len(images)).batch(BATCH_SIZE)
    return [float(train_step(model, optimizer, *batch)) for batch in batches.take(3)]


def draw(plots, data, confidences, history):
    """The first image, 25 images of each set, and the training; where ``--plots`` is given."""
    best = confidences.argmax(axis=1)
    names = data.class_names
    plots.image("first image", data.train_images[0])
    plots.gallery("training images", data.train_images[:25], data.train_labels, names)
    plots.gallery("predictions", data.test_images[:25], data.test_labels, names, best)
    plots.curves("training", history)


def main():
    """Train for five epochs, then look at what was learnt."""
    plots = Plots(__file__)
    keras.utils.set_random_seed(0)
    data = load("fashion_mnist", "available")
    print(data.describe())
    train_images = data.train_images.astype("float32") / 255  # bytes 0…255 to 0…1
    test_images = data.test_images.astype("float32") / 255

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
    loss, accuracy = model.evaluate(test_images, data.test_labels, verbose=2)
    print(f"test loss {loss:.4f}, accuracy {accuracy:.4f}")

    confidences = keras.ops.convert_to_numpy(predict(model, test_images[:25]))
    print("first test image:", [round(float(p), 4) for p in confidences[0]])
    best = confidences[0].argmax()
    truth = data.test_labels[0]
    print(f"predicted {best}, {data.class_names[best]}; truly {data.class_names[truth]}")

    print("three steps by hand:", loop_by_hand(train_images, data.train_labels))
    logits, probabilities = same_training(train_images, data.train_labels)
    print("loss from logits: ", [round(loss, 5) for loss in logits[:5]])
    print("from softmax:     ", [round(loss, 5) for loss in probabilities[:5]])
    draw(plots, data, confidences, history.history)


if __name__ == "__main__":
    main()
