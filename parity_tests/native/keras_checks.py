"""Every default of the Keras side is Keras' own."""

import importlib
import itertools

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from parity.keras_side import named_weights, optimizers
from parity.keras_side import native as _native
from parity.keras_side.adapter import Keras
from parity.keras_side.layers import TorchBatchNormalization
from parity.keras_side.native import Native, train_setting
from parity.native.defaults import NORMS
from parity.report.repairs import REPAIRS
from parity_tests.native import common
from shared.suite import SUITE

FRAMEWORK, NATIVE = Keras(1), Native()
PLAIN = {"seed": 3, "norm": {}, "dropout_seed": 0}


def norms_of(model):
    return [x for _, x in named_weights.leaves(model) if isinstance(x, layers.BatchNormalization)]


def describe(job, model, optimizer):
    norms = norms_of(model)
    own = [type(x).__name__ for _, x in named_weights.leaves(model) if "call" in vars(x)]
    return {
        "optimizer": [type(optimizer).__name__, float(optimizer.learning_rate)],
        "batch_norm_epsilon": [m.epsilon for m in norms],
        "batch_norm_momentum": [m.momentum for m in norms],
        "batch_norm_unbiased": [isinstance(m, TorchBatchNormalization) for m in norms],
        "dropout": own,
    }


def initialiser():
    """Weights are those of plain layers, made in the model's order after the same seed."""
    for name in ("fashion_mlp", "fashion_cnn"):
        twin = importlib.import_module(f"keras_impl.{name}")
        model = NATIVE.build(twin.build_model, initialiser="native", **PLAIN)
        assert any(layer.weights for layer in model.layers)
        keras.utils.set_random_seed(3)
        for layer in model.layers:
            if isinstance(layer, layers.Dense):
                plain = layers.Dense(layer.units)
            elif isinstance(layer, layers.Conv2D):
                plain = layers.Conv2D(layer.filters, layer.kernel_size)
            else:
                continue
            plain.build(layer.input.shape)
            for one, other in zip(plain.weights, layer.weights, strict=True):
                assert np.array_equal(one, other)


def other_initialiser():
    """PyTorch's rule: kernels and biases uniform within 1/√fan_in."""
    twin = importlib.import_module("keras_impl.fashion_cnn")
    model = NATIVE.build(twin.build_model, initialiser="other", **PLAIN)
    for _, layer in named_weights.leaves(model):
        for variable in layer.weights:
            bound = np.prod(layer.kernel.shape[:-1]) ** -0.5
            largest = np.abs(variable.numpy()).max()
            assert (0.8 if variable is layer.kernel else 0.5) * bound < largest <= bound * 1.000001
    bias = model.layers[-2].bias.numpy()
    assert len(set(bias)) > 100


def optimizer():
    """As imported and given the example's rate alone; the table says whose the matched one is."""
    for known, job in common.jobs(FRAMEWORK, NATIVE):
        model = job.model(known.matched)
        matched = job.optimizer(known.matched, model)
        bridged = isinstance(matched, optimizers.TorchAdam)
        assert bridged == (common.stated(known).adam == "torch"), known.example
        native = job.optimizer(known.native, model)
        rate = float(matched.learning_rate)
        kind = keras.optimizers.SGD if "SGD" in type(native).__name__ else keras.optimizers.Adam
        plain = kind(learning_rate=rate).get_config()
        config = native.get_config()
        assert type(native) is kind
        assert config["learning_rate"] == np.float32(rate)
        assert {k: v for k, v in config.items() if k not in ("name", "learning_rate")} == {
            k: v for k, v in plain.items() if k not in ("name", "learning_rate")
        }
        if "optimizer" in known.given:
            other = job.optimizer(known.given["optimizer"], model)
            assert type(other) is optimizers.TorchAdam
            assert other.epsilon == 1e-8


def norms():
    """Epsilon, momentum and variance of a plain layer, and those the twins state."""
    plain, own = layers.BatchNormalization(), NORMS["keras"]
    assert plain.epsilon == own.epsilon
    assert abs(plain.momentum - (1 - own.momentum)) < 1e-12
    x = np.array([[1.0, 2.0, 6.0]] * 3, np.float32).T
    plain(x, training=True)
    wanted = plain.momentum + own.momentum * x.var(axis=0, ddof=int(own.unbiased))
    assert np.allclose(plain.moving_variance, wanted, atol=1e-6)
    for known, job in common.jobs(FRAMEWORK, NATIVE):
        found, norm = norms_of(job.model(known.matched)), common.stated(known).norm
        assert bool(found) == (norm is not None), known.example
        for m in found:
            assert m.epsilon == norm.epsilon
            assert abs(m.momentum - (1 - norm.momentum)) < 1e-12
            assert isinstance(m, TorchBatchNormalization) == norm.unbiased, known.example
        for m in norms_of(job.model(known.native)):
            assert type(m) is layers.BatchNormalization
            assert (m.epsilon, m.momentum) == (plain.epsilon, plain.momentum)


class Watched(keras.Model):
    """Notes which samples `fit` feeds, and whether it says that it trains."""

    fed: list

    def train_step(self, data):
        self.fed.append(data[0].numpy()[:, 0].astype(int).tolist())
        return {"loss": tf.constant(0.0)}


def fed_by_fit(seed, samples, epochs):
    inputs = keras.Input((1,))
    model = Watched(inputs, layers.Dense(1)(inputs))
    model.fed = []
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    rows = np.arange(samples, dtype=np.float32)[:, None]
    keras.utils.set_random_seed(seed)
    model.fit(rows, rows, batch_size=8, epochs=epochs, verbose=0)
    per = len(model.fed) // epochs
    return [
        list(itertools.chain(*model.fed[at : at + per])) for at in range(0, len(model.fed), per)
    ]


def shuffling():
    """The order is the one that a seeded `fit` feeds, in every epoch the same."""
    found = fed_by_fit(7, 50, 3)
    assert NATIVE.order(50, 3, 7, "native").tolist() == found
    assert found[0] == found[1] == found[2]
    assert found[0] != list(range(50))
    assert fed_by_fit(8, 50, 1)[0] != found[0]
    other = NATIVE.order(50, 3, 7, "other").tolist()
    assert other[0] != other[1] != other[2]


def dropout():
    """Its own masks, new at every call, none in evaluation; in a plain loop and in `fit`."""
    known, job = next(
        x for x in common.jobs(FRAMEWORK, NATIVE, ("regularisation",)) if x[0].pair == "dropout"
    )
    model = job.model(known.native)
    x = tf.random.uniform((50, 28, 28))
    one, other, still, again = (model(x, training=mode) for mode in (True, True, False, False))
    assert not np.array_equal(one, other)
    assert np.array_equal(still, again)
    size = common.small("regularisation")
    with_it, without = (
        train_setting(SUITE, FRAMEWORK, "regularisation", "native", seed=2, pair=pair, size=size)
        for pair in ("dropout", "plain")
    )
    assert with_it.epoch_losses[0] > without.epoch_losses[0]


def fit():
    """`fit` on arrays, on batches and with masks is the loop; its losses are the epochs' means."""
    for name, pair, settings in (
        ("fashion_mlp", "", ("matched", "fit")),
        ("binary_cnn", "", ("native", "initialiser+shuffling")),
        ("regularisation", "dropout", ("matched", "fit")),
        ("regularisation", "dropout", ("native", "initialiser+optimizer+dropout+shuffling")),
    ):
        loop, own = (
            train_setting(
                SUITE, FRAMEWORK, name, s, seed=common.SEED, size=common.small(name), pair=pair
            )
            for s in settings
        )
        assert np.allclose(loop.epoch_losses, own.epoch_losses, rtol=1e-5), (name, settings)
        assert abs(loop.test_loss - own.test_loss) < 1e-5, (name, settings)
        assert abs(loop.step1_distance - own.step1_distance) < 1e-6


def loss():
    """What `fit` is given as its loss is the twin's."""
    for known, job in common.jobs(FRAMEWORK, NATIVE, ("binary_cnn", "softmax_regression")):
        model = job.model(known.matched)
        images, labels, *_ = next(iter(job.batches))
        told, _ = job.program.loss_and_gradients(model, tf.constant(images), tf.constant(labels))
        given, truth = _native._loss(model, labels)
        assert np.allclose(told, given(truth, model(images, training=True)), rtol=1e-6)


def repairs():
    """The lines that the page gives for a Keras port do what it says."""
    keras.utils.set_random_seed(1)
    fan_in = 400
    known = {"layers": layers, "keras": keras, "tf": tf, "fan_in": fan_in}
    dense = eval(REPAIRS["initialiser"].in_keras, known)
    dense.build((None, fan_in))
    plain = layers.Dense(128)
    plain.build((None, fan_in))
    _native._as_torch(plain)
    for one, other in zip(dense.weights, plain.weights, strict=True):
        values = one.numpy()
        assert 0.9 * fan_in**-0.5 < np.abs(values).max() <= fan_in**-0.5 * 1.000001
        assert abs(values.std() / other.numpy().std() - 1) < 0.15
    assert eval(REPAIRS["batch_norm_epsilon"].in_keras, known).epsilon == NORMS["torch"].epsilon
    momentum = eval(REPAIRS["batch_norm_momentum"].in_keras, known).momentum
    assert abs(1 - momentum - NORMS["torch"].momentum) < 1e-12
    line, _, made = REPAIRS["batch_norm_unbiased"].in_keras.partition("\n")
    exec(line, known)
    assert type(eval(made.strip(), known)) is TorchBatchNormalization
    inputs = keras.Input((1,))
    model = Watched(inputs, layers.Dense(1)(inputs))
    exec(REPAIRS["optimizer"].in_keras, known | {"model": model, "loss": "mse"})
    assert type(model.optimizer) is optimizers.TorchAdam
    model.fed = []
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    rows = np.arange(64, dtype=np.float32)[:, None]
    keras.utils.set_random_seed(1)
    exec(REPAIRS["shuffling"].in_keras, known | {"model": model, "x": rows, "y": rows})
    first, second = ([*model.fed[at], *model.fed[at + 1]] for at in (0, 2))
    assert sorted(first) == sorted(second) == list(range(64))
    assert first != second


CHECKS = {
    "repairs": repairs,
    "initialiser": initialiser,
    "other_initialiser": other_initialiser,
    "optimizer": optimizer,
    "norms": norms,
    "shuffling": shuffling,
    "dropout": dropout,
    "fit": fit,
    "loss": loss,
    "alone": lambda: common.each_default_alone_changes_nothing_else(FRAMEWORK, NATIVE, describe),
    "epochs": lambda: common.every_epoch_sees_every_sample_once(FRAMEWORK, NATIVE),
    "recording": lambda: common.matched_is_the_recording(
        FRAMEWORK, train_setting, ["softmax_regression", "binary_cnn"], exact=True
    ),
    "repeatable": lambda: common.twice_the_same(FRAMEWORK, train_setting),
}

if __name__ == "__main__":
    common.main(CHECKS)
