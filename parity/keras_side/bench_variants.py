"""How Keras' side is timed: one function a way of writing the same training."""

import itertools
import time

import keras
import tensorflow as tf
from keras import layers
from keras.losses import BinaryCrossentropy, SparseCategoricalCrossentropy
from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter

from parity.bench.child import Prepared
from parity.bench.job import Timeline
from parity.keras_side import products
from parity.keras_side.fast_path import LONGEST, Steps


def versions():
    """Of the framework."""
    return {"keras": keras.__version__, "tensorflow": tf.__version__}


def plain(threads, seed):
    """The framework as it comes, but for the number of threads."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    keras.utils.set_random_seed(seed)


def prepare(task):
    """Everything up to the first step: model, optimizer, data in memory."""
    ways = {
        "tutorial": _tutorial,
        "idiomatic": _idiomatic,
        "fast": _fast,
        "limit": _limit,
        "eager": _eager,
        "graph": _graph,
        "xla": _xla,
    }
    return ways[task.job.way](task)


def _model(task):
    shape = task.images(task.kept[:1]).shape[1:]

    def perceptron(width):
        return keras.Sequential(
            [
                keras.Input(shape),
                layers.Flatten(),
                layers.Dense(width),
                layers.ReLU(),
                layers.Dense(task.outputs),
            ]
        )

    return task.model(perceptron)


def _usual_optimizer(own):
    """The framework's optimizer of the twin's kind, with the twin's learning rate."""
    if not isinstance(own, keras.optimizers.Optimizer):  # by hand: plain gradient descent
        return keras.optimizers.SGD(learning_rate=0.1)
    kind = keras.optimizers.Adam if "adam" in type(own).__name__.lower() else keras.optimizers.SGD
    return kind(learning_rate=float(own.learning_rate))


def _tutorial(task):
    model = _model(task)
    binary = model.outputs[0].shape[-1] == 1
    loss = (BinaryCrossentropy if binary else SparseCategoricalCrossentropy)(from_logits=True)
    model.compile(optimizer=_usual_optimizer(task.optimizer(model)), loss=loss)
    images, labels = task.images(task.kept), task.labels(task.kept)
    if binary:
        labels = labels[:, None]

    def train():
        begin = time.perf_counter()
        model.fit(
            images[: task.batch_size],
            labels[: task.batch_size],
            batch_size=task.batch_size,
            epochs=1,
            verbose=0,
        )
        line = _Line(first=time.perf_counter() - begin)
        for _ in range(task.epochs):
            model.fit(images, labels, batch_size=task.batch_size, epochs=1, verbose=0)
            line.mark(task.steps_per_epoch)
        return line.timeline()

    def load():
        # What `fit` makes of arrays; there is no public name for it.
        adapter = ArrayDataAdapter(images, labels, batch_size=task.batch_size, shuffle=True)
        for _ in adapter.get_tf_dataset():
            pass

    return Prepared(train, load)


def _idiomatic(task):
    framework, batches = task.framework, task.batches
    model = _model(task)
    optimizer = task.optimizer(model)

    def train():
        line = _Line()
        framework.train(task.program, model, optimizer, batches, lambda step, loss: line.mark())
        return line.timeline()

    def load():
        for images, labels, *masks in itertools.islice(batches, batches.steps_per_epoch):
            batches.fed(images, labels, *masks)
            _ = framework.inputs(images), framework.tensor(labels), *map(framework.tensor, masks)

    return Prepared(train, load)


def _fast(task):
    how = task.fast
    parts = how.parts if task.job.threads >= how.parts else 1
    # Parts of a batch take a thread each; nothing is to be gained from several within each.
    tf.config.threading.set_intra_op_parallelism_threads(task.job.threads // parts)
    model = _model(task)
    images, labels = tf.constant(task.images()), tf.constant(task.labels())
    switches = {"jit": how.jit, "fused": how.fused, "parts": parts}
    steps = Steps(task.gradients, model, task.optimizer(model), images, labels, **switches)
    order = [tf.constant(some) for some in task.stretches(LONGEST)]

    def train():
        begin = time.perf_counter()
        steps(order[0][:1]).numpy()
        line = _Line(first=time.perf_counter() - begin)
        for _ in range(task.epochs):
            for some in order:
                steps(some).numpy()
                line.mark(len(some))
        return line.timeline()

    @tf.function(reduce_retracing=True)
    def gathered(order):
        given = tf.gather(images, order[0]), tf.gather(labels, order[0])
        for chosen in order:
            given = tf.gather(images, chosen), tf.gather(labels, chosen)
        return given

    for some in order:
        gathered.get_concrete_function(some)  # traced here, so that `load` only feeds

    def load():
        for some in order:
            gathered(some)

    facts = {"compiled": "XLA" if how.jit else "graph"}
    return Prepared(train, load, facts | ({"batch": f"in {parts} parts"} if parts > 1 else {}))


def _limit(task):
    model = _model(task)
    runs, facts = {}, {}
    for length in dict.fromkeys(task.lengths):
        found = products.find(model, tf.constant(task.images(task.kept[:length])))
        runs[length], facts[f"limit, batch {length}"] = products.steps(found)

    def train():
        line = _Line()
        for _ in range(task.epochs):
            for length, run in runs.items():
                run(task.lengths.count(length))
            line.mark(task.steps_per_epoch)
        return line.timeline(first=False)

    return Prepared(train, facts=facts)


def _mode(task, wrapped):
    """The example's own step, called once a batch, on batches that lie ready."""
    model = _model(task)
    optimizer = task.optimizer(model)
    order = task.batches.order[: task.steps_per_epoch]
    images = [tf.constant(task.images(chosen)) for chosen in order]
    labels = [tf.constant(task.labels(chosen)) for chosen in order]

    def step(some, truth):
        return task.program.take_step(model, optimizer, some, truth)

    run = wrapped(step)

    def train():
        line = _Line()
        for _ in range(task.epochs):
            for some, truth in zip(images, labels, strict=True):
                run(some, truth).numpy()
                line.mark()
        return line.timeline()

    return Prepared(train)


def _eager(task):
    return _mode(task, lambda step: step)


def _graph(task):
    return _mode(task, tf.function)


def _xla(task):
    return _mode(task, tf.function(jit_compile=True))


class _Line:
    """Collects a `Timeline`; the clock starts when it is made."""

    def __init__(self, first=None):
        self._first, self._done = first, 0
        self._marks = [(time.perf_counter(), 0)]

    def mark(self, steps=1):
        """So many more steps are done."""
        self._done += steps
        self._marks.append((time.perf_counter(), self._done))

    def timeline(self, first=True):
        """What was collected.

        Args:
            first: whether there is a first step to speak of. Where it was not timed by itself it
                is what the first mark ends.
        """
        if first and self._first is None:
            self._first = self._marks[1][0] - self._marks[0][0]
        return Timeline(self._first, self._marks)
