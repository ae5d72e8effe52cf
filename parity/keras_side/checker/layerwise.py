"""Layers only: for a model that runs, but not under the tracer."""

from __future__ import annotations

import contextlib

import numpy as np
import tensorflow as tf
from keras.src.layers.layer import Layer
from tensorflow.python.framework import op_callbacks

from parity.checker.graph.layerwise import UNTRACED
from parity.keras_side.checker import functions, layers
from parity.keras_side.checker.calls import indices
from parity.keras_side.checker.marks import Ref, is_numeric
from parity.keras_side.checker.tracer import Tracer, is_builtin, read, tensors_in


class Layerwise(Tracer):
    """Hears what runs within Keras' own layers, and nothing between them.

    What reaches a layer, and nobody heard it come, is what another layer gave if it is the same
    tensor or the same numbers; else one untraced node of what no layer has taken yet.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._inside, self._given = False, []

    def input(self, tensor, index):
        """Name a tensor as one of the model's inputs."""
        super().input(tensor, index)
        self._given.append(tensor)

    @contextlib.contextmanager
    def listening(self):
        """Hear the layers that are called in this block; what is a `tf.function` stays one."""

        def call(layer, *args, **kwargs):
            return self._layer(layer, *read((args, kwargs)))

        hear = self._heard
        with contextlib.ExitStack() as stack:
            for owner, patches in functions.patches(self):
                stack.enter_context(functions.replaced(owner, patches))
            stack.enter_context(functions.replaced(Layer, {"__call__": call}))
            op_callbacks.add_op_callback(hear)
            stack.callback(op_callbacks.remove_op_callback, hear)
            yield

    def hears_between(self, tensor):
        """A dropout that is called as a function: it must not drop, and its rate is compared."""
        if not self._inside:
            self._resolve(tensor)
        return not self._inside

    def _layer(self, layer, args, kwargs):
        given = tensors_in([args, kwargs])
        if self._inside or not given or not tf.executing_eagerly():
            return super()._layer(layer, args, kwargs)
        if not is_builtin(layer) and layers.handler(layer, False) is None:
            return self._around(layer, given, args, kwargs)
        for tensor in given:
            self._resolve(tensor)
        self._inside = True
        try:
            with self.resumed():
                return super()._layer(layer, args, kwargs)
        finally:
            self._inside = False

    def _around(self, layer, given, args, kwargs):
        """A model, or a layer of the user's: one in which no layer was heard is opaque."""
        before = len(self.nodes)
        outputs = self._call(layer, *args, **kwargs)
        if len(self.nodes) == before:
            for tensor in given:
                self._resolve(tensor)
            self._learn(layer, args, kwargs, outputs)
        return outputs

    def outcome(self, tensor):
        """Where a tensor comes from that the model returns."""
        self._resolve(tensor)
        return self.ref(tensor)

    def finish(self, outputs):
        """What a layer gave, and nobody is known to have taken, goes into what is unseen next."""
        taken = {source.root for raw in self.nodes for source in raw.sources}
        taken |= {ref.root for ref in outputs}
        for place, raw in enumerate(self.nodes):
            roots = [(raw, k) for k in range(len(raw.outputs))]
            unseen = [r for r in self.nodes[place + 1 :] if r.settings.get("name") == UNTRACED]
            if unseen and not taken & set(roots):
                unseen[0].sources += [
                    Ref(root, tuple(y.shape)) for root, y in zip(roots, raw.outputs, strict=True)
                ]
        # In the order of execution, by which the other side's are told apart.
        order = {raw: place for place, raw in enumerate(self.nodes)}
        for raw in self.nodes:
            if raw.settings.get("name") == UNTRACED:
                raw.sources.sort(key=lambda ref: order.get(ref.root[0], -1))

    def _resolve(self, tensor):
        """Say of a tensor that nobody heard being made where it comes from."""
        if not is_numeric(tensor) or self.is_live(tensor):
            return
        twin = self._equal(tensor)
        if twin is not None:
            ids = np.reshape(indices(twin), tuple(tensor.shape))
            self.moved(tensor, twin.root, ids)
            return
        given = self._untaken() or self._given
        more = {"function": UNTRACED, "code": UNTRACED}
        self.emit("opaque", {"name": UNTRACED}, given, [tensor], None, **more)

    def _equal(self, tensor):
        """What holds the same numbers in the same order, whatever their type."""
        numbers = np.array(tensor).reshape(-1)
        if numbers.size < 2 or bool(np.all(numbers == numbers[0])):
            return None  # by chance, too
        for other in reversed([*self._given, *(y for raw in self.nodes for y in raw.outputs)]):
            if is_numeric(other) and np.array_equal(numbers, np.array(other).reshape(-1)):
                return self.ref(other)
        return None

    def _untaken(self):
        """The values that nothing has taken yet."""
        taken = {source.root for raw in self.nodes for source in raw.sources}
        return [y for raw in self.nodes for k, y in enumerate(raw.outputs) if (raw, k) not in taken]
