"""Layers that drop or add noise: what they would do is written down, and a dropout does nothing."""

from __future__ import annotations

import contextlib

import numpy as np
import tensorflow as tf
from keras import layers as kl

from parity.checker.graph import draws
from parity.keras_side.checker.marks import swapped
from parity.keras_side.checker.naming import code_of

LAYERS = {
    kl.Dropout: ("rate", "dropout"),
    kl.SpatialDropout1D: ("rate", "dropout"),
    kl.SpatialDropout2D: ("rate", "dropout"),
    kl.SpatialDropout3D: ("rate", "dropout"),
    kl.GaussianDropout: ("rate", "gaussian_dropout"),
    kl.GaussianNoise: ("stddev", "gaussian"),
    kl.AlphaDropout: ("rate", "alpha"),
}
"""Keras' layer → the name of its rate, and the kind of noise."""


def node(t, x, found, active, *, y=None, **more):
    """Write a `dropout` node down; its value is its input, or `y`."""
    with t.suspended():
        y = tf.identity(x) if y is None else tf.identity(y)
        mask = getattr(x, "_keras_mask", None)
        if mask is not None:
            y._keras_mask = mask
        settings = {
            "rate": float(found.rate),
            "noise": found.noise,
            "shared": list(found.shared),
            "active": bool(active),
        }
        more.setdefault("function", "dropout")
        t.emit("dropout", settings, [x], [y], lambda xs: [tf.identity(xs[0])], **more)
    return y


def builtin(t, layer, original, args, kwargs):
    """One of Keras' own: the identity; noise that is added or multiplied is as draws are."""
    base = next(c for c in type(layer).__mro__ if c.__module__.startswith("keras.src."))
    rate, noise = LAYERS.get(base, ("factor", type(layer).__name__))
    compute = layer.call

    def call(inputs, *a, **k):
        training = k.get("training", a[0] if a else False)
        value = getattr(layer, rate, 0.0)
        value = value if isinstance(value, int | float) else 0.0
        active = bool(training) and t.evaluating and value != 0
        still = noise.startswith("gaussian") and training
        found = draws.Noise(noise, value, shared=_shared(layer, inputs))
        more = {"name": t.name_of(layer), "code": code_of(layer) if t.detailed else " "}
        more |= {"y": compute(inputs, *a, **k)} if still else {}
        return node(t, inputs, found, active, **more)

    with swapped(layer, call=call):
        return original(layer, *args, **kwargs)


def _shared(layer, inputs):
    """Axes along which one draw serves all."""
    shape = getattr(layer, "noise_shape", None)
    if hasattr(layer, "_get_noise_shape"):
        shape = layer._get_noise_shape(inputs)
    sizes = [int(n) for n in inputs.shape]
    if shape is None or len(shape) != len(sizes):
        return ()
    wanted = [None if n is None else int(n) for n in shape]
    return tuple(k for k, n in enumerate(wanted) if n == 1 and sizes[k] > 1)


# Layers of the user's own: measured, whatever they are called


def measured(t, layer, args, kwargs):
    """(`draws.Noise`, whether there is any in evaluation) of a layer; None where none is known."""
    given = [*args, *(v for k, v in kwargs.items() if k != "training")]
    if len(given) != 1 or not tf.is_tensor(given[0]) or not given[0].dtype.is_floating:
        return None
    if layer.weights or not hasattr(given[0], "numpy"):
        return None
    x = given[0]
    key = t.name_of(layer), tuple(x.shape)
    if key not in t.noises:
        with t.suspended(), contextlib.suppress(Exception):  # on inputs that it does not expect
            t.noises[key] = None
            t.noises[key] = _measured(t, layer, x)
    return t.noises[key]


def _measured(t, layer, x):
    def run(array, training, *, still=False):
        mode = {"training": training} if layer._call_has_training_arg else {}
        before = t.draws.count
        real = contextlib.nullcontext() if still else t.draws.real(0)
        with real:
            y = t._call(layer, tf.constant(array, x.dtype), **mode)
        return np.asarray(y, np.float64), t.draws.count > before

    if not run(np.array(x), True)[1]:
        return None
    stated = [v for v in vars(layer).values() if isinstance(v, float)]
    for whole in (False, True):
        inputs = [draws.probe(x.shape, seed, whole=whole) for seed in (0, 1)]
        with contextlib.suppress(Exception):  # it takes inputs of its own shape only
            outputs = [run(array, True)[0] for array in inputs]
            still = run(inputs[0], True, still=True)[0]
            found = draws.measured(inputs, outputs, still, [*stated, *(1 - v for v in stated)])
            return found and (found, run(inputs[0], False)[1])
    return None


def looked_into(t, layer, known, compute, args, kwargs):
    """A layer that is nothing but noise: its own code, and a node of what it would drop.

    Where it drops, its mean takes the place of its draw.
    """
    found, active = known
    x = next(v for v in (*args, *kwargs.values()) if tf.is_tensor(v))
    more = {"name": t.name_of(layer), "code": code_of(layer) if t.detailed else " "}
    if found.noise != "dropout" or not (active or not t.evaluating):
        y = compute(layer, *args, **kwargs)
        return node(t, y, found, active, **more) if tf.is_tensor(y) else y
    y = x if found.factor == 1.0 else x * tf.constant(found.factor, x.dtype)
    return node(t, x, found, active and t.evaluating, y=y, **more)
