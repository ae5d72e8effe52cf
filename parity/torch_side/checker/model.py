"""A user's PyTorch model as the check asks for it."""

from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import nn

from parity.checker.graph.graph import STATISTICS
from parity.checker.graph.layerwise import expect_fixed, note, reversed_inputs, with_hidden_uses
from parity.checker.graph.model_interface import Model
from parity.checker.graph.storage import LARGE, compact
from parity.checker.graph.target import guarded
from parity.core.errors import ParityError
from parity.torch_side.checker import (  # noqa: F401
    arithmetic,
    attention,
    control,
    kinds,
    movement,
    noise,
    nudging,
    recurrent,
    weight_files,
)
from parity.torch_side.checker.calls import flatten, mapped
from parity.torch_side.checker.graphs import Writer
from parity.torch_side.checker.helpers import changed, slopes, versions
from parity.torch_side.checker.layerwise import Layerwise
from parity.torch_side.checker.learning import Learning, plain_clipping, settings_of
from parity.torch_side.checker.paging import Paging
from parity.torch_side.checker.running import (
    arranged,
    built,
    forward,
    in_precision,
    moded,
    runs,
    signature,
    surroundings,
    to_tensor,
    untouched,
)
from parity.torch_side.checker.steps import Own, Slot
from parity.torch_side.checker.tracer import Tracer
from parity.torch_side.checker.training_only import graft
from parity.torch_side.checker.weights import Arrays, Bindings, as_array, tensors

_WRITES = (
    "The PyTorch model writes into its own weights as it runs; they are put back after every run."
)


class TorchModel(Model):
    """A model in PyTorch, on the CPU.

    Args:
        build: the module, or a function or class that makes it.
        title: how people call it.
        threads: that PyTorch may use.

    Raises:
        ParityError: it cannot be built, or is no module.
    """

    def __init__(self, build, title, threads=1):
        torch.set_num_threads(threads)
        if not isinstance(build, nn.Module):
            torch.manual_seed(0)  # so that a check says the same numbers twice
        self.title, self.model = title, built(build)
        self._traced, self._bindings, self._steps, self._initial = None, Bindings(), {}, {}
        self._sloped, self._learning, self._tracing = True, None, Tracer
        self._writes, self._noises, self.names, self._apart = False, {}, None, ()
        self._file_types, self._file_notes = {}, []
        self._folder, self.paging, self._sections = None, None, {}

    # -- graph -----------------------------------------------------------------------------------

    def trace(self, inputs, *, apart=()):
        """See `parity.checker.graph.model_interface.Model.trace`."""
        self._apart = apart
        self._materialise(inputs)
        if self._folder is not None:
            self.paging, self._folder = Paging(self.model, self._folder), None
        traced, steps = self._attempts(inputs)
        self._traced = self._as_built(traced)
        self._steps = {n.id: s for n, s in zip(traced.graph.nodes, steps, strict=True)}
        return self._traced

    def _attempts(self, inputs):
        """In full; if that fails though the model runs by itself, layer by layer."""
        failure = last = None
        for self._tracing in (Tracer, Layerwise):
            # With gradients first, because autograd knows of results that go by unseen.
            for self._sloped in (True, False):
                try:
                    return self._written(inputs, failure)
                except Exception as error:
                    if isinstance(error, MemoryError) or "Out of memory" in str(error):
                        raise
                    failure, last = failure or error, error
            if not any(
                runs(self.model, inputs, self.names, "float32", gradients=g) for g in (True, False)
            ):
                break
        assert failure is not None
        raise failure from (failure.__cause__ if last is failure else last)

    def _written(self, inputs, failure):
        writer = self._seen(inputs)
        if writer.lost and self._tracing is Tracer:
            self._expect_fixed(writer, inputs)
        if failure is not None and self._tracing is Layerwise:
            paths = set(writer.tracer.paths.values())
            layers = sum(step.name in paths for step in writer.steps)
            writer.tracer.note(note("PyTorch", failure, layers))
        traced = writer.written(self.title)
        self._sections = {
            root.name: root.section
            for root in writer.tracer.stopped
            if root.name and root.section is not None
        }
        return replace(traced, graph=with_hidden_uses(traced.graph)), writer.steps

    def _expect_fixed(self, writer, inputs):
        """What counts as made of nothing must be the same on other inputs, where layers are lost.

        Raises:
            ParityError: it is not: numbers have left their tensors and come back.
        """
        bindings = self._bindings
        try:
            other = self._seen(reversed_inputs(inputs)).fixed()
        except ParityError:
            return
        finally:
            self._bindings = bindings
        expect_fixed(writer.fixed(), other, writer.lost[-1])

    def _seen(self, inputs):
        self._bindings = Bindings()
        around = self._around("float32", self._sloped)
        with around, untouched(self.model, weights=True, paging=self.paging):
            model = moded(in_precision(self.model, "float32"), training=False)
            before = versions(model.parameters())
            tracer = self._tracing(model, self._bindings, noises=self._noises)
            tracer.apart, tracer.paging, tracer.detailed = self._apart, self.paging, True
            given, roots = self._given(tracer, inputs, "float32", gradients=self._sloped)
            found, names = forward(model, tracer, given, self.names)
            self._writes = bool(changed(before))
            if self._writes:
                tracer.note(_WRITES)
            outputs = [tracer.outcome(x) for x in found]
            tracer.finish(outputs)
            graft(tracer.steps, outputs, *self._trained(inputs))
            return Writer(tracer, roots, outputs, self.model, names)

    def _trained(self, inputs):
        """Steps and outputs of a run in training mode, as far as there is one."""
        if self._tracing is not Tracer:
            return [], []
        model = moded(in_precision(self.model, "float32"), training=True)
        tracer = Tracer(model, Bindings(), training=True, noises=self._noises)
        tracer.apart, tracer.paging = self._apart, self.paging
        given, _ = self._given(tracer, inputs, "float32", gradients=self._sloped)
        try:
            found, _ = forward(model, tracer, given)
            return tracer.steps, [tracer.outcome(x) for x in found]
        except ParityError:  # a batch norm of one sample, say: what training says comes later
            return [], []

    def _around(self, precision, gradients):
        return surroundings(precision, gradients=gradients, eager=self._tracing is Tracer)

    def _as_built(self, traced):
        """`Parameter.constant` speaks of the model as it was built, not of weights set since."""
        for name, parameter in traced.graph.parameters.items():
            constant = self._initial.setdefault(name, parameter.constant)
            object.__setattr__(parameter, "constant", constant)
        return traced

    def _materialise(self, inputs):
        if any(
            isinstance(p, nn.parameter.UninitializedTensorMixin)
            for p in (*self.model.parameters(), *self.model.buffers())
        ):
            with torch.no_grad():
                arguments, named = arranged(
                    self.model, [to_tensor(x, "float32") for x in inputs], self.names
                )
                moded(self.model, training=False)(*arguments, **named)

    def _given(self, tracer, inputs, precision, *, gradients):
        given, roots = [], []
        for place, array in enumerate(inputs):
            tensor = to_tensor(array, precision)
            if gradients and tensor.is_floating_point():
                # A copy, so that the model may write into it.
                tensor = tensor.requires_grad_().clone()
            roots.append(tracer.input(place, tensor))
            given.append(tensor)
        return given, roots

    @property
    def _graph(self):
        if self._traced is None:
            raise ParityError("The PyTorch model was not traced yet. Call trace(inputs) first.")
        return self._traced.graph

    # -- weights ---------------------------------------------------------------------------------

    def keep_in(self, folder):
        """See `parity.checker.graph.model_interface.Model.keep_in`."""
        self._folder = folder

    def weights(self, into=None):
        """See `parity.checker.graph.model_interface.Model.weights`."""
        double, found = Arrays(self.model), {}
        for name in self._graph.parameters:
            binding = self._bindings.all[name]
            array = binding.read(double)
            self._touch(binding)
            if into is None:
                found[name] = array
            else:
                into[name] = compact(array)
        return found

    def set_weights(self, weights):
        """See `parity.checker.graph.model_interface.Model.set_weights`."""
        own, now = tensors(self.model), Arrays(self.model)
        for name, value in weights.items():
            parameter = self._graph.parameters.get(name)
            if parameter is None:
                raise ParityError(
                    f"The PyTorch model has no parameter '{name}'. Expected one of its own: "
                    f"{', '.join(list(self._graph.parameters)[:5])}, …"
                )
            if tuple(np.shape(value)) != parameter.shape:
                raise ParityError(
                    f"'{name}' has shape {parameter.shape} in PyTorch, but was given "
                    f"{tuple(np.shape(value))}. Expected the canonical layout of a "
                    f"'{parameter.role}'."
                )
            with torch.no_grad():
                for behind, array in self._bindings.all[name].write(value, now).items():
                    own[behind].copy_(torch.from_numpy(np.array(array)))
                    self._changed([behind])

    def load_weights(self, path, *, partial=False):
        """See `parity.checker.graph.model_interface.Model.load_weights`."""
        self._file_types, self._file_notes = weight_files.load(
            self.model, path, self.title, partial=partial
        )

    def stored(self, wanted=(), *, datasets=False):
        """See `parity.checker.graph.model_interface.Model.stored`."""
        parameters = self._graph.parameters
        found = weight_files.stored(
            self.model, self._bindings, parameters, set(wanted), self._file_types
        )
        return found.to_json() | {"notes": self._file_notes}

    def save_weights(self, path, types):
        """See `parity.checker.graph.model_interface.Model.save_weights`."""
        weight_files.save(self.model, path, types)

    # -- recording -------------------------------------------------------------------------------

    def record(self, request, into=None):
        """See `parity.checker.graph.model_interface.Model.record`."""
        graph, known = self._graph, None
        gradients = bool(len(request.projections)) or self._sloped or request.learn
        with self._around(request.precision, gradients):
            kept = bool(request.steps) or self._writes or bool(request.nudged)
            if self.paging is not None and request.precision == "float64":
                known = self.paging.twins()
            model = in_precision(self.model, request.precision, known)
            if kept:
                self._changed()
            own = kept and model is self.model
            with untouched(model, weights=own, paging=self.paging):
                nudging.weights(tensors(model), self._bindings.all, request.nudged or ())
                return _Recorder(self, model, request, graph, into).recorded()

    def _touch(self, binding):
        for name in binding.names if self.paging is not None else ():
            self.paging.touch(tensors(self.model)[name])

    def _changed(self, names=None):
        if self.paging is not None:
            self.paging.changed(names)

    def learn(self, loss, optimizer):
        """See `parity.checker.graph.model_interface.Model.learn`."""
        self._learning = learning = Learning(loss, optimizer)
        found = {"loss": learning.loss_settings(), "optimizer": {}, "notes": []}
        if learning.steps:
            parameters = dict(self.model.named_parameters())
            settings = settings_of(learning.optimizer(self.model), parameters)
            for name, parameter in self._graph.parameters.items():
                if parameter.names and parameter.names[0] in settings:
                    found["optimizer"][name] = settings[parameter.names[0]]
        return found

    def replay(self, node, sources, precision):
        """See `parity.checker.graph.model_interface.Model.replay`."""
        step = self._steps.get(node)
        if step is None:
            raise ParityError(
                f"There is no node '{node}' in the traced model. Expected one of its graph's ids."
            )
        with self._around(precision, gradients=False):
            given = [to_tensor(x, precision).clone() for x in sources]
            result = _again(step, given, tensors(self.model), precision)
        made = list(flatten(result))[: len(step.outputs)]
        return {f"values/{r.name}": as_array(x) for r, x in zip(step.outputs, made, strict=True)}

    # -- what it states --------------------------------------------------------------------------

    def vocabulary(self):
        """See `parity.checker.graph.model_interface.Model.vocabulary`."""
        rows = [m.num_embeddings for m in self.model.modules() if isinstance(m, nn.Embedding)]
        rows += [m.num_embeddings for m in self.model.modules() if isinstance(m, nn.EmbeddingBag)]
        return min(rows, default=None)

    def signature(self):
        """See `parity.checker.graph.model_interface.Model.signature`."""
        return signature(self.model)

    def name_inputs(self, names):
        """See `parity.checker.graph.model_interface.Model.name_inputs`."""
        self.names = names


def _again(step, given, own, precision):
    func, args, kwargs, pick = step.again
    dtype = getattr(torch, precision)

    def fill(leaf):
        if isinstance(leaf, Slot):
            return given[leaf.place]
        if isinstance(leaf, Own):
            whole = own[leaf.name].detach().clone()
            whole = whole.to(dtype) if whole.is_floating_point() else whole
            return whole if leaf.ids is None else whole.reshape(-1)[leaf.ids]
        if isinstance(leaf, torch.Tensor) and leaf.is_floating_point():
            return leaf.to(dtype)
        if leaf is torch.float32 and precision == "float64":
            return dtype
        return leaf

    if isinstance(func, nn.Module):
        func = in_precision(func, precision)
    try:
        args, kwargs = mapped(args, fill), mapped(kwargs, fill)
        result = func(*args, **kwargs)
    except Exception as error:
        raise ParityError(
            f"'{step.name}' ({step.kind}) cannot be run alone: {type(error).__name__}: {error}. "
            "Expected sources of the shapes that the graph states."
        ) from error
    if pick == "first":
        return args[0]
    return pick(result) if pick else result


class _Recorder:
    """One `RecordRequest`, carried out."""

    def __init__(self, owner, model, request, graph, into=None):
        self.owner, self.model, self.request, self.graph = owner, model, request, graph
        self.bindings = owner._bindings
        self.known = {(n.name, n.kind): n for n in graph.nodes}
        self.out = {} if into is None else into
        self.learning = owner._learning if request.learn else None
        self.returned = None

    def recorded(self):
        request, training = self.request, self.request.mode == "train"
        outputs, given, tracer = self._forward(training=training, keep=request.keep_values)
        for place, tensor in enumerate(outputs):
            self.out[f"outputs/{place}"] = as_array(tensor)
        if request.keep_values:
            self._values(tracer)
        loss = None
        if len(request.projections) or self.learning:
            loss, slopes = self._gradients(outputs, given, first=True)
            self.out["loss"] = as_array(loss)
            self._canonical(slopes)
        if training:
            self._states("state", statistics=True)
            if loss is not None and request.steps:
                self._train(loss, slopes)
            after, _, _ = self._forward(training=False, keep=False)
            for place, tensor in enumerate(after):
                self.out[f"after/{place}"] = as_array(tensor)
        return self.out

    def _forward(self, *, training, keep):
        moded(self.model, training=training)
        tracer = self.owner._tracing(
            self.model,
            self.bindings,
            self.request.precision,
            training=training,
            keep=self._keep if keep else None,
            noises=self.owner._noises,
        )
        tracer.apart, tracer.paging = self.owner._apart, self.owner.paging
        tracer.nudged = None if self.request.nudged is None else {}
        tracer.passes = lambda root: self._id(root) in self.request.passing
        sections = self.owner._sections
        tracer.unblocked = {sections[name] for name in self.request.passing if name in sections}
        given, _ = self.owner._given(
            tracer, self.request.inputs, self.request.precision, gradients=torch.is_grad_enabled()
        )
        outputs, _ = forward(self.model, tracer, given, self.owner.names)
        self.returned = tracer.returned
        return outputs, given, tracer

    def _id(self, root):
        if root.step is None:
            return root.name
        node = self.known.get((root.step.name, root.step.kind))
        return None if node is None else node.values[root.place].id

    def _values(self, tracer):
        for step in tracer.steps:
            node = self.known.get((step.name, step.kind))
            if node is None:
                continue
            for source, ref in zip(node.sources, step.sources, strict=False):
                if source.value.startswith("constant:") and ref.root.data is not None:
                    self._value(source.value, ref.root.data)

    def _keep(self, step, place, tensor):
        """A node's value, as it is now: it may be written into later."""
        node = self.known.get((step.name, step.kind))
        if node is not None and place < len(node.values):
            with torch._C.DisableTorchFunction():
                self._value(node.values[place].id, tensor)

    def _value(self, name, tensor):
        if not (self.request.whole_only and tensor.is_floating_point()):
            self.out[f"values/{name}"] = as_array(tensor)

    def _loss(self, outputs):
        if self.learning is not None and self.learning.function is not None:
            targets = [to_tensor(t, self.request.precision) for t in self.request.targets]
            return self.learning.loss(self.returned, outputs, targets, self.request.precision)
        terms = [
            (x * to_tensor(p, self.request.precision).reshape(x.shape)).sum()
            for x, p in zip(outputs, self.request.projections, strict=False)
            if x.is_floating_point()
        ]
        return sum(terms) if terms else torch.zeros(())

    def _gradients(self, outputs, given=(), *, first=False):
        loss = self._loss(outputs)
        if first and self.learning is not None and loss.requires_grad:
            sloped = [x if x.requires_grad else None for x in outputs]
            found = torch.autograd.grad(
                loss, [x for x in sloped if x is not None], allow_unused=True, retain_graph=True
            )
            rest = iter(found)
            for place, x in enumerate(sloped):
                slope = None if x is None else next(rest)
                if slope is not None:
                    self.out[f"gradients/output:{place}"] = as_array(slope)
        skipped = self._skipped()
        moved = {
            name: parameter
            for name, parameter in self.model.named_parameters()
            if parameter.requires_grad and name not in skipped
        }
        wanted = [*moved.values(), *(x for x in given if x.requires_grad)]
        taken = self._streams(moved) if first and not self.request.steps else {}
        found = slopes(loss, wanted, {list(moved).index(name): f for name, f in taken.items()})
        rest = iter(found[len(moved) :])
        for place, x in enumerate(given):
            slope = next(rest) if x.requires_grad else None
            if slope is not None:
                self.out[f"gradients/input:{place}"] = as_array(slope)
        every = dict(zip(moved, found, strict=False))
        return loss, {n: s for n, s in every.items() if s is not None and n not in taken}

    def _skipped(self):
        """Names of weights of which no gradient is wanted."""
        every = self.graph.parameters.values()
        skipped, wanted = set(), set()
        for parameter in every if self.request.skipped else ():
            (skipped if parameter.id in self.request.skipped else wanted).update(parameter.names)
        return skipped - wanted

    def _streams(self, moved):
        """Name of a large weight → what writes its gradient down as soon as it is there."""
        users = {name: [] for name in moved if moved[name].nbytes >= LARGE}
        for parameter in self.graph.parameters.values():
            for name in parameter.names:
                if len(parameter.names) > 1 or not parameter.trainable:
                    users.pop(name, None)
                elif name in users:
                    users[name].append(self.bindings.all[parameter.id])

        def take(name, slope):
            wide = slope.detach().to(getattr(torch, self.request.precision))
            own = {name: wide.to_dense().numpy() if wide.is_sparse else wide.numpy()}
            for binding in users[name]:
                self.out[f"gradients/{binding.id}"] = binding.read(own, gradients=True)

        return {name: partial(take, name) for name in users}

    def _canonical(self, slopes, prefix="gradients"):
        own = {name: as_array(s, self.request.precision) for name, s in slopes.items()}
        for name, parameter in self.graph.parameters.items():
            if parameter.trainable and set(parameter.names) <= set(own):
                binding = self.bindings.all[name]
                self.out[f"{prefix}/{name}"] = binding.read(own, gradients=True)

    def _states(self, prefix, *, statistics):
        own = Arrays(self.model, self.request.precision)
        for name, parameter in self.graph.parameters.items():
            if not statistics or parameter.role in STATISTICS:
                self.out[f"{prefix}/{name}"] = self.bindings.all[name].read(own)

    def _train(self, loss, slopes):
        losses, still = [loss.item()], self._still()
        parameters = dict(self.model.named_parameters())
        own = self.learning is not None and self.learning.steps
        optimizer = self.learning.optimizer(self.model) if own else None
        for step in range(1, self.request.steps + 1):
            if self.learning is not None:
                self._canonical(slopes, f"slopes-{step}")
            moved = {n: s for n, s in slopes.items() if n not in still}
            if optimizer is None:
                with torch.no_grad():
                    for name, slope in moved.items():
                        parameters[name].sub_(self.request.rate * slope)
            else:
                for name, parameter in parameters.items():
                    parameter.grad = moved.get(name)
                with guarded("taking a step of the optimizer"), plain_clipping():
                    optimizer.step()
            if self.learning is not None:
                self._states(f"weights-{step}", statistics=False)
            outputs, _, _ = self._forward(training=True, keep=False)
            loss, slopes = self._gradients(outputs)
            losses.append(loss.item())
        for parameter in parameters.values():
            parameter.grad = None
        self.out["steps/loss"] = np.array(losses, dtype=self.request.precision)
        self._states("steps", statistics=False)

    def _still(self):
        """The second of two biases that are only ever added: a step on their sum moves one."""
        out = set()
        for binding in self.bindings.all.values():
            moved = binding.codec.moved([None] * len(binding.names))
            out |= {n for n, m in zip(binding.names, moved, strict=True) if not m}
        return out
