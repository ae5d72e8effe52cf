"""Functions that are heard as a whole, noise that is switched off, and constants made exact.

Keras looks its backend's functions up when it calls them, so that one replacement there serves
``keras.activations``, ``keras.ops`` and every layer, however the user imported them.
"""

from __future__ import annotations

import contextlib
import inspect
import types

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.common.variables import Variable as KerasVariable
from keras.src.backend.tensorflow import nn as backend_nn
from keras.src.backend.tensorflow import numpy as backend_numpy
from keras.src.backend.tensorflow import random as backend_random
from tensorflow.python.framework import ops as framework
from tensorflow.python.ops import array_ops, gen_image_ops, math_ops, nn_ops

from parity.checker.graph import draws
from parity.keras_side.checker import noise, resizing, widening, windows
from parity.keras_side.checker.calls import Call
from parity.keras_side.checker.primitives import hear

ACTIVATIONS = {
    "silu": ("silu", {}),
    "gelu": ("gelu", {"approximate": True}),
    "leaky_relu": ("leaky_relu", {"negative_slope": 0.2}),
    "elu": ("elu", {"alpha": 1.0}),
    "celu": ("celu", {"alpha": 1.0}),
    "selu": ("selu", {}),
    "hard_sigmoid": ("hard_sigmoid", {}),
    "hard_silu": ("hard_silu", {}),
    "log_sigmoid": ("log_sigmoid", {}),
    "hard_tanh": ("hard_tanh", {}),
    "tanh_shrink": ("tanh_shrink", {}),
    "soft_shrink": ("soft_shrink", {"threshold": 0.5}),
    "hard_shrink": ("hard_shrink", {"threshold": 0.5}),
    "threshold": ("threshold", {"threshold": None, "default_value": None}),
    "sparse_plus": ("sparse_plus", {}),
    "sparse_sigmoid": ("sparse_sigmoid", {}),
    "squareplus": ("squareplus", {"b": 4}),
}
"""Function of Keras' backend → the vocabulary's name, and its arguments with their defaults."""
TENSORFLOW = {
    "silu": ("silu", {"beta": 1.0}),
    "swish": ("silu", {"beta": 1.0}),
    "gelu": ("gelu", {"approximate": False}),
    "leaky_relu": ("leaky_relu", {"alpha": 0.2}),
}
"""The same for ``tf.nn``."""
_NAMES = {
    "negative_slope": "slope",
    "default_value": "value",
    "alpha": "alpha",
}


@contextlib.contextmanager
def replaced(owner, attributes):
    """Set attributes of a module or class for a while."""
    before = {name: vars(owner)[name] for name in attributes}
    try:
        for name, value in attributes.items():
            setattr(owner, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)


def patches(tracer):
    """What is replaced while a tracer listens: (module, name → function)."""
    backend = {
        name: _activation(tracer, getattr(backend_nn, name), *known)
        for name, known in ACTIVATIONS.items()
        if hasattr(backend_nn, name)
    }
    plain = {
        name: _activation(tracer, getattr(tf.nn, name), *known)
        for name, known in TENSORFLOW.items()
    }
    plain |= {name: _along(tracer, name) for name in ("softmax", "log_softmax")}
    plain["dropout"] = _dropout(tracer)
    plain["experimental"] = tf.nn.experimental
    found = [
        (backend_nn, backend),
        (tf.nn, {k: v for k, v in plain.items() if k != "experimental"}),
        (backend_random, {"dropout": _dropout(tracer)}),
    ]
    found[0][1]["conv"] = _grouped(tracer)
    found.append((backend_numpy, {name: _arg(tracer, name) for name in ("argmax", "argmin")}))
    found.append((nn_ops, {"conv1d": _line(tracer)}))
    found.append((KerasVariable, {"value": _value(tracer)}))
    found.append(tracer.draws.patches())
    stop = {"stop_gradient": _stop(tracer)}
    found += [(array_ops, stop), (tf, stop)]
    return found + (_exact(tracer) if tracer.exact else [])


def _grouped(tracer):
    """A grouped convolution group by group: TensorFlow differentiates no other on a CPU."""
    original = backend_nn.conv

    def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
        rest = (strides, padding, data_format, dilation_rate)
        first = keras.config.image_data_format() if data_format is None else data_format
        axis = 1 if first == "channels_first" else -1
        kernel = tf.convert_to_tensor(kernel)
        groups = int(inputs.shape[axis] or 0) // int(kernel.shape[-2])
        if groups < 2 or not tracer.paused or not tf.executing_eagerly():
            return original(inputs, kernel, *rest)
        pairs = zip(tf.split(inputs, groups, axis), tf.split(kernel, groups, -1), strict=True)
        return tf.concat([original(x, k, *rest) for x, k in pairs], axis)

    return conv


def _line(tracer):
    original = nn_ops.conv1d
    signature = inspect.signature(original)

    def conv1d(*args, **kwargs):
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        chosen = given.arguments
        x = chosen["input"] if chosen["value"] is None else chosen["value"]
        kernel = chosen["filters"]
        if tracer.paused or not tf.executing_eagerly() or len(x.shape) != 3:
            return original(*args, **kwargs)
        with tracer.suspended():
            y = original(*args, **kwargs)
            layout = "NCW" if str(chosen["data_format"]).startswith("NC") else "NWC"
            attributes = {"padding": chosen["padding"], "data_format": layout}
            for name, written in (("strides", "stride"), ("dilations", "dilations")):
                step = int(np.max(1 if chosen[written] is None else chosen[written]))
                attributes[name] = [1, 1, step] if layout == "NCW" else [1, step, 1]
            flat = [one for pair in attributes.items() for one in pair]
            hear(tracer, windows.Line("Conv1D", [x, kernel], flat, [y]))
        return y

    return conv1d


@contextlib.contextmanager
def differentiable():
    """The way back through a grouped convolution of the user's own, group by group as well."""
    known = framework.gradient_registry._registry["Conv2D"]
    original = known["type"]

    def by_group(op, gradient):
        x, kernel = op.inputs
        axis = 1 if op.get_attr("data_format") == b"NCHW" else 3
        groups = int(x.shape[axis]) // int(kernel.shape[2])
        if groups < 2:
            return original(op, gradient)
        whole = ((x, axis), (kernel, 3), (gradient, axis))
        parts = zip(*(tf.split(one, groups, at) for one, at in whole), strict=True)
        found = [
            original(types.SimpleNamespace(inputs=(a, k), get_attr=op.get_attr), g)
            for a, k, g in parts
        ]
        places = zip(zip(*found, strict=True), (axis, 3), strict=True)
        return [tf.concat(pieces, at) for pieces, at in places]

    known["type"] = by_group
    try:
        yield
    finally:
        known["type"] = original


def _value(tracer):
    """A variable's value as a tensor: TensorFlow reads variables unheard where it can."""
    original = KerasVariable.value

    def value(self):
        found = original.fget(self)
        if tracer.paging is not None:
            tracer.paging.touch(self)
        is_read = isinstance(found, tf.Variable) and tf.executing_eagerly()
        if tracer.streams is not None and is_read and id(self) in tracer.streams.keys:
            return tracer.streams.read(self, found)
        heard = not tracer.paused and is_read
        return tf.convert_to_tensor(found) if heard else found

    return property(value)


def _activation(tracer, original, name, defaults):
    def compute(x, **arguments):
        if name == "leaky_relu" and x.dtype == tf.float64:
            # The attribute of TensorFlow's operation is a float32.
            slope = next(iter(arguments.values()))
            return tf.where(x > 0, x, tf.constant(float(slope), x.dtype) * x)
        return original(x, **arguments)

    def wrapped(*args, **kwargs):
        if not args:
            first = next(k for k in ("x", "features", "value") if k in kwargs)
            args = (kwargs.pop(first),)
        arguments = dict(defaults)
        arguments.update(zip(defaults, args[1:], strict=False))
        arguments.update((k, v) for k, v in kwargs.items() if k in defaults)
        x = args[0]
        if keras.ops.is_tensor(x) or isinstance(x, np.ndarray | keras.Variable):
            x = tf.convert_to_tensor(x)
        if not hasattr(x, "numpy") or not tf.executing_eagerly():
            return original(x, **arguments)
        if tracer.paused or arguments.get("beta", 1.0) != 1.0 or tracer.is_constant(x):
            return compute(x, **arguments)
        with tracer.suspended():
            y = compute(x, **arguments)
            tracer.emit(
                "activation",
                _settings(name, arguments),
                [x],
                [y],
                lambda xs: [compute(xs[0], **arguments)],
                function=name,
            )
        return y

    return wrapped


def _along(tracer, name):
    """A softmax along another axis than the last: TensorFlow transposes for it, there and back."""
    original = getattr(tf.nn, name)

    def softmax(logits, axis=None, name=None):
        x = tf.convert_to_tensor(logits)
        last = len(x.shape) - 1
        at = last if axis is None else axis % max(len(x.shape), 1)
        heard = not tracer.paused and hasattr(x, "numpy") and tf.executing_eagerly()
        if not heard or at == last or tracer.is_constant(x):
            return original(x, axis=axis, name=name)
        settings = {"name": function, "axis": at}
        with tracer.suspended():
            y = original(x, axis=at)
            run = lambda xs: [original(xs[0], axis=at)]  # noqa: E731
            tracer.emit("activation", settings, [x], [y], run, function=function)
        return y

    function = name
    return softmax


def _arg(tracer, name):
    """The place of the largest or smallest: Keras looks for negative zeros first."""
    original = getattr(backend_numpy, name)

    def arg(x, axis=None, keepdims=False):
        heard = not tracer.paused and hasattr(x, "numpy") and tf.executing_eagerly()
        if not heard or axis is None or not x.shape or tracer.is_constant(x):
            return original(x, axis, keepdims)
        settings = {"mode": name, "axes": [axis % len(x.shape)], "keepdims": keepdims}
        with tracer.suspended():
            y = original(x, axis, keepdims)
            run = lambda xs: [original(xs[0], axis, keepdims)]  # noqa: E731
            tracer.emit("reduce", settings, [x], [y], run, function=name)
        return y

    return arg


def _settings(name, arguments):
    settings = {"name": name}
    for key, value in arguments.items():
        if key == "beta":
            continue
        known = "slope" if name == "leaky_relu" else _NAMES.get(key, key)
        settings[known] = value if isinstance(value, bool) else float(value)
    if name == "hard_tanh":
        settings.update(low=-1.0, high=1.0)
    return settings


def _dropout(tracer):
    def dropout(inputs, rate=0.5, *args, **kwargs):
        x = kwargs.pop("x", inputs) if inputs is None else inputs
        if not hasattr(x, "numpy"):
            tracer.note("A dropout within a tf.function is switched off; its rate is not compared.")
            return x
        if tracer.paused and not tracer.hears_between(x):
            return x
        # Reached in evaluation only by who drops there.
        return noise.node(tracer, x, draws.Noise("dropout", float(rate)), tracer.evaluating)

    def flexible(*args, **kwargs):
        if not args:
            args = (kwargs.pop("x", kwargs.pop("inputs", None)),)
        return dropout(*args, **kwargs)

    return flexible


def _stop(tracer):
    stop = array_ops.stop_gradient

    def stop_or_pass(input, name=None):
        live = not tracer.paused and hasattr(input, "numpy") and tracer.is_live(input)
        passes = live and tracer.passes(tracer.ref(input).root)
        return (array_ops.identity if passes else stop)(input, name=name)

    return stop_or_pass


def _exact(tracer):
    """Constants that TensorFlow and Keras round to float32 on the way to float64."""
    cast, attention = math_ops.cast, backend_nn.dot_product_attention

    def exact_cast(x, dtype, name=None):
        if isinstance(x, float) and tf.as_dtype(dtype) in (tf.float32, tf.float64):
            return tf.constant(x, tf.float64)
        return cast(x, dtype, name=name)

    def exact_attention(query, key, value, bias=None, mask=None, scale=None, *args, **kwargs):
        if scale is None:
            scale = 1.0 / float(np.sqrt(float(key.shape[-1])))
        return attention(query, key, value, bias, mask, scale, *args, **kwargs)

    bilinear = gen_image_ops.resize_bilinear

    def exact_bilinear(images, size, align_corners=False, half_pixel_centers=False, name=None):
        if getattr(images, "dtype", None) != tf.float64 or not tf.executing_eagerly():
            return bilinear(images, size, align_corners, half_pixel_centers, name)
        paused = tracer.paused
        with tracer.suspended():
            y = resizing.bilinear(images, size, align_corners, half_pixel_centers)
        if not paused:
            attributes = ("align_corners", align_corners, "half_pixel_centers", half_pixel_centers)
            with tracer.suspended():
                call = Call("ResizeBilinear", [images, tf.constant(size)], attributes, [y])
                hear(tracer, call)
        return y

    return [
        widening.patch(tracer),
        (math_ops, {"cast": exact_cast}),
        (tf, {"cast": exact_cast}),
        (backend_nn, {"dot_product_attention": exact_attention}),
        (gen_image_ops, {"resize_bilinear": exact_bilinear}),
    ]
