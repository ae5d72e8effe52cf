"""Counting what is right: by hand, with an accumulator, with a metric object, epoch by epoch.

Twin: pytorch_impl/metrics.py
Look at: `metric_object`, a part of the framework here, which you write or fetch there; `one_logit`,
where the word "accuracy" expects probabilities; and `epoch_and_evaluation`: what `fit` shows at
the end of an epoch is a mean over it, while the weights moved, and `evaluate` is not.
Seen in notes, wrong because: `prediction = y_test` assigns, it does not compare; then every sample
is "right" (`==`). `model(x, training=True)` in an evaluation leaves dropout and batch statistics
on; `predict` and `evaluate` say `training=False` by themselves.
"""

import keras
import tensorflow as tf
from keras import layers, ops

from shared import metrics
from shared.data import load
from shared.plots import Plots


def by_hand(logits, labels):
    """The class of the largest logit, compared with the label; softmax would change nothing."""
    predicted = ops.argmax(logits, axis=1)
    right = ops.equal(predicted, labels)
    likely = ops.equal(ops.argmax(ops.softmax(logits), axis=1), labels)
    return {
        "predicted": ops.cast(predicted, "int64"),
        "right": int(ops.sum(ops.cast(right, "int32"))),
        "accuracy": ops.mean(ops.cast(right, logits.dtype)),
        "of_probabilities": ops.mean(ops.cast(likely, logits.dtype)),
        "in_numpy": tf.constant(metrics.accuracy(logits.numpy(), labels.numpy()), logits.dtype),
    }


def accumulated(logits, labels):
    """Sums over batches, divided at the end. A mean of means is wrong: the last batch is short."""
    right, samples, means = 0, 0, []
    for some, truth in _batches(logits, labels):
        correct = ops.sum(ops.cast(ops.equal(ops.argmax(some, axis=1), truth), logits.dtype))
        right, samples = right + correct, samples + len(truth)
        means.append(correct / len(truth))
    return {
        "accuracy": right / samples,
        "mean_of_means": ops.mean(ops.stack(means)),
        "samples": samples,
    }


def _batches(x, labels):
    return tf.data.Dataset.from_tensor_slices((x, labels)).batch(4)


def metric_object(logits, labels):
    """What it says after every batch is of all samples so far."""
    metric, running = keras.metrics.SparseCategoricalAccuracy(), []
    for some, truth in _batches(logits, labels):
        metric.update_state(truth, some)
        running.append(metric.result())
    metric.reset_state()
    return {"running": ops.stack(running), "after_reset": metric.result()}


def library_accuracy(logits, labels):
    """The same by the function behind the object, which knows nothing of batches."""
    return float(ops.mean(keras.metrics.sparse_categorical_accuracy(labels, logits)))


def one_logit(logits, labels):
    """One logit a sample: class 1 begins at logit 0, which is probability one half.

    `metrics=["accuracy"]` means `BinaryAccuracy()` then, whose threshold of 0.5 is meant for
    probabilities: say `BinaryAccuracy(threshold=0)` for logits, or let the model end in a sigmoid.
    """

    def accuracy(scores, **how):
        metric = keras.metrics.BinaryAccuracy(**how)
        return metric(ops.cast(labels, scores.dtype)[:, None], scores[:, None])

    return {
        "above_zero": accuracy(logits, threshold=0.0),
        "above_half": accuracy(logits),
        "of_probabilities": accuracy(ops.sigmoid(logits)),
    }


def epoch_and_evaluation(x, kernel, labels):
    """One epoch of one layer: the mean of the losses on the way, and the loss at the end.

    The mean is over samples, so a short last batch counts less. `evaluate` goes through the same
    samples with the weights of the end.
    """
    model = keras.Sequential(
        [keras.Input(x.shape[1:]), layers.Dense(kernel.shape[1], use_bias=False)]
    )
    model.set_weights([kernel])
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    first = loss_fn(labels[:4], model(x[:4]))
    model.compile(keras.optimizers.SGD(learning_rate=0.5), loss=loss_fn, metrics=["accuracy"])
    history = model.fit(_batches(x, labels), epochs=1, verbose=0).history
    loss, accuracy = model.evaluate(_batches(x, labels), verbose=0)
    return {
        "first_batch": first,
        "epoch_loss": tf.constant(history["loss"][0], x.dtype),
        "epoch_accuracy": tf.constant(history["accuracy"][0], x.dtype),
        "evaluated_loss": tf.constant(loss, x.dtype),
        "evaluated_accuracy": tf.constant(accuracy, x.dtype),
    }


class EveryStep(keras.callbacks.Callback):
    """Keeps what `fit` shows after every batch, and evaluates after every epoch."""

    def __init__(self, dataset):
        super().__init__()
        self.dataset, self.running, self.evaluated = dataset, [], []

    def on_train_batch_end(self, batch, logs=None):
        """`logs` are the metrics so far in this epoch, not those of the batch."""
        self.running.append(logs["accuracy"])

    def on_epoch_end(self, epoch, logs=None):
        """`evaluate` with the weights as they are."""
        over_the_epoch = logs["accuracy"]
        _, reached = self.model.evaluate(self.dataset, verbose=0)
        self.evaluated += [reached] * self.params["steps"]
        print(f"epoch {epoch + 1}: over the epoch {over_the_epoch:.3f}, at its end {reached:.3f}")


def main():
    """Count in every way, then watch a classifier over three epochs."""
    plots = Plots(__file__)
    keras.utils.set_random_seed(0)
    logits, labels = keras.random.normal((10, 3)), keras.random.randint((10,), 0, 3, "int64")
    counted = by_hand(logits, labels)
    print(f"predicted {counted['predicted'].numpy().tolist()}, truly {labels.numpy().tolist()}")
    print(f"by hand: {counted['right']} of 10, accuracy {counted['accuracy']:.3f}")
    sums = accumulated(logits, labels)
    print(f"by sums over batches {sums['accuracy']:.3f},", end=" ")
    print(f"as a mean of means {sums['mean_of_means']:.3f}")
    running = metric_object(logits, labels)["running"]
    print("a metric object, batch by batch:", [round(float(value), 3) for value in running])
    print(f"as a function: {library_accuracy(logits, labels):.3f}")
    half = one_logit(tf.constant([-1.0, 0.2, 0.3, 2.0]), tf.constant([0, 1, 1, 1]))
    print(f"one logit: from 0 {half['above_zero']:.2f}, from one half {half['above_half']:.2f}")

    data = load("fashion_mnist", "available")
    images, labels = data.train_images[:2000] / 255.0, data.train_labels[:2000]
    dataset = tf.data.Dataset.from_tensor_slices((images.astype("float32"), labels))
    dataset = dataset.shuffle(len(images)).batch(32)
    model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10)])
    model.compile(
        keras.optimizers.SGD(learning_rate=0.1),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    watch = EveryStep(dataset)
    model.fit(dataset, epochs=3, callbacks=[watch], verbose=0)

    def draw(figure):
        axes = figure.subplots()
        axes.plot(watch.running, label="running mean of the epoch")
        axes.plot(watch.evaluated, "--", label="evaluated after the epoch")
        axes.set(xlabel="step", ylabel="accuracy on the training set")
        axes.legend()

    plots.draw("running", draw)


if __name__ == "__main__":
    main()
