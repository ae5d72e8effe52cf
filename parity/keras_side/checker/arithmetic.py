"""Primitive operations of arithmetic: with one or two operands, along axes, by comparison."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from parity.keras_side.checker import calls
from parity.keras_side.checker.marks import SOME, shortest

ACTIVATIONS = {
    "Relu": "relu",
    "Relu6": "relu6",
    "Elu": "elu",
    "Selu": "selu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "LeakyRelu": "leaky_relu",
    "Softmax": "softmax",
    "LogSoftmax": "log_softmax",
}
BINARIES = {
    "Add": "add",
    "AddV2": "add",
    "BiasAdd": "add",
    "Sub": "subtract",
    "Mul": "multiply",
    "RealDiv": "divide",
    "Div": "divide",
    "DivNoNan": "divide",
    "Pow": "power",
    "Maximum": "maximum",
    "Minimum": "minimum",
}
UNARIES = {
    "Exp": "exp",
    "Log": "log",
    "Log1p": "log1p",
    "Expm1": "expm1",
    "Sqrt": "sqrt",
    "Rsqrt": "rsqrt",
    "Square": "square",
    "Abs": "abs",
    "Neg": "neg",
    "Sin": "sin",
    "Cos": "cos",
    "Tan": "tan",
    "Erf": "erf",
    "Erfc": "erfc",
    "Sign": "sign",
    "Floor": "floor",
    "Ceil": "ceil",
    "Round": "round",
    "Rint": "round",
    "Reciprocal": "reciprocal",
    "Inv": "reciprocal",
    "Sinh": "sinh",
    "Cosh": "cosh",
    "Atan": "atan",
    "Asin": "asin",
    "Acos": "acos",
    "LogicalNot": "logical_not",
    "IsNan": "isnan",
    "IsInf": "isinf",
    "IsFinite": "isfinite",
}
REDUCTIONS = {
    "Mean": "mean",
    "Sum": "sum",
    "Max": "max",
    "Min": "min",
    "Prod": "prod",
    "All": "all",
    "Any": "any",
    "EuclideanNorm": "norm",
}
COMPARISONS = {
    "Greater": "greater",
    "GreaterEqual": "greater_equal",
    "Less": "less",
    "LessEqual": "less_equal",
    "Equal": "equal",
    "NotEqual": "not_equal",
    "LogicalAnd": "logical_and",
    "LogicalOr": "logical_or",
}


def _number(t, x, other):
    """The number that an operand is, None for one that is live or an array."""
    if not t.is_constant(x) or x.dtype.is_bool:
        return None
    if int(np.prod(x.shape)) != 1 or len(x.shape) > len(other.shape):
        return None
    return shortest(x.numpy())


def binary(t, call):
    """Two operands, one of which may be a number."""
    kind = BINARIES[call.op]
    left, right = call.inputs[:2]
    settings = {}
    for number, place in ((right, 0), (left, 1)):
        other = call.inputs[place]
        value = _number(t, number, other)
        if value is not None:
            if _neutral(kind, value, place == 1):
                t.alias(call.outputs[0], t.ref(other))
                return
            settings = {"scalar": value, "scalar_left": place == 1}
            calls.node(t, call, kind, settings, [place])
            return
    if call.op == "BiasAdd" and call.get("data_format") in ("NCHW", "NCDHW"):
        rank = len(left.shape)
        shaped = tf.reshape(right, [-1] + [1] * (rank - 2))
        ref = t.ref(right)
        ids = calls.indices(ref).reshape(shaped.shape) if t.detailed else SOME
        t.moved(shaped, ref.root, ids)
        call = calls.Call("AddV2", [left, shaped], (), call.outputs)
    calls.node(t, call, kind, settings, [0, 1])


def _neutral(kind, value, on_left):
    """Whether nothing happens: Keras adds 0.0 and multiplies by 1.0 where nobody asked to."""
    if kind == "add" or (kind == "subtract" and not on_left):
        return value == 0
    return (kind == "multiply" or (kind in ("divide", "power") and not on_left)) and value == 1


def add_many(t, call):
    """A sum of several, one after the other."""
    total = call.inputs[0]
    for i, x in enumerate(call.inputs[1:], 2):
        y = call.outputs[0] if i == len(call.inputs) else total + x
        step = calls.Call("AddV2", [total, x], (), [y])
        binary(t, step)
        total = y


def squared_difference(t, call):
    """A subtraction and a square."""
    left, right = call.inputs
    y = left - right
    binary(t, calls.Call("Sub", [left, right], (), [y]))
    unary(t, calls.Call("Square", [y], (), call.outputs))


def activation(t, call):
    """An activation by TensorFlow's own name."""
    name = ACTIVATIONS[call.op]
    settings = {"name": name}
    if name == "leaky_relu":
        settings["slope"] = shortest(np.float32(call.get("alpha", 0.2)))
    elif name == "elu":
        settings["alpha"] = 1.0
    elif name in ("softmax", "log_softmax"):
        settings["axis"] = len(call.outputs[0].shape) - 1
    calls.node(t, call, "activation", settings)


def unary(t, call):
    """A function of one operand."""
    calls.node(t, call, "unary", {"name": UNARIES[call.op]})


def cast(t, call):
    """A cast that loses something."""
    target = call.outputs[0].dtype
    name = target.name if target.is_floating else "cast"
    calls.node(t, call, "unary", {"name": name}, function="cast")


def reduce(t, call):
    """A reduction over some axes."""
    rank = len(call.inputs[0].shape)
    axes = sorted({int(a) % rank for a in np.reshape(call.inputs[1].numpy(), [-1])}) if rank else []
    if not axes:
        t.alias(call.outputs[0], t.ref(call.inputs[0]))
        return
    settings = {"mode": REDUCTIONS[call.op], "axes": axes, "keepdims": bool(call.get("keep_dims"))}
    calls.node(t, call, "reduce", settings, [0])


def compare(t, call):
    """A comparison, or a logical operation."""
    left, right = call.inputs
    for number, place in ((right, 0), (left, 1)):
        value = _number(t, number, call.inputs[place])
        if value is not None:
            settings = {"name": COMPARISONS[call.op], "scalar": value, "scalar_left": place == 1}
            calls.node(t, call, "compare", settings, [place])
            return
    if call.op == "LogicalAnd":  # with all true: nothing happens
        for full, other in ((left, right), (right, left)):
            everywhere = t.is_constant(full) and bool(np.all(full.numpy()))
            if everywhere and t.is_live(other):
                y = call.outputs[0]
                if tuple(y.shape) == tuple(other.shape):
                    t.alias(y, t.ref(other))
                else:
                    calls.move(t, calls.Call("BroadcastTo", [other, tf.shape(y)], (), [y]), 0)
                return
    calls.node(t, call, "compare", {"name": COMPARISONS[call.op]}, [0, 1])


def where(t, call):
    """A choice; with a large negative number it is the mask of an attention, which is added."""
    condition, yes, no = call.inputs
    value = _number(t, no, yes)
    if value is not None and value <= -1e8 and t.is_live(yes):
        zero = tf.zeros([], yes.dtype)
        mask = tf.where(condition, zero, no)
        if t.is_constant(condition):
            t.constant([mask])
        else:
            settings = {"scalar": 0.0, "other": value}
            again = calls.Call("SelectV2", [condition, zero, no], (), [mask])
            calls.node(t, again, "where", settings, [0])
        y = call.outputs[0]
        run = lambda xs: [xs[0] + xs[1]]  # noqa: E731
        t.emit("add", {"mask": True}, [yes, mask], [y], run, function="add")
        return
    settings = {}
    if _number(t, yes, condition) is not None:
        settings["scalar"] = _number(t, yes, condition)
    if _number(t, no, condition) is not None:
        settings["other"] = _number(t, no, condition)
    places = [0]
    places += [i for i, name in ((1, "scalar"), (2, "other")) if name not in settings]
    calls.node(t, call, "where", settings, places)


def clip(t, call):
    """Between two numbers."""
    x, low, high = call.inputs
    a, b = _number(t, low, x), _number(t, high, x)
    if a is None or b is None:
        calls.node(t, call, "opaque", {"name": "clip"})
        return
    calls.node(t, call, "activation", {"name": "clip", "low": a, "high": b}, [0])


def pad(t, call):
    """Padding of every axis, with a value or by reflection."""
    padding = call.inputs[1].numpy().tolist()
    settings = {"padding": padding, "mode": "constant", "value": 0.0}
    if call.op == "MirrorPad":
        settings["mode"] = {"REFLECT": "reflect", "SYMMETRIC": "symmetric"}[call.get("mode")]
    elif call.op == "PadV2":
        settings["value"] = shortest(call.inputs[2].numpy())
    calls.node(t, call, "pad", settings, [0])


def cumulative(t, call):
    """A running sum or product."""
    x = call.inputs[0]
    axis = int(call.inputs[1]) % len(x.shape)
    settings = {"name": call.op.lower(), "axis": axis}
    for name in ("exclusive", "reverse"):
        if call.get(name):
            settings[name] = True
    calls.node(t, call, "cumulative", settings, [0])


def top(t, call):
    """Arguments of extremes: indices, through which nothing is differentiated."""
    axis = int(call.inputs[1]) % max(len(call.inputs[0].shape), 1)
    calls.node(t, call, "opaque", {"name": call.op.lower(), "axis": axis}, [0])


RULES = {
    **dict.fromkeys(ACTIVATIONS, activation),
    **dict.fromkeys(UNARIES, unary),
    **dict.fromkeys(REDUCTIONS, reduce),
    **dict.fromkeys(COMPARISONS, compare),
    **dict.fromkeys(BINARIES, binary),
    **dict.fromkeys(("Select", "SelectV2"), where),
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), pad),
    **dict.fromkeys(("Cumsum", "Cumprod"), cumulative),
    **dict.fromkeys(("ArgMax", "ArgMin"), top),
    "Cast": cast,
    "AddN": add_many,
    "SquaredDifference": squared_difference,
    "ClipByValue": clip,
}
