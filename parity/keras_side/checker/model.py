"""`KerasModel`: a user's Keras model as the check sees it."""

from __future__ import annotations

import contextlib
import dataclasses

import keras
import numpy as np
import tensorflow as tf

from parity.checker.graph.layerwise import expect_fixed, note, reversed_inputs, with_hidden_uses
from parity.checker.graph.model_interface import Model, Traced
from parity.core.errors import ParityError
from parity.keras_side.checker import failures, twins, weight_files
from parity.keras_side.checker.fold import fold
from parity.keras_side.checker.graphs import Builder, fixed, reaching_nothing
from parity.keras_side.checker.layerwise import Layerwise
from parity.keras_side.checker.learning import Learning, settings_of
from parity.keras_side.checker.marks import Weight, as_array, returned
from parity.keras_side.checker.naming import every_layer, names_of
from parity.keras_side.checker.paging import Paging, room, untouched
from parity.keras_side.checker.record import record
from parity.keras_side.checker.running import call, run, signature
from parity.keras_side.checker.tracer import Tracer


class KerasModel(Model):
    """A Keras 3 model on TensorFlow.

    Args:
        build: makes the model, or the model itself. Float64 is reached by building it once more;
            of a model itself a copy is made, where Keras can.
        title: how people call it.
        threads: of TensorFlow.
    """

    def __init__(self, build, title, threads=1):
        with contextlib.suppress(RuntimeError):  # too late: TensorFlow runs already
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        self.title = title
        self._build = None if isinstance(build, keras.layers.Layer) else build
        if self._build is not None:
            keras.backend.clear_session()  # so that layers without a name have the same every time
            keras.utils.set_random_seed(0)  # so that a check says the same numbers twice
        with failures.naming_user_lines(f"{title} cannot be built"):
            model = build() if self._build is not None else build
        if not isinstance(model, keras.layers.Layer):
            raise ParityError(
                f"{title} gives a {type(model).__name__}. A keras.Model or keras.Layer was "
                "expected: return the model itself."
            )
        self._models, self._behind = {"float32": model}, set()
        self._arrays = None
        self._weights = None
        self._parameters = {}
        self._plan = []
        self._runs, self._silent = {}, {}
        self._noises, self._apart = {}, ()
        self._folder, self._paging = None, {}
        self.learning = self.names = self._file = None
        self._file_types, self._file_notes = {}, []
        self._tracing = Tracer

    # The abstract class

    def keep_in(self, folder):
        """Keep large weights in files, of which a layer's are in memory while it computes."""
        self._folder = folder

    def paging(self, precision):
        """Where the large weights of a precision are; None where they are in memory."""
        model = self._models["float32"]
        if self._folder is not None and not self._paging and _ready(model):
            self._paging["float32"] = Paging(self._folder, room(model)).adopt(model)
        return None if self._models.get(precision) is None else self._paging.get(precision)

    def trace(self, inputs, *, apart=()):
        """Run it once in evaluation mode and float32, and say what it did."""
        self._apart = apart
        self._arrays = [np.asarray(x) for x in inputs]
        self._runs, self._silent = {}, {}
        self._read_file()
        builder, graph, nodes = self._attempts()
        tracer = builder.tracer
        self._weights = tracer.weights
        self._parameters = {name: key for key, name in builder.parameters.items()}
        self._keep("float32", nodes)
        if self._folder is not None and room(self._models["float32"]):
            # A large model's takes a while, in which PyTorch's is traced; a failure is told later.
            with contextlib.suppress(Exception):
                self._build_twin()
        return Traced(graph, builder.ids)

    def _attempts(self):
        """In full; if that fails though the model runs by itself, layer by layer."""
        self._tracing = Tracer
        try:
            return self._built()
        except Exception as error:
            if not self._runs_alone() or "out of memory" in str(error):
                raise
            self._tracing, failure = Layerwise, error
        try:
            builder, graph, nodes = self._built()
        except Exception as error:
            raise failure from error
        names = set(names_of(self._models["float32"]).values())
        layers = sum(node.name in names for node in graph.nodes)
        told = (*graph.notes, note("Keras", failure, layers))
        return builder, with_hidden_uses(dataclasses.replace(graph, notes=told)), nodes

    def _built(self):
        tracer, nodes, tensors, outputs = self._listen("float32")
        builder = Builder(tracer, nodes, self._models["float32"])
        lost = reaching_nothing(nodes, outputs)
        if lost and self._tracing is Tracer:
            self._expect_fixed(tracer, nodes, outputs, lost)
        graph = builder.graph(self.title, tensors, outputs, self.output_names)
        return builder, graph, nodes

    def _expect_fixed(self, tracer, nodes, outputs, lost):
        """What counts as made of nothing must be the same on other inputs, where layers are lost.

        Raises:
            ParityError: it is not: numbers have left their tensors and come back.
        """
        arrays, heard = self._arrays, self.heard
        self._arrays = reversed_inputs(arrays)
        try:
            other, again, _, found = self._listen("float32")
        except ParityError:
            return
        finally:
            self._arrays, self.heard = arrays, heard
        expect_fixed(fixed(tracer, nodes, outputs), fixed(other, again, found), lost[-1])

    def _runs_alone(self):
        """Whether it runs when nobody listens."""
        model = self._models["float32"]
        try:
            with untouched(model) if model.built else contextlib.nullcontext():
                call(model, self.tensors(self._arrays, "float32"), False, self.names)
        except Exception:  # whatever the user's code does
            return False
        return True

    def weights(self, into=None):
        """Every parameter, canonical, float64; float32 where `into` takes them."""
        self._traced()
        found = {}
        for name, key in self._parameters.items():
            array = self._weights[key].canonical(self._weights[key].variable)
            if into is None:
                found[name] = array.astype(np.float64)
            else:
                into[name] = array if array.dtype.kind == "f" else array.astype(np.float64)
        return found

    def set_weights(self, weights):
        """Set parameters from canonical arrays."""
        self._traced()
        paging, places = self.paging("float32"), []
        for name, array in weights.items():
            if name not in self._parameters:
                raise ParityError(
                    f"{self.title} has no parameter {name!r}. It has: "
                    f"{', '.join(list(self._parameters)[:8])} …"
                )
            weight = self._weights[self._parameters[name]]
            if tuple(np.shape(array)) != tuple(weight.shape):
                raise ParityError(
                    f"{name} has the shape {tuple(weight.shape)}; "
                    f"{tuple(np.shape(array))} was given."
                )
            places.append(weight.position)
            if paging is None:
                weight.variable.assign(weight.own(array))
            else:
                paging.assign(weight.variable, weight.own(array))
        self._behind.update(places)

    def load_weights(self, path, *, partial=False):
        """Read a weights file, as soon as the model has its weights."""
        self._file = path, partial
        if _ready(self._models["float32"]):
            self._read_file()

    def _read_file(self):
        if self._file is None:
            return
        (path, partial), model = self._file, self._models["float32"]
        if not _ready(model):
            with failures.naming_user_lines(f"{self.title} cannot be run on these inputs"):
                call(model, self.tensors(self._arrays, "float32"), False, self.names)
        self._file = None
        self._file_types, self._file_notes = weight_files.load(
            model, path, self.title, partial=partial
        )

    def stored(self, wanted=(), *, datasets=False):
        """What a weights file of the model holds, and how that stands to `weights`."""
        self._traced()
        names = {key: name for name, key in self._parameters.items()}
        found = weight_files.stored(
            self._models["float32"],
            self._weights,
            names,
            set(wanted),
            self._file_types,
            datasets=datasets,
        )
        return found.to_json() | {"notes": self._file_notes}

    def save_weights(self, path, types):
        """Write the weights as they are now, or the whole model."""
        weight_files.save(self._models["float32"], path, types)

    def record(self, request, into=None):
        """Run it and keep what comes by."""
        self._traced()
        return record(self, request, into)

    def learn(self, loss, optimizer):
        """Take the user's own loss and optimizer."""
        self._traced()
        model = self._models["float32"]
        self.learning = Learning(loss, optimizer, model)
        found = {"loss": self.learning.loss_settings(), "optimizer": {}, "notes": []}
        if model.losses:
            found["notes"].append(
                "Keras adds the regularisers of its layers to the loss, as fit does."
            )
        if optimizer is not None:
            made = self.learning.optimizer("float32")
            made.build(model.trainable_variables)
            trainable = {id(v) for v in model.trainable_variables}
            for name, key in self._parameters.items():
                variable = self._weights[key].variable
                if id(variable) in trainable:
                    found["optimizer"][name] = settings_of(made, variable)
        return found

    def replay(self, node, sources, precision):
        """Run one node alone."""
        self._traced()
        index = int(node[1:]) if node[1:].isdigit() else -1
        if not 0 <= index < len(self._plan):
            raise ParityError(f"{self.title} has no node {node!r}: n0 … n{len(self._plan) - 1}.")
        self.use(precision)
        raw = self._runs[precision][index]
        if raw.run is None:
            raise ParityError(f"{node} ({raw.kind} {raw.name}) cannot be run alone.")
        xs = [
            tf.cast(tf.constant(np.asarray(x)), dtype)
            for x, (_, dtype) in zip(sources, raw.specs, strict=True)
        ]
        with self._precision(precision), failures.naming_user_lines(f"{node} cannot be run alone"):
            if precision not in self._silent:
                self._silent[precision] = self._tracer(precision)
            tracer = self._silent[precision]
            tracer.paused = True
            with tracer.listening(), tracer.suspended():
                values = raw.run(xs)
        return {f"values/{node}:{k}": as_array(y) for k, y in enumerate(values)}

    def vocabulary(self):
        """Rows of the smallest embedding."""
        found = [layer for _, layer, _ in every_layer(self._models["float32"])]
        rows = [x.input_dim for x in found if isinstance(x, keras.layers.Embedding)]
        return min(rows, default=None)

    def signature(self):
        """What it takes, in order, and the shapes that it states itself."""
        return signature(self._models["float32"])

    def name_inputs(self, names):
        """From now on inputs come in this order, each to be given by its name."""
        self.names = None if names is None else list(names)

    # What recording shares

    def _traced(self):
        if self._weights is None:
            raise ParityError(f"{self.title} has not been run yet: call trace(inputs) first.")

    def use(self, precision):
        """The model in a precision; built, traced and with the weights where it is the first."""
        if precision == "float64":
            self._build_twin()
            model, twin = self._models["float32"], self._models["float64"]
            if twin is not model and self._behind:
                pagings = self.paging("float32"), self.paging("float64")
                twins.carry(model, twin, pagings, sorted(self._behind))
                self._behind = set()
        if precision not in self._runs:
            heard = self.heard
            _, nodes, _, _ = self._listen(precision)
            self.heard = heard
            if [n.kind for n in nodes] != [kind for kind, _ in self._plan]:
                raise ParityError(
                    f"{self.title} does other operations in {precision} than in float32, so that "
                    "the two cannot be compared. Does its code ask for a dtype?"
                )
            self._keep(precision, nodes)
        return self._models[precision]

    def _build_twin(self):
        """The same model in float64, whose weights are carried over when it is used."""
        if "float64" in self._models:
            return
        model, paging = self._models["float32"], None
        if self._folder is not None:
            paging = Paging(self._folder, 2 * room(model))
        with self._precision("float64", clear=True):
            with paging.building() if paging is not None else contextlib.nullcontext():
                twin = twins.make(model, self._build)
            if twin is not model and not _ready(twin):
                tensors = self.tensors(self._arrays, "float64")
                with failures.naming_user_lines(f"{self.title} cannot be run in float64"):
                    call(twin, tensors, False, self.names)  # builds what a call builds
            if twin is not model:
                twins.widen(twin)
                if paging is not None:
                    self._paging["float64"] = paging.adopt(twin)
        self._models["float64"], self._behind = twin, set(range(len(model.weights)))

    def _listen(self, precision):
        """Trace: tracer, folded nodes, inputs, references of the outputs."""
        with self._precision(precision):
            model = self._models[precision]
            tensors = self.tensors(self._arrays, precision)
            self.paging(precision)  # first: what is put back is where the weights are from now on
            with untouched(model) if model.built else contextlib.nullcontext():
                if not _ready(model):
                    with failures.naming_user_lines(f"{self.title} cannot be run"):
                        call(model, tensors, False, self.names)
                tracer = self._tracer(precision)
                outputs = run(self, tracer, model, tensors, False)
            named = returned(outputs)
            found = [tracer.outcome(y) for _, y in named]
            tracer.finish(found)
            self.output_names = tuple(name for name, _ in named)
            self.heard = [raw.signature for raw in tracer.nodes]
            nodes = fold(tracer.nodes, found, tracer.weights)
            return tracer, nodes, tensors, found

    def _keep(self, precision, nodes):
        for raw in nodes:
            raw.outputs = [None] * len(raw.outputs)
            raw.scope = None
            raw.sources = []
        if precision == "float32":
            self._plan = [(raw.kind, raw.origin) for raw in nodes]
        self._runs[precision] = nodes

    def _tracer(self, precision, **more):
        model = self._models[precision]
        known = weights_of(model)
        more |= {"exact": precision == "float64", "noises": self._noises}
        tracer = self._tracing(names_of(model), known, **more)
        trainable = {id(v) for v in model.trainable_variables}
        tracer.apart, tracer.paging = self._apart, self.paging(precision)
        tracer.trainable = {k for k, w in known.items() if id(w.variable) in trainable}
        return tracer

    def tensors(self, arrays, precision):
        """Inputs as tensors; floats in the precision."""
        given = [np.asarray(x) for x in arrays]
        return [
            tf.constant(x.astype(precision) if np.issubdtype(x.dtype, np.floating) else x)
            for x in given
        ]

    @contextlib.contextmanager
    def _precision(self, precision, clear=False):
        before = keras.config.floatx(), keras.config.dtype_policy()
        if precision == "float64":
            if clear and self._build is not None:
                keras.backend.clear_session()
            keras.config.set_floatx(precision)
            # The user's own policy, as mixed_bfloat16, stays: it changes numbers in every run.
            single = before[1].compute_dtype == "float32"
            keras.config.set_dtype_policy(precision if single else before[1])
        model = self._models["float32"]
        converted = precision == "float64" and self._models.get(precision) is model
        try:
            with twins.converted(model) if converted else contextlib.nullcontext():
                yield
        finally:
            keras.config.set_floatx(before[0])
            keras.config.set_dtype_policy(before[1])


def _ready(model):
    return model.built and all(layer.built for _, layer, _ in every_layer(model))


def weights_of(model):
    """What is known of each weight before anything has run."""
    owners = {}
    names = names_of(model)
    for layer in (*[x for _, x, _ in every_layer(model)], model):
        own = [*layer._trainable_variables, *layer._non_trainable_variables]
        for variable in own:
            owners.setdefault(id(variable), names.get(id(layer), "model"))
    return {
        i: Weight(v, i, "raw", owners.get(id(v), "model"), tuple(int(n) for n in v.shape))
        for i, v in enumerate(model.weights)
    }
