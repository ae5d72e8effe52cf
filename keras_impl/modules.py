"""Stacks of layers as `keras.Model`: made, named, copied, saved, frozen.

Twin: pytorch_impl/modules.py
Look at: `three_ways`, where an activation is an argument and the input size is found out when
the model is built; `own_model` for the names; and `freezing`, which is a flag on a layer.
"""

import tempfile
from pathlib import Path

import keras
import tensorflow as tf
from keras.layers import Dense

_WEIGHTS = (
    "first_kernel",
    "first_bias",
    "second_kernel",
    "second_bias",
    "third_kernel",
    "third_bias",
)


def _load(model, *weights):
    """Weights in the order of the model's own; they exist once it was called, here on zeros."""
    model(keras.ops.zeros((1, 3)))
    model.set_weights(weights)
    return model


def _stack():
    """3 → 2 → 3 → 4 with ReLU between, from a list."""
    return keras.Sequential([Dense(2, activation="relu"), Dense(3, activation="relu"), Dense(4)])


def three_ways(x, first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias):
    """From a list, one by one, and by hand; without the last layer, two are left."""
    weights = (first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias)
    from_list = _load(_stack(), *weights)

    one_by_one = keras.Sequential()
    one_by_one.add(Dense(2, activation="relu"))
    one_by_one.add(Dense(3, activation="relu"))
    one_by_one.add(Dense(4))
    y = _load(one_by_one, *weights)(x)
    dense_layers = len(one_by_one.layers)
    one_by_one.pop()

    first, second, third = from_list.layers
    return {
        "from_list": from_list(x),
        "one_by_one": y,
        "by_hand": third(second(first(x))),
        "after_pop": one_by_one(x),
        "dense_layers": dense_layers,
        "dense_layers_after_pop": len(one_by_one.layers),
    }


class Three(keras.Model):
    """Layers are made in `__init__` and used in `call`."""

    def __init__(self):
        super().__init__(name="three")
        self.first = Dense(2, activation="relu", name="first")
        self.second = Dense(3, activation="relu", name="second")
        self.third = Dense(4, name="third")

    def call(self, x):
        """``(batch, 3)`` to ``(batch, 4)``."""
        hidden = self.first(x)
        hidden = self.second(hidden)
        return self.third(hidden)


def own_model(
    x, first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias, upstream
):
    """A class of one's own: assigning a layer registers it, under the layer's name."""
    weights = (first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias)
    model = _load(Three(), *weights)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = model(x)
    dx, *gradients = tape.gradient(y, [x, *model.trainable_weights], output_gradients=upstream)
    return {
        "y": y,
        "dx": dx,
        **{f"d{name}": g for name, g in zip(_WEIGHTS, gradients, strict=True)},
        "children": tuple(layer.name for layer in model.layers),
        "names": tuple(weight.path for weight in model.weights),
        "shapes": tuple(tuple(weight.shape) for weight in model.weights),
        "parameters": model.count_params(),
    }


def weights_out_and_in(
    x, first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias
):
    """`get_weights` is a list in order; setting checks number and shapes."""
    weights = (first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias)
    model, copy = _load(Three(), *weights), Three()
    equal_before = bool(tf.reduce_all(model(x) == copy(x)))
    arrays = model.get_weights()
    copy.set_weights(arrays)
    try:
        copy.set_weights([third_kernel, *arrays[1:]])
    except ValueError as error:
        wrong_shape = type(error).__name__
    return {
        "y": copy(x),
        "arrays": len(arrays),
        "equal_before": equal_before,
        "equal_after": bool(tf.reduce_all(model(x) == copy(x))),
        "wrong_shape": wrong_shape,
    }


def saving_and_loading(
    x, first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias
):
    """The weights alone need the code to load into; a `.keras` file has the structure as well."""
    weights = (first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias)
    model = _load(_stack(), *weights)
    with tempfile.TemporaryDirectory() as folder:
        model.save_weights(Path(folder) / "model.weights.h5")
        model.save(Path(folder) / "whole.keras")
        fresh = _stack()
        fresh.build((None, 3))
        fresh.load_weights(Path(folder) / "model.weights.h5")
        whole = keras.models.load_model(Path(folder) / "whole.keras")
    return {"from_weights": fresh(x), "from_whole": whole(x)}


def freezing(x, first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias):
    """`trainable = False` takes a layer out of `trainable_weights`; the tape still sees it."""
    weights = (first_kernel, first_bias, second_kernel, second_bias, third_kernel, third_bias)
    model = _load(Three(), *weights)
    model.first.trainable = False
    trainable = model.trainable_weights
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_mean(model(x) ** 2)
    frozen = tape.gradient(loss, model.first.kernel.value)
    gradients = tape.gradient(loss, trainable)
    keras.optimizers.SGD(learning_rate=0.5).apply(gradients, trainable)
    return {
        "loss": loss,
        "first_kernel": model.first.kernel.value,
        "second_kernel": model.second.kernel.value,
        "third_kernel": model.third.kernel.value,
        "trainable": sum(int(tf.size(weight)) for weight in trainable),
        "of": model.count_params(),
        "frozen_gradient": "none" if frozen is None else "on request",
    }
