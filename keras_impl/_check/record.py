"""Recording: values, gradients, a few steps of gradient descent."""

from __future__ import annotations

import difflib

import numpy as np
import tensorflow as tf

from . import failures
from .marks import as_array, returned
from .model import run

STATISTICS = ("mean", "variance")


def record(owner, order):
    """See `shared.check.side.Model.record`."""
    model = owner.use(order.precision)
    saved = [(v, as_array(v)) for v in model.variables]
    try:
        with owner._precision(order.precision):
            return _Recorder(owner, model, order).all()
    finally:
        for variable, value in saved:
            variable.assign(value)


class _Recorder:
    def __init__(self, owner, model, order):
        self.owner, self.model, self.order = owner, model, order
        self.training = order.mode == "train"
        self.ids = {key: name for name, key in owner._parameters.items()}
        self.variables = {
            i: v for i, v in enumerate(model.weights)
            if any(v is w for w in model.trainable_variables)
        }  # fmt: skip
        self.inputs = owner.tensors(order.inputs, order.precision)
        self.kept = {}

    def canonical(self, key, array):
        """A weight or its gradient in canonical layout."""
        return self.owner._weights[key].canonical(as_array(array))

    def all(self):
        """Everything the order asks for."""
        loss, gradients = self.forward(keep=True)
        if loss is not None:
            self.kept["loss"] = np.array(loss)
            self.gradients(gradients)
        if not self.training:
            return self.kept
        for key, weight in self.owner._weights.items():
            if weight.role in STATISTICS:
                self.kept[f"state/{self.ids[key]}"] = self.canonical(key, self.model.weights[key])
        if loss is not None:
            self.steps(loss, gradients)
        return self.kept

    def forward(self, keep=False, training=None):
        """One pass; loss and gradients where there are projections."""
        training = self.training if training is None else training
        tracer = self.owner._tracer(self.order.precision, detailed=False, evaluating=not training)
        floating = [x for x in self.inputs if x.dtype.is_floating]
        if not self.order.projections:
            outputs = _tensors(run(self.owner, tracer, self.model, self.inputs, training))
            self.keep(tracer, outputs, keep)
            return None, {}
        with tf.GradientTape() as tape:
            for x in floating:
                tape.watch(x)
            outputs = _tensors(run(self.owner, tracer, self.model, self.inputs, training))
            loss = self.loss(outputs)
        self.keep(tracer, outputs, keep)
        wanted = [*[v.value for v in self.variables.values()], *floating]
        with failures.told(f"{self.owner.title} cannot be differentiated"):
            found = [_whole(g) for g in tape.gradient(loss, wanted)]
        names = [*self.variables, *[("input", i) for i, x in enumerate(self.inputs)
                                    if x.dtype.is_floating]]  # fmt: skip
        return loss, dict(zip(names, found, strict=True))

    def loss(self, outputs):
        """The sum of all floating outputs, projected."""
        total = tf.zeros([], self.order.precision)
        for y, projection in zip(outputs, self.order.projections, strict=True):
            if y.dtype.is_floating:
                weight = tf.constant(np.asarray(projection), self.order.precision)
                total += tf.reduce_sum(tf.cast(y, self.order.precision) * weight)
        return total

    def keep(self, tracer, outputs, wanted):
        """Values and outputs of the first pass."""
        if not wanted:
            return
        for i, y in enumerate(outputs):
            self.kept[f"outputs/{i}"] = np.array(y)
        if not self.order.keep_values:
            return
        for k, array in enumerate(tracer.constants):
            self.kept[f"values/constant:{k}"] = array
        places = _aligned(self.owner.heard, [n.signature for n in tracer.nodes])
        for i, (_, origin) in enumerate(self.owner._plan):
            if origin not in places:
                continue
            for k, y in enumerate(tracer.nodes[places[origin]].outputs):
                self.kept[f"values/n{i}:{k}"] = np.array(y)

    def gradients(self, gradients):
        """Gradients of the first pass."""
        for key, gradient in gradients.items():
            if gradient is None:
                continue
            if isinstance(key, tuple):
                self.kept[f"gradients/input:{key[1]}"] = np.array(gradient)
            else:
                self.kept[f"gradients/{self.ids[key]}"] = self.canonical(key, gradient)

    def steps(self, loss, gradients):
        """Plain gradient descent, and what it leads to."""
        losses = [np.array(loss)]
        for _ in range(self.order.steps):
            for key, variable in self.variables.items():
                if gradients[key] is not None:
                    variable.value.assign_sub(self.order.rate * gradients[key])
            loss, gradients = self.forward()
            losses.append(np.array(loss))
        self.kept["steps/loss"] = np.stack(losses)
        for key, name in self.ids.items():
            self.kept[f"steps/{name}"] = self.canonical(key, self.model.weights[key])
        tracer = self.owner._tracer(self.order.precision, detailed=False)
        outputs = _tensors(run(self.owner, tracer, self.model, self.inputs, False))
        for i, y in enumerate(outputs):
            self.kept[f"after/{i}"] = np.array(y)


def _tensors(outputs):
    return [y for _, y in returned(outputs)]


def _aligned(before, now):
    """Place in the first run → place now; a mode may add operations of its own."""
    if before == now:
        return {i: i for i in range(len(now))}
    blocks = difflib.SequenceMatcher(None, before, now, autojunk=False).get_matching_blocks()
    return {b.a + i: b.b + i for b in blocks for i in range(b.size)}


def _whole(gradient):
    """A gradient as an array; TensorFlow gives those of tables in slices."""
    is_sliced = isinstance(gradient, tf.IndexedSlices)
    return tf.convert_to_tensor(gradient) if is_sliced else gradient
