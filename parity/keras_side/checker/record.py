"""Recording: values, gradients, a few steps of gradient descent."""

from __future__ import annotations

import difflib

import numpy as np
import tensorflow as tf

from parity.checker.graph.nudge import nudged
from parity.keras_side.checker import failures
from parity.keras_side.checker.functions import differentiable
from parity.keras_side.checker.learning import exact
from parity.keras_side.checker.marks import as_array, is_numeric, returned
from parity.keras_side.checker.paging import Streams, unchanged, untouched
from parity.keras_side.checker.running import run

STATISTICS = ("mean", "variance")


def record(owner, request, into=None):
    """See `parity.checker.graph.model_interface.Model.record`."""
    model = owner.use(request.precision)
    with untouched(model), owner._precision(request.precision):
        for name in request.nudged or ():
            variable = model.weights[owner._parameters[name]]
            variable.assign(nudged(as_array(variable)))
        return _Recorder(owner, model, request, into).all()


class _Recorder:
    def __init__(self, owner, model, request, into=None):
        self.owner, self.model, self.request = owner, model, request
        self.training = request.mode == "train"
        self.ids = {key: name for name, key in owner._parameters.items()}
        trainable = {id(v) for v in model.trainable_variables}
        self.variables = {i: v for i, v in enumerate(model.weights) if id(v) in trainable}
        self.inputs = owner.tensors(request.inputs, request.precision)
        self.kept, self.followed = {} if into is None else into, {}
        self.learning = owner.learning if request.learn else None
        self._whole_tape = False
        self.targets = owner.tensors(request.targets, request.precision)

    def canonical(self, key, array):
        """A weight or its gradient in canonical layout."""
        return self.owner._weights[key].canonical(as_array(array))

    def all(self):
        """Everything that is asked for."""
        loss, gradients = self.forward(keep=True)
        if loss is not None:
            self.kept["loss"] = as_array(loss)
            for key, gradient in gradients.items():
                self.gradient(key, gradient)
        if not self.training:
            return self.kept
        for key, weight in self.owner._weights.items():
            if weight.role in STATISTICS:
                self.kept[f"state/{self.ids[key]}"] = self.canonical(key, self.model.weights[key])
        if loss is not None:
            self.steps(loss, gradients)
        return self.kept

    def _id(self, root):
        what, k = root
        if what == "parameter":
            return f"parameter:{self.ids[k]}"
        if isinstance(what, str):
            return f"{what}:{k}"
        places = {origin: i for i, (_, origin) in enumerate(self.owner._plan)}
        return f"n{places.get(what.origin)}:{k}"

    def forward(self, keep=False, training=None):
        """One pass; loss and gradients where there are projections."""
        training = self.training if training is None else training
        tracer = self.owner._tracer(self.request.precision, detailed=False, evaluating=not training)
        tracer.nudging = self.request.nudged is not None
        tracer.passes = lambda root: self._id(root) in self.request.passing
        floating = [x for x in self.inputs if x.dtype.is_floating]
        if not self.request.projections and self.learning is None:
            outputs = _tensors(run(self.owner, tracer, self.model, self.inputs, training))
            self.keep(tracer, outputs, keep)
            return None, {}
        skipped = set()
        if not self.request.steps and self.learning is None and not self._whole_tape:
            skipped = {k for k in self.variables if self.ids.get(k) in self.request.skipped}
            tracer.streams = Streams(self.variables, self.gradient, self._touch, skipped)
        with tf.GradientTape(persistent=self.learning is not None) as tape:
            for x in floating:
                tape.watch(x)
            if tracer.streams is not None:
                tracer.streams.watch(tape)
            given = run(self.owner, tracer, self.model, self.inputs, training)
            outputs = _tensors(given)
            loss = self.loss(outputs, given)
            whole = loss
            if self.learning is not None:  # what layers add to it, as `fit` does
                with exact(self.request.precision):
                    for extra in self.model.losses:
                        whole += tf.cast(extra, self.request.precision)
        self.keep(tracer, outputs, keep)
        sought = {k: v for k, v in self.variables.items() if k not in skipped}
        wanted = [*[v.value for v in sought.values()], *floating]
        names = [
            *sought,
            *[("input", i) for i, x in enumerate(self.inputs) if x.dtype.is_floating],
        ]
        if self.learning is not None and keep:
            sloped = [(i, y) for i, y in enumerate(outputs) if y.dtype.is_floating]
            wanted += [y for _, y in sloped]
            names += [("output", i) for i, _ in sloped]
        naming_lines = failures.naming_user_lines(f"{self.owner.title} cannot be differentiated")
        with naming_lines, differentiable():
            found = tape.gradient(loss, wanted)
            if self.request.steps or self.learning is not None:
                found = [_whole(g) for g in found]
                self.followed = dict(zip(names, found, strict=True))
            if whole is not loss:
                total = tape.gradient(whole, [v.value for v in self.variables.values()])
                self.followed |= dict(zip(self.variables, map(_whole, total), strict=True))
        gradients = dict(zip(names, found, strict=True))
        streamed = tracer.streams.taken if tracer.streams is not None else ()
        if any(gradients[key] is not None for key in streamed):
            # It was read past Keras as well: what was written down is not all of its gradient.
            self._whole_tape = True
            return self.forward(training=training)
        return loss, gradients

    def _touch(self, variable):
        paging = self.owner.paging(self.request.precision)
        if paging is not None:
            paging.touch(variable)

    def loss(self, outputs, given):
        """The sum of all floating outputs, projected; or the user's own."""
        if self.learning is not None and self.learning.function is not None:
            return self.learning.loss(given, outputs, self.targets, self.request.precision)
        total = tf.zeros([], self.request.precision)
        for y, projection in zip(outputs, self.request.projections, strict=True):
            if y.dtype.is_floating:
                weight = tf.constant(np.asarray(projection), self.request.precision)
                total += tf.reduce_sum(tf.cast(y, self.request.precision) * weight)
        return total

    def keep(self, tracer, outputs, wanted):
        """Values and outputs of the first pass."""
        if not wanted:
            return
        for i, y in enumerate(outputs):
            self.kept[f"outputs/{i}"] = as_array(y)
        if not self.request.keep_values:
            return
        kinds = "iub" if self.request.whole_only else "fiubc"
        for k, array in enumerate(tracer.constants):
            if array.dtype.kind in kinds:
                self.kept[f"values/constant:{k}"] = array
        places = _aligned(self.owner.heard, [n.signature for n in tracer.nodes])
        for i, (_, origin) in enumerate(self.owner._plan):
            if origin not in places:
                continue
            for k, y in enumerate(tracer.nodes[places[origin]].outputs):
                floats = y.dtype.is_floating or y.dtype.is_complex
                if is_numeric(y) and not (self.request.whole_only and floats):
                    self.kept[f"values/n{i}:{k}"] = as_array(y)

    def gradient(self, key, gradient):
        """One gradient of the first pass."""
        if gradient is None:
            return
        if isinstance(key, tuple):
            self.kept[f"gradients/{key[0]}:{key[1]}"] = as_array(gradient)
        else:
            array = unchanged(_whole(gradient))
            array = array if array.dtype.kind == "f" else as_array(array)
            self.kept[f"gradients/{self.ids[key]}"] = self.owner._weights[key].canonical(array)

    def track(self, prefix, arrays):
        """Weights or gradients of one step."""
        for key, array in arrays.items():
            if key in self.ids and array is not None:
                self.kept[f"{prefix}/{self.ids[key]}"] = self.canonical(key, array)

    def steps(self, loss, gradients):
        """Plain gradient descent, and what it leads to."""
        losses, rates = [as_array(loss)], []
        own = self.learning is not None and self.learning.steps
        with exact(self.request.precision):
            optimizer = self.learning.optimizer(self.request.precision) if own else None
        for step in range(1, self.request.steps + 1):
            followed = self.followed  # with what regularisers add
            moved = {k: v for k, v in self.variables.items() if followed[k] is not None}
            if self.learning is not None:
                self.track(f"slopes-{step}", {k: gradients[k] for k in moved})
            if optimizer is None:
                for key, variable in moved.items():
                    variable.value.assign_sub(self.request.rate * followed[key])
            else:
                naming_lines = failures.naming_user_lines("the optimizer cannot take a step")
                with exact(self.request.precision), naming_lines:
                    rates.append(float(optimizer.learning_rate))
                    optimizer.apply([followed[k] for k in moved], list(moved.values()))
            if self.learning is not None:
                self.track(f"weights-{step}", dict(enumerate(self.model.weights)))
            loss, gradients = self.forward()
            losses.append(as_array(loss))
        if rates:
            self.kept["rates"] = np.array(rates)
        self.kept["steps/loss"] = np.stack(losses)
        for key, name in self.ids.items():
            self.kept[f"steps/{name}"] = self.canonical(key, self.model.weights[key])
        tracer = self.owner._tracer(self.request.precision, detailed=False)
        outputs = _tensors(run(self.owner, tracer, self.model, self.inputs, False))
        for i, y in enumerate(outputs):
            self.kept[f"after/{i}"] = as_array(y)


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
