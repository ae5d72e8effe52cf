"""The tracer: sees every layer and every primitive operation of one eager run.

Two ears. Keras' own layers that are one operation of the vocabulary are heard as a whole, by
`Layer.__call__`. Everything else is heard below Keras: TensorFlow tells of every primitive
operation that it executes, with its operands, so that functions, operators, a model's own Python
and layers that nobody foresaw need no names here.
"""

from __future__ import annotations

import contextlib
import itertools

import keras
import numpy as np
import tensorflow as tf
from keras.src.layers.layer import Layer
from tensorflow.python.framework import op_callbacks

from parity.checker.graph.statements import statement
from parity.keras_side.checker import calls, functions, layers, noise, primitives
from parity.keras_side.checker.draws import Draws
from parity.keras_side.checker.marks import SOME, Raw, Ref, Scope, Weight, as_array, filled, flat
from parity.keras_side.checker.naming import (
    call_sites,
    code_of,
    library_of,
    made_at,
    user_sites,
)


def tensors_in(structure):
    """Every eager tensor in nested arguments."""
    return [leaf for leaf in flat(structure) if tf.is_tensor(leaf) and hasattr(leaf, "numpy")]


def read(given):
    """Arguments of a layer, variables among them as the tensors that it would make of them."""
    if not any(isinstance(leaf, keras.Variable) for leaf in flat(given)):
        return given  # as it is: a dictionary may be of a class of its own
    return filled(given, lambda x: tf.convert_to_tensor(x) if isinstance(x, keras.Variable) else x)


_SETUP = {
    *("__init__", "build", "get_config", "from_config", "get_build_config", "build_from_config"),
    *("compute_mask", "compute_output_shape", "compute_output_spec"),
}
"""Methods of a layer that compute nothing of what it returns."""


def is_builtin(layer):
    """Whether Keras wrote all that this layer computes.

    Not where a class of the user's puts another `convolution_op` in place of a convolution's.
    """
    classes = type(layer).__mro__
    call = next(c for c in classes if "call" in vars(c))
    if not call.__module__.startswith("keras.src.layers."):
        return False
    own = itertools.takewhile(lambda c: not c.__module__.startswith("keras.src."), classes)
    written = {n for c in own for n, x in vars(c).items() if callable(x) or isinstance(x, property)}
    return not any(hasattr(call, name) for name in written - _SETUP)


def _in_order(ids):
    return np.array_equal(ids.reshape(-1), np.arange(ids.size))


class Tracer:
    """Listens while it is entered; `nodes` says what was heard.

    Attributes:
        nodes: in the order of execution.
        weights: what is known of each of the model's variables, by key.
        constants: arrays that came from nowhere.
        notes: what could not be seen.
        exact: whether float64 is a measuring instrument now.
        detailed: whether indices and code are wanted.
        evaluating: whether the model runs as in inference.
        apart: recurrent layers of these cells are looked into, step by step.
        nudging: whether constants are moved by half a unit of float32.
        passes: whether the gradient of a root that the model stops is to pass all the same.
        noises: what was measured of layers in runs before; see `noise.measured`.
        draws: what takes the place of random numbers.
        paging: is told of variables that are looked at; None where all are in memory.
        streams: reads variables whose gradients are not to be held; see `paging.Streams`.
    """

    def __init__(self, names, weights, *, exact=False, detailed=True, evaluating=True, noises=None):
        self.nodes: list[Raw] = []
        self.constants: list[np.ndarray] = []
        self.notes: list[str] = []
        self.stopped: list[tuple] = []
        self.names = names
        self.weights: dict[int, Weight] = weights
        self.exact = exact
        self.detailed = detailed
        self.evaluating = evaluating
        self.nudging = False
        self.passes = lambda root: False
        self.apart = ()
        self.paging = self.streams = None
        self.noises = {} if noises is None else noises
        self.draws = Draws(self.note)
        self.paused = True
        self._whole = None  # the layer that is heard as a whole
        self.scopes: list[Scope] = []
        self._keys = {id(w.variable._value.handle): key for key, w in weights.items()}
        self._refs: dict[int, Ref] = {}
        self._masks: dict[int, tuple] = {}
        self._written: dict[int, Ref] = {}
        self._known: set[int] = set()
        self._kept: list = []
        self._inputs: dict[int, tuple[int, ...]] = {}
        self._call = Layer.__call__

    # What tensors are

    def input(self, tensor, index):
        """Name a tensor as one of the model's inputs."""
        self._inputs[index] = tuple(tensor.shape)
        self._mark(tensor, Ref(("input", index), tuple(tensor.shape)))

    def _mark(self, tensor, ref):
        self._kept.append(tensor)
        self._refs[id(tensor)] = ref

    def is_live(self, tensor):
        """Whether it depends on an input or a weight."""
        if id(tensor) in self._masks:
            self._emit_mask(tensor)
        return id(tensor) in self._refs

    def ref(self, tensor):
        """Where a tensor comes from; one that came from nowhere is a constant."""
        if not self.is_live(tensor):
            self.constants.append(as_array(tensor))
            self._mark(tensor, Ref(("constant", len(self.constants) - 1), tuple(tensor.shape)))
        return self._refs[id(tensor)]

    def outcome(self, tensor):
        """Where a tensor comes from that the model returns."""
        return self.ref(tensor)

    def finish(self, outputs):
        """The run is over, and returned these."""

    def hears_between(self, tensor):
        """Whether a dropout of this is to be heard though nothing else is at present."""
        return False

    def is_constant(self, tensor):
        """Whether no input and no weight is in it."""
        return not self.is_live(tensor) or self._refs[id(tensor)].root[0] == "constant"

    def parameter(self, tensor):
        """The key of the weight that a tensor is, as it is; or None."""
        ref = self._refs.get(id(tensor))
        plain = ref is not None and ref.root[0] == "parameter" and ref.ids is None
        return ref.root[1] if plain else None

    def key(self, variable):
        """The key of a Keras variable, None for one that is no weight of the model."""
        return self._keys.get(id(variable._value.handle))

    def moved(self, tensor, root, ids):
        """Name a tensor as elements of a root."""
        shape = tuple(tensor.shape)
        if ids is not SOME and shape == self._shape(root) and _in_order(ids):
            ids = None
        self._mark(tensor, Ref(root, shape, ids))

    def _shape(self, root):
        what, k = root
        match what:
            case "input":
                return self._inputs[k]
            case "constant":
                return self.constants[k].shape
            case "parameter":
                return tuple(self.weights[k].variable.shape)
        return tuple(what.outputs[k].shape)

    def alias(self, tensor, ref):
        """Name a tensor as the same as another."""
        self._mark(tensor, Ref(ref.root, tuple(tensor.shape), ref.ids))

    def constant(self, tensors):
        """Remember tensors in which there is no input and no weight."""
        self._kept.extend(tensors)
        self._known.update(id(t) for t in tensors)

    # What nodes are

    def emit(self, kind, settings, inputs, outputs, run, **more):
        """Write a node down: tensors in, tensors out, and the way from these to those."""
        roles = more.pop("parameters", {})
        sources = [self.ref(x) for x in inputs]  # first: a mask may make a node of its own
        raw = Raw(kind, settings, sources, list(outputs), run, **more)
        raw.origin = len(self.nodes)
        raw.scope = self.scopes[-1] if self.scopes else None
        raw.specs = [(tuple(x.shape), x.dtype) for x in inputs]
        for role, (variable, shape, axes) in roles.items():
            self._assign(raw, role, variable, shape, axes)
        if self.detailed:
            builtin = raw.scope is not None and raw.scope.builtin
            layer = raw.scope.layer if builtin else None
            sites = (made_at(layer) if builtin else ()) or user_sites()
            raw.place = (sites[0].file, sites[0].line) if sites else None
            raw.called = call_sites(self._whole or layer)
            if not raw.code and builtin:
                raw.code = raw.scope.code
            elif not raw.code and raw.place:
                raw.code = statement(*raw.place)
            raw.library = library_of([scope.layer for scope in self.scopes])
        self.nodes.append(raw)
        for k, tensor in enumerate(outputs):
            self._mark(tensor, Ref((raw, k), tuple(tensor.shape)))
        return raw

    def _assign(self, raw, role, variable, shape, axes):
        key = variable if isinstance(variable, int) else self.key(variable)
        if key is None:
            self.note(f"A weight of {raw.name} is no weight of the model: it is left out.")
            return
        weight = self.weights[key]
        if weight.role == "raw":
            weight.owner = raw.name or weight.owner
            weight.role, weight.axes = role, axes
            weight.shape = tuple(weight.variable.shape) if shape is None else tuple(shape)
        raw.parameters[role] = key

    def note(self, text):
        """Say once what could not be seen."""
        if text not in self.notes:
            self.notes.append(text)

    def _emit_mask(self, tensor):
        layer, source, run = self._masks.pop(id(tensor))
        name = f"{self.name_of(layer)}.mask"
        self.emit("compare", {"name": "mask"}, [source], [tensor], run, name=name)

    def name_of(self, layer):
        """What people call a layer of this model."""
        return self.names.get(id(layer), layer.name)

    # Listening

    @contextlib.contextmanager
    def suspended(self):
        """Hear nothing for a while."""
        before, self.paused = self.paused, True
        try:
            yield
        finally:
            self.paused = before

    @contextlib.contextmanager
    def resumed(self, layer=None, code=""):
        """Hear again, within what is heard as a whole; as part of `layer`."""
        before, self.paused = self.paused, False
        depth = len(self.scopes)
        if layer is not None:
            self.scopes.append(Scope(layer, True, code))
        try:
            yield
        finally:
            self.paused = before
            del self.scopes[depth:]

    def scope(self, layer):
        """A layer that is looked into from now on."""
        builtin = is_builtin(layer)
        return Scope(layer, builtin, code_of(layer) if builtin and self.detailed else "")

    @contextlib.contextmanager
    def listening(self):
        """Hear what runs in this block."""
        eagerly = tf.config.functions_run_eagerly()
        hear = self._heard

        def call(layer, *args, **kwargs):
            return self._layer(layer, *read((args, kwargs)))

        with contextlib.ExitStack() as stack:
            # Innermost last: what was patched first is put back last.
            tf.config.run_functions_eagerly(True)
            stack.callback(tf.config.run_functions_eagerly, eagerly)
            for owner, patches in functions.patches(self):
                stack.enter_context(functions.replaced(owner, patches))
            stack.enter_context(functions.replaced(Layer, {"__call__": call}))
            op_callbacks.add_op_callback(hear)
            stack.callback(op_callbacks.remove_op_callback, hear)
            self.paused = False
            stack.callback(setattr, self, "paused", True)
            yield

    def _heard(self, op_type, inputs, attrs, outputs, op_name=None, graph=None):
        if self.paused or graph is not None:
            return
        op = op_type.decode() if isinstance(op_type, bytes) else op_type
        with self.suspended():
            if op == "ReadVariableOp":
                self._read(inputs[0], outputs[0])
            elif op == "AssignVariableOp":
                self._write(*inputs)
            else:
                primitives.hear(self, calls.Call(op, list(inputs), attrs, list(outputs)))

    def _write(self, handle, tensor):
        self._written.pop(id(handle), None)
        if self.is_live(tensor):
            self._kept.append(handle)
            self._written[id(handle)] = self._refs[id(tensor)]

    def _read(self, handle, tensor):
        key = self._keys.get(id(handle))
        if id(handle) in self._written:  # what the model has just put there
            self.alias(tensor, self._written[id(handle)])
        elif key is None:
            if tensor.dtype.is_floating:
                self.note("The model reads a tf.Variable that Keras does not know: no weight.")
            self.constant([tensor])
        else:
            self._mark(tensor, Ref(("parameter", key), tuple(tensor.shape)))

    def _layer(self, layer, args, kwargs):
        given = tensors_in([args, kwargs])
        if self.paused or not given or not tf.executing_eagerly():
            return self._call(layer, *args, **kwargs)
        handler = layers.handler(layer, is_builtin(layer), apart=self.apart)
        if handler is not None:
            before, self._whole = self._whole, layer
            try:
                with self.suspended():
                    outputs = handler(self, layer, self._call, args, kwargs)
            finally:
                self._whole = before
            self._learn_mask(layer, given, outputs)
            return outputs
        known = None if is_builtin(layer) else noise.measured(self, layer, args, kwargs)
        self.scopes.append(self.scope(layer))
        try:
            with layers.opened(self, layer, kwargs):
                if known is None:
                    outputs = self._call(layer, *args, **kwargs)
                else:
                    outputs = noise.looked_into(self, layer, known, self._call, args, kwargs)
        finally:
            self.scopes.pop()
        self._learn(layer, args, kwargs, outputs)
        return outputs

    def _learn(self, layer, args, kwargs, outputs):
        """A tensor nobody was heard to make is the work of the layer that returns it."""
        live = [x for x in tensors_in([args, kwargs]) if self.is_live(x)]
        unknown = [
            y for y in tensors_in(outputs) if not self.is_live(y) and id(y) not in self._known
        ]
        if not live or not unknown:
            return
        name = self.name_of(layer)
        self.note(f"{name} ({type(layer).__name__}) could not be looked into.")
        settings = {"name": type(layer).__name__}
        run = layers.again(layer, self._call, args, kwargs, {}, live)
        self.emit("opaque", settings, live, unknown, run, name=name, code=code_of(layer))

    def _learn_mask(self, layer, given, outputs):
        for y in tensors_in(outputs):
            mask = getattr(y, "_keras_mask", None)
            if mask is None or id(mask) in self._refs or id(mask) in self._masks:
                continue

            def run(xs, layer=layer):
                return [keras.ops.convert_to_tensor(layer.compute_mask(xs[0]))]

            self._kept.append(mask)
            self._masks[id(mask)] = (layer, given[0], run)
