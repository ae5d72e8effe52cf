"""TensorFlow's primitive operations in the words of the vocabulary."""

from __future__ import annotations

import inspect

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from . import products, resizing, windows
from .marks import SOME, shortest

ACTIVATIONS = {
    "Relu": "relu", "Relu6": "relu6", "Elu": "elu", "Selu": "selu", "Sigmoid": "sigmoid",
    "Tanh": "tanh", "Softplus": "softplus", "Softsign": "softsign", "LeakyRelu": "leaky_relu",
    "Softmax": "softmax", "LogSoftmax": "log_softmax",
}  # fmt: skip
BINARIES = {
    "Add": "add", "AddV2": "add", "BiasAdd": "add", "Sub": "subtract", "Mul": "multiply",
    "RealDiv": "divide", "Div": "divide", "DivNoNan": "divide", "Pow": "power",
    "Maximum": "maximum", "Minimum": "minimum",
}  # fmt: skip
UNARIES = {
    "Exp": "exp", "Log": "log", "Log1p": "log1p", "Expm1": "expm1", "Sqrt": "sqrt",
    "Rsqrt": "rsqrt", "Square": "square", "Abs": "abs", "Neg": "neg", "Sin": "sin", "Cos": "cos",
    "Tan": "tan", "Erf": "erf", "Erfc": "erfc", "Sign": "sign", "Floor": "floor", "Ceil": "ceil",
    "Round": "round", "Rint": "round", "Reciprocal": "reciprocal", "Inv": "reciprocal",
    "Sinh": "sinh", "Cosh": "cosh", "Atan": "atan", "Asin": "asin", "Acos": "acos",
    "LogicalNot": "logical_not", "IsNan": "isnan", "IsInf": "isinf", "IsFinite": "isfinite",
}  # fmt: skip
REDUCTIONS = {
    "Mean": "mean", "Sum": "sum", "Max": "max", "Min": "min", "Prod": "prod", "All": "all",
    "Any": "any", "EuclideanNorm": "norm",
}  # fmt: skip
COMPARISONS = {
    "Greater": "greater", "GreaterEqual": "greater_equal", "Less": "less",
    "LessEqual": "less_equal", "Equal": "equal", "NotEqual": "not_equal",
    "LogicalAnd": "logical_and", "LogicalOr": "logical_or",
}  # fmt: skip
MOVES = frozenset((
    "Reshape", "Transpose", "ExpandDims", "Squeeze", "StridedSlice", "Slice", "Split", "SplitV",
    "Unpack", "Tile", "BroadcastTo", "Identity", "StopGradient", "Cast", "ReverseV2", "Roll",
    "Snapshot", "EnsureShape", "PreventGradient", "CheckNumerics", "IdentityN", "DepthToSpace",
    "SpaceToDepth", "DeepCopy", "Bitcast", "ReverseSequence", "MatrixDiagPart",
    "ConjugateTranspose",
))  # fmt: skip
FREE = frozenset((
    "Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike", "Fill", "VariableShape",
    "BroadcastArgs", "BroadcastGradientArgs",
))  # fmt: skip
"""What depends on the shapes of its operands alone."""


class Call:
    """One primitive operation as it was executed."""

    def __init__(self, op, inputs, attrs, outputs):
        self.op, self.inputs, self.outputs = op, inputs, outputs
        self.attrs = dict(zip(attrs[::2], attrs[1::2], strict=True))

    def get(self, name, default=None):
        """An attribute; bytes as text."""
        value = self.attrs.get(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def __call__(self, inputs):
        """The same operation on other operands, of whatever type."""
        definition = op_def_registry.get(self.op)
        derived = {a.type_attr for a in definition.input_arg}
        derived |= {a.number_attr for a in definition.input_arg}
        derived |= {a.type_list_attr for a in definition.input_arg}
        known = {a.name for a in definition.attr} - derived
        if self.op == "ResizeBilinear" and inputs[0].dtype == tf.float64:
            rule = bool(self.get("align_corners")), bool(self.get("half_pixel_centers"))
            return [resizing.bilinear(inputs[0], inputs[1], *rule)]
        given, rest = {}, list(inputs)
        for arg in definition.input_arg:
            if arg.number_attr:
                count = self.attrs.get(arg.number_attr, len(rest))
                given[arg.name], rest = rest[:count], rest[count:]
            elif arg.type_list_attr:
                given[arg.name], rest = rest, []
            else:
                given[arg.name] = rest.pop(0)
        given.update((k, v) for k, v in self.attrs.items() if k in known and v is not None)
        function = getattr(tf.raw_ops, self.op)
        result = function(**_renamed(function, given, definition))
        if isinstance(result, tuple):  # several outputs, named
            return [x for part in result for x in (part if isinstance(part, list) else [part])]
        return list(result) if isinstance(result, list) else [result]


def _renamed(function, given, definition):
    """Arguments by the names of the Python function, which differ from the definition's."""
    names = [n for n in inspect.signature(function).parameters if n != "name"]
    strange = [n for n in names if n not in {a.name for a in definition.input_arg}
               and n not in {a.name for a in definition.attr}]  # fmt: skip
    lost = [a.name for a in (*definition.input_arg, *definition.attr)
            if a.name in given and a.name not in names]  # fmt: skip
    new = dict(zip(lost, strange, strict=False))
    return {new.get(name, name): value for name, value in given.items()}


def hear(t, call):
    """Write down what one primitive operation did."""
    if not call.outputs:
        return
    live = [x for x in call.inputs if t.is_live(x)]
    if not live or call.op in FREE or all(t.is_constant(x) for x in live):
        t.constant(call.outputs)
        return
    if call.op in MOVES and not (call.op == "Cast" and _loses(call)):
        move(t, call, next(i for i, x in enumerate(call.inputs) if x is live[0]))
    elif call.op in BINARIES:
        binary(t, call, BINARIES[call.op])
    else:
        rule = RULES.get(call.op, opaque)
        rule(t, call)


def _loses(call):
    source, target = call.inputs[0].dtype, call.outputs[0].dtype
    return source.is_floating and not target.is_floating


def node(t, call, kind, settings, places=None, **more):
    """A node whose operands are these inputs of the call (all live ones by default)."""
    if places is None:
        places = [i for i, x in enumerate(call.inputs) if t.is_live(x)]
    plain = kind in ("activation", "unary", "compare", "reduce", "opaque", "cumulative")
    named = settings.get("name") or settings.get("mode")
    more.setdefault("function", named if plain and named else kind)
    inputs = [call.inputs[i] for i in places]
    # Only what is no operand is kept.
    fixed = [None if i in places else x for i, x in enumerate(call.inputs)]
    again = Call(call.op, [], (), [])
    again.attrs = call.attrs

    def run(xs):
        operands = list(fixed)
        for i, x in zip(places, xs, strict=True):
            operands[i] = x
        return again(operands)

    return t.emit(kind, settings, inputs, call.outputs, run, **more)


def opaque(t, call):
    """What the vocabulary has no word for."""
    if call.op.startswith(("Random", "StatelessRandom")):
        t.constant(call.outputs)
        return
    node(t, call, "opaque", {"name": call.op})


# What only moves numbers


def indices(ref):
    """The elements of the root that a reference holds, in its shape."""
    if ref.ids is not None:
        return ref.ids
    return np.arange(int(np.prod(ref.shape)), dtype=np.int64).reshape(ref.shape)


def rerun(call, inputs):
    """The operation on indices; in float64, which holds them exactly, where it needs floats."""
    try:
        return [x.numpy() for x in call(inputs)]
    except (tf.errors.InvalidArgumentError, tf.errors.NotFoundError, tf.errors.UnimplementedError):
        floats = [tf.cast(x, tf.float64) if x.dtype == tf.int64 else x for x in inputs]
        return [x.numpy().astype(np.int64) for x in call(floats)]


def move(t, call, place):
    """The outputs are elements of what one operand is an element of."""
    ref = t.ref(call.inputs[place])
    root = ref.root
    if call.op in ("Identity", "StopGradient", "Cast", "Snapshot", "DeepCopy", "EnsureShape"):
        t.alias(call.outputs[0], ref)
        return
    if not t.detailed:
        for y in call.outputs:
            t.moved(y, root, SOME)
        return
    inputs = list(call.inputs)
    inputs[place] = tf.constant(indices(ref))
    for y, ids in zip(call.outputs, rerun(call, inputs), strict=True):
        t.moved(y, root, ids)


def join(t, call):
    """Pieces of one root are put together again; else this is a node."""
    stack = call.op in ("Pack", "ParallelStack")
    pieces = call.inputs if stack else call.inputs[:-1]
    refs = [t.ref(x) if t.is_live(x) else None for x in pieces]
    kept = [(r, x) for r, x in zip(refs, pieces, strict=True) if int(np.prod(x.shape)) or stack]
    same = all(r is not None and r.root == kept[0][0].root for r, _ in kept)
    if same and kept:
        root = kept[0][0].root
        if not t.detailed:
            t.moved(call.outputs[0], root, SOME)
            return
        inputs = [tf.constant(indices(r)) for r, _ in kept] + ([] if stack else [call.inputs[-1]])
        again = Call(call.op, [], [], [])
        again.attrs = {**call.attrs, "N": len(kept)}
        t.moved(call.outputs[0], root, again(inputs)[0].numpy())
        return
    rank = len(call.outputs[0].shape)
    axis = call.get("axis", 0) if stack else int(call.inputs[-1])
    node(
        t,
        call,
        "stack" if stack else "concatenate",
        {"axis": axis % rank},
        list(range(len(pieces))),
    )


def gather(t, call):
    """Indices known beforehand move; live ones look up."""
    values, places = call.inputs[0], call.inputs[1]
    if t.is_constant(places) and t.is_live(values):
        move(t, call, 0)
        return
    key = t.parameter(values)
    axis = int(call.inputs[2]) if len(call.inputs) > 2 else 0
    if key is not None and axis == 0 and len(values.shape) == 2:
        rows, size = values.shape
        settings = {"rows": rows, "size": size, "zero_index": None, "mask_zero": False}
        with_weight(t, call, "embedding", settings, 1, {"embeddings": (key, 0, None, None)})
        return
    node(t, call, "gather", {"axis": axis})


def with_weight(t, call, kind, settings, place, roles):
    """A node with one operand and weights: role → (key, place in the call, shape, axes)."""
    x = call.inputs[place]
    fixed = list(call.inputs)
    fixed[place] = None
    again = Call(call.op, [], (), [])
    again.attrs = call.attrs
    variables = {i: t.weights[key].variable for key, i, _, _ in roles.values()}
    for i in variables:
        fixed[i] = None

    def run(xs):
        operands = list(fixed)
        operands[place] = xs[0]
        for i, variable in variables.items():
            operands[i] = tf.convert_to_tensor(variable)
        return again(operands)

    parameters = {role: (key, shape, axes) for role, (key, _, shape, axes) in roles.items()}
    return t.emit(kind, settings, [x], call.outputs, run, parameters=parameters, function=kind)


# Arithmetic


def _number(t, x, other):
    """The number that an operand is, None for one that is live or an array."""
    if not t.is_constant(x) or x.dtype.is_bool:
        return None
    if int(np.prod(x.shape)) != 1 or len(x.shape) > len(other.shape):
        return None
    return shortest(x.numpy())


def binary(t, call, kind):
    """Two operands, one of which may be a number."""
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
            node(t, call, kind, settings, [place])
            return
    if call.op == "BiasAdd" and call.get("data_format") in ("NCHW", "NCDHW"):
        rank = len(left.shape)
        shaped = tf.reshape(right, [-1] + [1] * (rank - 2))
        ref = t.ref(right)
        ids = indices(ref).reshape(shaped.shape) if t.detailed else SOME
        t.moved(shaped, ref.root, ids)
        call = Call("AddV2", [left, shaped], (), call.outputs)
    node(t, call, kind, settings, [0, 1])


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
        step = Call("AddV2", [total, x], (), [y])
        binary(t, step, "add")
        total = y


def squared_difference(t, call):
    """A subtraction and a square."""
    left, right = call.inputs
    y = left - right
    binary(t, Call("Sub", [left, right], (), [y]), "subtract")
    unary(t, Call("Square", [y], (), call.outputs))


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
    node(t, call, "activation", settings)


def unary(t, call):
    """A function of one operand."""
    node(t, call, "unary", {"name": UNARIES[call.op]})


def cast(t, call):
    """A cast that loses something."""
    node(t, call, "unary", {"name": "cast"}, function="cast")


def reduce(t, call):
    """A reduction over some axes."""
    rank = len(call.inputs[0].shape)
    axes = sorted({int(a) % rank for a in np.reshape(call.inputs[1].numpy(), [-1])}) if rank else []
    if not axes:
        t.alias(call.outputs[0], t.ref(call.inputs[0]))
        return
    settings = {"mode": REDUCTIONS[call.op], "axes": axes, "keepdims": bool(call.get("keep_dims"))}
    node(t, call, "reduce", settings, [0])


def compare(t, call):
    """A comparison, or a logical operation."""
    left, right = call.inputs
    for number, place in ((right, 0), (left, 1)):
        value = _number(t, number, call.inputs[place])
        if value is not None:
            settings = {"name": COMPARISONS[call.op], "scalar": value, "scalar_left": place == 1}
            node(t, call, "compare", settings, [place])
            return
    if call.op == "LogicalAnd":  # with all true: nothing happens
        for full, other in ((left, right), (right, left)):
            everywhere = t.is_constant(full) and bool(np.all(full.numpy()))
            if everywhere and t.is_live(other):
                y = call.outputs[0]
                if tuple(y.shape) == tuple(other.shape):
                    t.alias(y, t.ref(other))
                else:
                    move(t, Call("BroadcastTo", [other, tf.shape(y)], (), [y]), 0)
                return
    node(t, call, "compare", {"name": COMPARISONS[call.op]}, [0, 1])


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
            again = Call("SelectV2", [condition, zero, no], (), [mask])
            node(t, again, "where", settings, [0])
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
    node(t, call, "where", settings, places)


def clip(t, call):
    """Between two numbers."""
    x, low, high = call.inputs
    a, b = _number(t, low, x), _number(t, high, x)
    if a is None or b is None:
        node(t, call, "opaque", {"name": "clip"})
        return
    node(t, call, "activation", {"name": "clip", "low": a, "high": b}, [0])


def pad(t, call):
    """Padding of every axis, with a value or by reflection."""
    padding = call.inputs[1].numpy().tolist()
    settings = {"padding": padding, "mode": "constant", "value": 0.0}
    if call.op == "MirrorPad":
        settings["mode"] = {"REFLECT": "reflect", "SYMMETRIC": "symmetric"}[call.get("mode")]
    elif call.op == "PadV2":
        settings["value"] = shortest(call.inputs[2].numpy())
    node(t, call, "pad", settings, [0])


def cumulative(t, call):
    """A running sum or product."""
    x = call.inputs[0]
    axis = int(call.inputs[1]) % len(x.shape)
    settings = {"name": call.op.lower(), "axis": axis}
    for name in ("exclusive", "reverse"):
        if call.get(name):
            settings[name] = True
    node(t, call, "cumulative", settings, [0])


def top(t, call):
    """Arguments of extremes: indices, through which nothing is differentiated."""
    axis = int(call.inputs[1]) % max(len(call.inputs[0].shape), 1)
    node(t, call, "opaque", {"name": call.op.lower(), "axis": axis}, [0])


RULES = {
    **dict.fromkeys(ACTIVATIONS, activation),
    **dict.fromkeys(UNARIES, unary),
    **dict.fromkeys(REDUCTIONS, reduce),
    **dict.fromkeys(COMPARISONS, compare),
    **dict.fromkeys(("ConcatV2", "Pack", "ParallelStack"), join),
    **dict.fromkeys(("Gather", "GatherV2", "ResourceGather", "GatherNd"), gather),
    **dict.fromkeys(("Select", "SelectV2"), where),
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), pad),
    **dict.fromkeys(("Cumsum", "Cumprod"), cumulative),
    **dict.fromkeys(("ArgMax", "ArgMin"), top),
    "Cast": cast,
    "AddN": add_many,
    "SquaredDifference": squared_difference,
    "ClipByValue": clip,
    **products.RULES,
    **windows.RULES,
}
