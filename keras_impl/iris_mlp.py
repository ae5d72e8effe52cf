"""A deep perceptron with batch normalisation on Iris.

Twin: pytorch_impl/iris_mlp.py
Look at: the normalisation layers (momentum is the weight of the *old* statistics here and of the
new ones there; the default epsilon here is 100 times larger; the running variance is biased here,
unbiased in PyTorch's own layer), and `predict`, where the running statistics are used.
"""

import math

import keras
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 4
EPOCHS = 20

loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build_model():
    """4-128-64-32-16-3: rows ``(batch, 4)`` to logits ``(batch, 3)``; 16 trainable variables."""
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(128),
            layers.BatchNormalization(epsilon=1e-5, momentum=0.9),
            layers.ReLU(),
            layers.Dense(64),
            layers.BatchNormalization(epsilon=1e-5, momentum=0.9),
            layers.ReLU(),
            layers.Dense(32),
            layers.BatchNormalization(epsilon=1e-5, momentum=0.9),
            layers.ReLU(),
            layers.Dense(16, activation="relu"),
            layers.Dense(3),
        ]
    )


def count_parameters():
    """16 trainable variables: five kernels, five biases, three pairs of scale and shift."""
    variables = build_model().trainable_variables
    return {
        "tensors": len(variables),
        "numbers": sum(math.prod(v.shape) for v in variables),
        "first": tuple(variables[0].shape),
    }


def compile_model(model):
    """Say once how to train; the loss is told that it gets logits."""
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.001),
        loss=loss_fn,
        metrics=["accuracy"],
    )


@tf.function
def train_step(model, optimizer, rows, labels):
    """What `fit` does with one batch; the mean loss before it."""
    with tf.GradientTape() as tape:
        logits = model(rows, training=True)
        loss = loss_fn(labels, logits)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(gradients, model.trainable_variables)
    return loss


def predict(model, rows):
    """Probabilities ``(batch, 3)``: the model gives logits, softmax makes them confidences."""
    return keras.ops.softmax(model(rows, training=False))


def look_at_the_data():
    """What scikit-learn brings: a description, (150, 4) numbers, three classes; and two splits."""
    iris = load_iris()
    print("\n".join(iris.DESCR.splitlines()[:28]))
    print(iris.data.shape, iris.feature_names, list(iris.target_names))
    for stratify in (None, iris.target):
        _, _, train, test = train_test_split(
            iris.data, iris.target, test_size=0.25, random_state=0, stratify=stratify
        )
        how = "by chance" if stratify is None else "stratified"
        counts = [[int((part == c).sum()) for c in range(3)] for part in (train, test)]
        print(f"split {how}: {len(train)} and {len(test)} rows, by class {counts}")


def gradients_are_filled(rows, labels):
    """Variables keep no gradient: there is none before, and afterwards the tape returns it."""
    model = build_model()
    with tf.GradientTape() as tape:
        loss = loss_fn(labels, model(rows, training=True))
    bias = model.layers[0].bias
    return None, tape.gradient(loss, bias.value)


def main():
    """Look at the data, train, and compare predictions with the truth."""
    plots = Plots(__file__)
    look_at_the_data()
    keras.utils.set_random_seed(0)
    data = load("iris")
    train_rows, test_rows = data.train_images.astype("float32"), data.test_images.astype("float32")

    before, after = gradients_are_filled(train_rows[:4], data.train_labels[:4])
    print("gradient of a bias before the tape:", before, "and from it:", after[:3].numpy())
    model = build_model()
    model.summary()
    print(count_parameters())
    compile_model(model)
    history = model.fit(
        train_rows,
        data.train_labels,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        validation_data=(test_rows, data.test_labels),
        verbose=2,
    ).history

    probabilities = keras.ops.convert_to_numpy(predict(model, test_rows))
    confidence, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    for row in range(5):
        print(
            f"predicted {data.class_names[predicted[row]]} ({confidence[row]:.2f}), "
            f"truly {data.class_names[data.test_labels[row]]}"
        )
    plots.curves("loss", {name: history[name] for name in ("loss", "val_loss")})
    plots.curves("accuracy", {name: history[name] for name in ("accuracy", "val_accuracy")})


if __name__ == "__main__":
    main()
