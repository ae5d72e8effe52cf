"""Keras' layers that are one operation of the vocabulary, heard as a whole."""

from __future__ import annotations

import contextlib
import inspect

import keras
import tensorflow as tf
from keras import layers as kl

from parity.keras_side.checker import attention, noise, products, recurrent, windows
from parity.keras_side.checker.descriptions import (
    DESCRIBED,
    batch_norm,
    channels_of,
    opaque,
    spatial,
)
from parity.keras_side.checker.marks import filled, flat, swapped
from parity.keras_side.checker.naming import code_of


def handler(layer, builtin, *, apart=()):
    """The function that hears a layer as a whole; None where it is to be looked into.

    Args:
        layer: any.
        builtin: whether its class is Keras' own.
        apart: recurrent layers of these cells are looked into.
    """
    if not builtin:
        return None
    kind = _base(layer)
    if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        return None
    if any(isinstance(held, tf.Tensor) for held in vars(layer).values()):
        return None  # a wrapper has computed one of its weights
    if kind in DESCRIBED:
        return _leaf(DESCRIBED[kind])
    special = SPECIAL.get(kind)
    if recurrent.kind_of(layer) in apart:
        return recurrent.steps if recurrent.is_known(layer) else None
    if kind is kl.RNN and recurrent.is_known(layer.cell):
        return recurrent.layer
    if recurrent.is_known(layer):
        return recurrent.cell
    if special is None and kind.__name__.startswith("Random"):
        return noise.builtin
    return special


def _base(layer):
    """Keras' class whose `call` this layer runs."""
    return next(c for c in type(layer).__mro__ if c.__module__.startswith("keras.src."))


@contextlib.contextmanager
def opened(t, layer, kwargs):
    """What must be arranged in a layer before it is looked into."""
    with contextlib.ExitStack() as stack:
        if isinstance(layer, kl.MultiHeadAttention | kl.GroupQueryAttention):
            attention.arrange(stack, layer)
        if isinstance(layer, kl.RNN) and recurrent.kind_of(layer) in t.apart:
            stack.enter_context(swapped(layer, unroll=True, use_cudnn=False))
        if type(layer) is kl.TimeDistributed and _steps_join(layer):
            stack.enter_context(swapped(layer, call=_joined_steps(layer)))
        yield


def _leaf(describe):
    def heard(t, layer, original, args, kwargs):
        given = _live(args, kwargs)
        seen, written = {}, []
        code = code_of(layer) if t.detailed else " "

        def write(y):
            x = given[0]
            kind, settings, parameters = describe(layer, x, y, seen)
            run = again(layer, original, args, kwargs, seen, given)
            if seen.get("mask") is not None:
                settings = {**settings, "masked": True}
            more = {"name": t.name_of(layer), "code": code}
            t.emit(kind, settings, given, [y], run, parameters=parameters, **more)
            written.append(y)

        call = layer.call
        bind = inspect.signature(call).bind

        def sniffed(*a, **k):
            seen.update(bind(*a, **k).arguments)
            return call(*a, **k)

        active = getattr(layer, "activation", None)
        split = callable(active) and active is not keras.activations.linear

        def activation(y, *a, **k):
            write(y)
            with t.resumed(layer, code):
                return active(y, *a, **k)

        changes = {"call": sniffed, **({"activation": activation} if split else {})}
        with swapped(layer, **changes):
            outputs = original(layer, *args, **kwargs)
        if not written:
            write(flat(outputs)[0])
        return outputs

    return heard


def _live(args, kwargs):
    return [x for x in flat([args, kwargs]) if tf.is_tensor(x) and not x.dtype.is_bool]


def again(layer, original, args, kwargs, seen, given):
    """A way to run the layer once more, without its activation, on other operands."""
    places = {id(x): i for i, x in enumerate(given)}
    shape = [
        filled(part, lambda x: _Place(places[id(x)]) if id(x) in places else x)
        for part in (args, kwargs)
    ]
    mode = {k: seen[k] for k in ("training", "mask") if seen.get(k) is not None}
    linear = {"activation": keras.activations.linear} if hasattr(layer, "activation") else {}

    def run(xs):
        again, named = (
            filled(part, lambda x: xs[x.index] if isinstance(x, _Place) else x) for part in shape
        )
        with swapped(layer, **linear):
            return flat(original(layer, *again, **{**named, **mode}))

    return run


class _Place:
    """Where an operand stood."""

    def __init__(self, index):
        self.index = index


# Layers that need more than a description


def _batch_norm_layer(t, layer, original, args, kwargs):
    if layer.built and getattr(layer, "renorm", False):
        return _leaf(opaque)(t, layer, original, args, kwargs)
    return _leaf(batch_norm)(t, layer, original, args, kwargs)


def _einsum_dense(t, layer, original, args, kwargs):
    x = _live(args, kwargs)[0]
    given = []
    code = code_of(layer) if t.detailed else " "
    active = layer.activation
    split = callable(active) and active is not keras.activations.linear

    def write(y):
        given.append(y)
        plan = _plan(layer, x)
        name = t.name_of(layer)
        units = [c for c in plan.right if c not in plan.inner] if plan else []
        shaped = layer.bias is None or (plan and _bias_fits(layer, plan, units))
        if plan is None or plan.batch or plan.swapped or not shaped:
            variables = [v for v in (layer._kernel, layer.bias) if v is not None]
            roles = {f"raw{i or ''}": (v, None, None) for i, v in enumerate(variables)}
            run = again(layer, original, args, kwargs, {}, [x])
            settings = {"equation": layer.equation, "bias": layer.bias is not None}
            t.emit("einsum", settings, [x], [y], run, parameters=roles, name=name, code=code)
            return
        variables = {"kernel": layer._kernel, "bias": layer.bias}
        products.dense(t, plan, x, y, variables, name=name, code=code)

    def activation(y):
        write(y)
        with t.resumed(layer, code):
            return active(y)

    with swapped(layer, **({"activation": activation} if split else {})):
        outputs = original(layer, *args, **kwargs)
    if not given:
        write(outputs)
    return outputs


def _plan(layer, x):
    """The plan of a layer's equation, its dots written out."""
    equation = layer.equation.replace(" ", "")
    left = equation.partition(",")[0]
    spare = len(x.shape) - len(left.replace("...", ""))
    dots = [c for c in "ABCDEFGHIJ" if c not in equation][:spare]
    return products.EinsumPlan.of(equation.replace("...", "".join(dots)))


def _bias_fits(layer, plan, units):
    """Whether the bias goes over the axes that the kernel makes, all of them, in order."""
    sizes = {c: int(n) for c, n in zip(plan.right, layer._kernel.shape, strict=True)}
    expected = [sizes[c] for c in plan.out if c in units]
    bias = [int(n) for n in layer.bias.shape]
    while len(bias) > len(expected) and bias[-1] == 1:
        bias.pop()
    return bias == expected and [c for c in plan.out if c in units] == units


def _separable(t, layer, original, args, kwargs):
    x = _live(args, kwargs)[0]
    given = []
    code = code_of(layer) if t.detailed else " "
    active = layer.activation
    split = callable(active) and active is not keras.activations.linear

    def write(y):
        given.append(y)
        name = t.name_of(layer)
        sizes, window = spatial(layer, x.shape), list(layer.kernel_size)
        stride, dilation = list(layer.strides), list(layer.dilation_rate)
        channels = int(x.shape[1 if layer.data_format == "channels_first" else -1])
        many = channels * layer.depth_multiplier
        common = {"channels": channels_of(layer), "mode": "zeros"}
        first = {
            **common,
            "kernel": window,
            "stride": stride,
            "dilation": dilation,
            "padding": windows.paddings(layer.padding, sizes, window, stride, dilation),
            "groups": channels,
            "bias": False,
        }
        ones = [1] * len(window)
        second = {
            **common,
            "kernel": ones,
            "stride": ones,
            "dilation": ones,
            "padding": [[0, 0] for _ in window],
            "groups": 1,
            "bias": layer.use_bias,
        }
        between = _depthwise(layer)([x])[0]
        shape = (*window, 1, many)
        roles = {"kernel": (layer.depthwise_kernel, shape, None)}
        more = {"name": name, "code": code}
        t.emit("convolution", first, [x], [between], _depthwise(layer), parameters=roles, **more)
        roles = {"kernel": (layer.pointwise_kernel, None, None)}
        if layer.use_bias:
            roles["bias"] = (layer.bias, None, None)
        t.emit("convolution", second, [between], [y], _pointwise(layer), parameters=roles, **more)

    def activation(y):
        write(y)
        with t.resumed(layer, code):
            return active(y)

    with swapped(layer, **({"activation": activation} if split else {})):
        outputs = original(layer, *args, **kwargs)
    if not given:
        write(outputs)
    return outputs


def _depthwise(layer):
    def run(xs):
        return [
            keras.ops.depthwise_conv(
                xs[0],
                layer.depthwise_kernel,
                strides=layer.strides,
                padding=layer.padding,
                data_format=layer.data_format,
                dilation_rate=layer.dilation_rate,
            )
        ]

    return run


def _pointwise(layer):
    def run(xs):
        y = keras.ops.conv(
            xs[0], layer.pointwise_kernel, padding="valid", data_format=layer.data_format
        )
        if layer.use_bias:
            first = layer.data_format == "channels_first"
            shape = [-1] + [1] * layer.rank if first else [-1]
            y = y + tf.reshape(tf.convert_to_tensor(layer.bias), shape)
        return [y]

    return run


def _steps_join(layer):
    """Whether steps may be part of the batch: nothing in it depends on its batch."""
    inner = [layer.layer, *layer.layer._flatten_layers(include_self=False)]
    return not any(isinstance(x, kl.BatchNormalization | kl.RNN) for x in inner)


def _joined_steps(layer):
    """`TimeDistributed` as one call on all steps at once instead of one call a step."""
    call = layer.call

    def joined(inputs, training=None, mask=None):
        if mask is not None:
            return call(inputs, training=training, mask=mask)
        batch, steps = inputs.shape[:2]
        y = layer.layer(tf.reshape(inputs, [-1, *inputs.shape[2:]]))
        return tf.reshape(y, [batch, steps, *y.shape[1:]])

    return joined


SPECIAL = {
    kl.BatchNormalization: _batch_norm_layer,
    kl.EinsumDense: _einsum_dense,
    kl.SeparableConv1D: _separable,
    kl.SeparableConv2D: _separable,
    **dict.fromkeys(noise.LAYERS, noise.builtin),
    **dict.fromkeys((kl.LSTM, kl.GRU, kl.SimpleRNN), recurrent.layer),
    kl.Bidirectional: recurrent.bidirectional,
}
