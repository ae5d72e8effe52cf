"""The tracer: sees every torch function of one run and writes down what it computes."""

import itertools

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from parity.torch_side.checker import nudging
from parity.torch_side.checker.calls import Call, flatten, mapped, number, opened, split_names
from parity.torch_side.checker.helpers import (
    Label,
    changed,
    is_leaf,
    joined,
    leaves,
    module_code,
    not_alone,
    overwritten,
    plain_arguments,
    versions,
    widened,
)
from parity.torch_side.checker.naming import called_at
from parity.torch_side.checker.refs import Ref, Root, Stale, Table, dtype_name
from parity.torch_side.checker.steps import Frame, Own, Slot, TracedStep

HANDLERS = {}
"""Plain name of a function → ``handler(tracer, call)``; filled by the modules of kinds."""

SHAPE_ONLY = frozenset(
    split_names(
        "zeros_like ones_like empty_like full_like new_zeros new_ones new_empty new_full "
        "new_tensor new_empty_strided new zero fill"
    )
)
LEAVING = frozenset(
    split_names(
        "item tolist numpy __array__ __bool__ __int__ __float__ __index__ __complex__ "
        "__contains__ is_nonzero allclose equal"
    )
)


def handles(*names):
    """Register a handler for these plain names."""

    def register(handler):
        HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return register


class Tracer(TorchFunctionMode):
    """Sees one run of a model.

    Args:
        model: the module.
        bindings: `weights.Bindings`: which parameter is what.
        precision: of the run; in float64 a cast to float32 by name is none.
        training: the run is in training mode.
        keep: is told of the value of every node: its step, its place there, the tensor.
        noises: what was measured of modules in runs before; see `noise.Noises`.

    Attributes:
        apart: recurrent layers of these cells are written down step by step.
        paging: is told of weights that were looked at; None where all are in memory.
        detailed: what is written down becomes a graph, with where each node was called.
        nudged: id → constant that was moved by half a unit of float32; None where none is to be.
        passes: whether the gradient of a root that the model stops is to pass all the same.
        section: number of the ``no_grad`` block that runs, None outside of one.
        unblocked: numbers of those in which gradients are to pass all the same.
    """

    def __init__(
        self, model, bindings, precision="float32", *, training=False, keep=None, noises=None
    ):
        super().__init__()
        self.model, self.bindings = model, bindings
        self.training, self.keep = training, keep
        self.noises = {} if noises is None else noises
        self.wide = precision == "float64"
        self.table, self.steps, self.notes, self.stopped = Table(), [], [], []
        self._names, self._labels = set(), []
        self.paths = {id(module): name for name, module in model.named_modules()}
        self.frames = [Frame("", model)]
        self.cumulative, self.passes = set(), lambda root: False
        self.section, self.sections, self.unblocked = None, 0, frozenset()
        self.nudged, self.apart, self.paging, self.detailed = None, (), None, False
        for name, tensor in itertools.chain(model.named_parameters(), model.named_buffers()):
            floating = tensor.is_floating_point() or isinstance(tensor, nn.Parameter)
            if floating:
                root = Root("parameter", tuple(tensor.shape), dtype_name(tensor), name)
                self.table.set(tensor, Ref(root, tuple(tensor.shape)))

    # -- what is known of tensors ------------------------------------------------------------

    def input(self, place, tensor):
        """A tensor that the model is given."""
        shape = tuple(tensor.shape)
        root = Root("input", shape, dtype_name(tensor), f"input:{place}")
        self.table.set(tensor, Ref(root, shape))
        return root

    def ref(self, tensor):
        """What a tensor is; one that nobody made is a constant."""
        known = self.table.get(tensor)
        if isinstance(known, Stale):
            return self._refreshed(tensor, known)
        if known is None and tensor.grad_fn is not None:
            self._appeared(tensor)
            known = self.table.get(tensor)
        return self.constant(tensor) if known is None else known

    def outcome(self, tensor):
        """What a tensor is that the model returns."""
        ref = self.ref(tensor)
        self._leaves_section(ref)
        return ref

    def finish(self, outputs):
        """The run is over, and returned these."""

    def everywhere(self):
        """While the model runs: all of it is seen."""
        return self

    def knows(self, tensor):
        """Whether the tensor was made, or given, under these eyes."""
        return self.table.get(tensor) is not None

    def constant(self, tensor):
        """Write down that a tensor depends on nothing that the model is given."""
        shape = tuple(tensor.shape)
        ref = Ref(Root("constant", shape, dtype_name(tensor)), shape)
        self.table.set(tensor, ref)
        return ref

    def fixed(self, tensor):
        """Whether it is a constant."""
        return self.ref(tensor).root.constant

    def scalar(self, value, other=None):
        """A number, or a constant tensor of one element as a number; else None."""
        if not isinstance(value, torch.Tensor):
            return number(value)
        small = value.numel() == 1 and (other is None or value.dim() <= other.dim())
        return value.item() if small and self.fixed(value) else None

    def note(self, text):
        """Something that the graph does not tell."""
        if text not in self.notes:
            self.notes.append(text)

    # -- calls ---------------------------------------------------------------------------------

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return self.run(func, *args, **(kwargs or {}))

    def run(self, func, *args, **kwargs):
        """Do a call as the model would, and write down what it is."""
        if func is torch._C._set_grad_enabled:
            return self._sloped(*args)
        if self.wide:
            func, args, kwargs = widened(func, args, kwargs)
        if self.nudged is not None:
            args, kwargs = nudging.arguments(self, func, args, kwargs)
        call = Call(func, args, kwargs)
        if call.name in HANDLERS and getattr(HANDLERS[call.name], "always", False):
            return HANDLERS[call.name](self, call)
        if call.name in SHAPE_ONLY or all(self.fixed(t) for t in call.tensors):
            return self.plain(call)
        if call.name in HANDLERS:
            return self._handled(call)
        return self.unknown(call)

    def _sloped(self, enabled):
        """``no_grad`` and its like begin or end."""
        if enabled:
            self.section = None
        elif self.section is None and torch.is_grad_enabled():
            self.section, self.sections = self.sections, self.sections + 1
        torch._C._set_grad_enabled(enabled or self.section in self.unblocked)

    def _leaves_section(self, ref):
        root = ref.root
        if root.section not in (None, self.section) and root not in self.stopped:
            self.stopped.append(root)

    def _handled(self, call):
        """What a handler does not understand, an odd argument, becomes an opaque node."""
        before, steps = versions(call.tensors), len(self.steps)
        try:
            return HANDLERS[call.name](self, call)
        except Exception as error:
            if changed(before) or len(self.steps) != steps:
                raise
            result = call()  # raises by itself where the model is wrong
            self.note(f"{call.code()} in {self.where} is an opaque node: {error}.")
            settings = {"name": call.name, **plain_arguments(call)}
            return self.step(call, "opaque", settings, call.tensors, result=result, before=before)

    def plain(self, call):
        """A call whose results depend on nothing that the model is given."""
        before = versions(call.tensors)
        result = call()
        if self.nudged is not None and not changed(before):
            given = {id(t) for t in call.tensors}
            result = mapped(
                result,
                lambda x: (
                    nudging.moved(self, x)
                    if isinstance(x, torch.Tensor) and id(x) not in given
                    else x
                ),
            )
        for tensor in changed(before):
            ref = self.constant(tensor)
            ref.root.data = tensor.detach().clone()
            self.table.written(tensor, ref)
        for tensor in flatten(result):
            if not any(tensor is t for t in call.tensors):
                self.constant(tensor)
        return result

    def unknown(self, call):
        """A function without a name here: what it is made of if it is Python, else opaque."""
        inside = opened(call.func)
        if inside is not None:
            with self:
                return inside(*call.args, **call.kwargs)
        before = versions(call.tensors)
        result = call()
        made = [t for t in flatten(result) if not any(t is u for u in call.tensors)]
        if not made and not changed(before):
            if call.name in LEAVING:
                self.note(
                    f"The forward pass takes numbers out of tensors ({call.code()} in "
                    f"{self.where}); what it does with them is not seen."
                )
            return result
        settings = {"name": call.name, **plain_arguments(call)}
        return self.step(call, "opaque", settings, call.tensors, result=result, before=before)

    def step(
        self,
        call,
        kind,
        settings,
        sources,
        *,
        parameters=None,
        result=...,
        before=None,
        pick=None,
        name=None,
        bound=None,
    ):
        """Do a call and write it down as a node.

        Args:
            call: what is done.
            kind, settings: see `checker.graph.graph`; `settings` may be a function of the result.
            sources: the tensors that are taken, in order.
            parameters: role → tensor, None where there is none.
            result: of the call if it was done already; `before`: versions of its tensors then.
            pick: result → tensors that are the node's values; all of them without it.
            name: instead of the function's own.
            bound: role → `weights.Binding`, where the caller found it.

        Returns:
            What the call returns.
        """
        own, more = self._bound(kind, parameters or {})
        bound = {**own, **(bound or {})}
        sources = [*sources, *more]
        refs = [self.ref(t) for t in sources]
        for ref in refs:
            self._leaves_section(ref)
        self._frozen(refs, sources)
        again = self._marked(call, sources, bound, pick)
        if result is ...:
            before = versions(call.tensors)
            result = call()
        settings = settings(result) if callable(settings) else settings
        if more:
            settings = {
                **settings,
                "computed": [r for r, t in (parameters or {}).items() if any(t is m for m in more)],
            }
        made = list(flatten(result if pick is None else pick(result)))
        label, code = self._label(name or call.name, call, bool(bound))
        step = TracedStep(label, kind, settings, refs, [], bound, code, again)
        self._add(step)
        for place, tensor in enumerate(made):
            self._yielded(step, place, tensor, inplace=any(tensor is t for t in changed(before)))
        for tensor in changed(before):
            if not any(tensor is m for m in made) and tensor.is_floating_point():
                root = step.outputs[0] if step.outputs else None
                if root is not None and root.shape == tuple(tensor.shape):
                    self.table.written(tensor, Ref(root, root.shape))
        return result

    def writes(self, call, settings, sources):
        """A call that writes into a part of its first tensor and returns nothing."""
        refs = [self.ref(t) for t in sources]
        self._frozen(refs, sources)
        again = self._marked(call, sources, {}, "first")
        result = call()
        label, code = self._label(call.name.strip("_"), call, False)
        step = TracedStep(label, "opaque", settings, refs, [], {}, code, again)
        self._add(step)
        self._yielded(step, 0, sources[0], inplace=True)
        return result

    def _add(self, step):
        step.called = called_at() if self.detailed else ()
        self.steps.append(step)

    def _yielded(self, step, place, tensor, *, inplace):
        shape = tuple(tensor.shape)
        if self.keep is not None:
            self.keep(step, place, tensor)
        root = Root("node", shape, dtype_name(tensor), "", step, place, section=self.section)
        step.outputs.append(root)
        if inplace:
            self.table.written(tensor, Ref(root, shape))
        else:
            self.table.set(tensor, Ref(root, shape))

    def _frozen(self, refs, tensors):
        """A constant is kept as it is now: it may be written into later."""
        for ref, tensor in zip(refs, tensors, strict=True):
            if ref.root.constant and ref.root.data is None:
                ref.root.data = tensor.detach().clone()

    def _bound(self, kind, parameters):
        bound, more = {}, []
        for role, tensor in parameters.items():
            if tensor is None:
                continue
            binding = self.bindings.bind(self.ref(tensor), role, kind, self.label)
            if binding is None:
                more.append(tensor)
            else:
                bound[role] = binding
        return bound, more

    def _marked(self, call, sources, bound, pick):
        slots = {id(t): place for place, t in enumerate(sources)}

        def mark(leaf):
            if not isinstance(leaf, torch.Tensor):
                return leaf
            if id(leaf) in slots:
                return Slot(slots[id(leaf)])
            ref = self.ref(leaf)
            if ref.root.kind == "parameter":
                return Own(ref.root.name, ref.ids, ref.shape)
            if not ref.root.constant and ref.root.kind == "node":
                return leaf.detach()
            return leaf.detach() if leaf.requires_grad else leaf

        return call.func, mapped(call.args, mark), mapped(call.kwargs, mark), pick

    def _refreshed(self, tensor, stale):
        """Only now that it is used, the node of a tensor that was written through another."""
        hits = stale.hits
        step = TracedStep(
            self._unique(joined(self.frames[-1].path, "overwritten")),
            "opaque",
            {"name": "overwritten"},
            [stale.old, stale.new],
            [],
            {},
            "x[...] = y",
            (overwritten, (Slot(0), Slot(1), hits), {}, None),
        )
        self._add(step)
        self._yielded(step, 0, tensor, inplace=False)
        return self.table.get(tensor)

    def _appeared(self, tensor):
        """A tensor that autograd knows to be computed, but not by what goes by here: one node."""
        given = self.made_of(tensor)
        if not given:
            return
        what = type(tensor.grad_fn).__name__.removesuffix("0").removesuffix("Backward")
        self.note(f"What ends in {what} in {self.where} cannot be looked into; it is one node.")
        inner = [self.frames.pop()] if len(self.frames) > 1 and is_leaf(self.module) else []
        self.unseen(tensor, given, what)
        self.frames += inner

    def made_of(self, tensor):
        """The nearest known tensors that autograd followed on the way to this one."""
        held, given = self.table.by_slope(), []
        waiting, seen = [tensor.grad_fn], set()
        while waiting:
            function = waiting.pop()
            if function is None or function in seen:
                continue
            seen.add(function)
            known = held.get(function, getattr(function, "variable", None))
            if known is not None and self.knows(known):
                given.append(known)
            else:
                waiting += [f for f, _ in function.next_functions]
        given = [x for x in reversed(given) if self.table.get(x) is not None]
        return [x for x in given if self.ref(x).root.kind != "parameter"] or given

    def unseen(self, tensor, given, what, name="unseen"):
        """A node for what nobody saw computing this tensor of those."""
        call = Call(not_alone, (), {})
        call.name, call.code = name, lambda: what
        self.step(call, "opaque", {"name": what}, given, result=tensor, before=[])

    # -- modules -------------------------------------------------------------------------------

    @property
    def where(self):
        """The module that is running, as people call it."""
        frame = self.frames[-1]
        return frame.path or type(frame.module).__name__

    @property
    def module(self):
        """The module that is running."""
        return self.frames[-1].module

    @property
    def label(self):
        """What nodes and parameters are called at present, or None."""
        return self._labels[-1] if self._labels else None

    def labelled(self, label):
        """Within this, nodes and parameters are called so (``query``)."""
        return Label(self._labels, label)

    def enter(self, module, args):
        """A module begins."""
        path = self.paths.get(id(module))
        if path is None:
            path = joined(self.frames[-1].path, type(module).__name__.lower())
        self.frames.append(Frame(path, module))

    def leave(self, module, args, output):
        """A module ends; what nobody saw being made came out of it as a whole."""
        if len(self.frames) > 1 and self.frames[-1].module is module:
            given = [t for t in flatten(args) if self.knows(t) and not self.fixed(t)]
            held = {id(v) for v in vars(module).values()}
            made = [t for t in flatten(leaves(output)) if not self.knows(t) and id(t) not in held]
            if given and made:
                call = Call(module, args, {})
                call.name = type(module).__name__
                given = list({id(t): t for t in given}.values())
                self.note(
                    f"{self.where} ({call.name}) cannot be looked into; it is one opaque node."
                )
                self.step(
                    call,
                    "opaque",
                    {"name": call.name},
                    given,
                    result=tuple(made),
                    before=[],
                    bound=self._all_of(module),
                )
            self.frames.pop()

    def _all_of(self, module):
        known = {id(tensor): name for name, tensor in self.model.named_parameters()}
        own = {k: known[id(p)] for k, p in module.named_parameters() if id(p) in known}
        return {k: b for k, b in ((k, self.bindings.raw(name)) for k, name in own.items()) if b}

    def _label(self, name, call, has_parameters):
        frame, inner = self.frames[-1], self.label
        if call.func is frame.module:
            return self._unique(frame.path or name), module_code(frame.module)
        if inner:
            return self._unique(joined(frame.path, inner)), call.code()
        alone = is_leaf(frame.module) and (
            has_parameters or not list(frame.module.parameters(recurse=False))
        )
        if alone and not frame.used:
            frame.used = True
            return self._unique(frame.path or name), module_code(frame.module)
        return self._unique(joined(frame.path, name)), call.code()

    def _unique(self, base):
        name, more = base, itertools.count(1)
        while name in self._names:
            name = f"{base}_{next(more)}"
        self._names.add(name)
        return name
