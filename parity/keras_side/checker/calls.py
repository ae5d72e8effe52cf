"""One primitive operation of TensorFlow as it was executed, and how it is written down."""

from __future__ import annotations

import inspect
import re

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from parity.keras_side.checker import resizing
from parity.keras_side.checker.marks import SOME

_NUMBERED = re.compile(r"__inference_(.+)_\d+")
"""How TensorFlow calls a function that it has traced: another number in each run."""


class Call:
    """One primitive operation as it was executed."""

    def __init__(self, op, inputs, attrs, outputs):
        self.op, self.inputs, self.outputs = op, inputs, outputs
        self.attrs = dict(zip(attrs[::2], attrs[1::2], strict=True))

    def get(self, name, default=None):
        """An attribute; bytes as text."""
        value = self.attrs.get(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def bare(self):
        """The same operation without the tensors that it was called on."""
        again = type(self)(self.op, [], (), [])
        again.attrs = self.attrs
        return again

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
    strange = [
        n
        for n in names
        if n not in {a.name for a in definition.input_arg}
        and n not in {a.name for a in definition.attr}
    ]
    lost = [
        a.name
        for a in (*definition.input_arg, *definition.attr)
        if a.name in given and a.name not in names
    ]
    new = dict(zip(lost, strange, strict=False))
    return {new.get(name, name): value for name, value in given.items()}


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
    again = call.bare()

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
    node(t, call, "opaque", {"name": _NUMBERED.sub(r"\1", call.op)})


def with_weight(t, call, kind, settings, place, roles):
    """A node with one operand and weights: role → (key, place in the call, shape, axes)."""
    x = call.inputs[place]
    fixed = list(call.inputs)
    fixed[place] = None
    again = call.bare()
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
        if call.op == "StopGradient" and root[0] != "constant" and root not in t.stopped:
            t.stopped.append(root)
        return
    if not t.detailed:
        for y in call.outputs:
            t.moved(y, root, SOME)
        return
    inputs = list(call.inputs)
    inputs[place] = tf.constant(indices(ref))
    for y, ids in zip(call.outputs, rerun(call, inputs), strict=True):
        t.moved(y, root, ids)
