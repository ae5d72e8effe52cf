"""From what a tracer wrote to a graph: what reaches no output is left out, the rest numbered."""

import hashlib
import itertools

import numpy as np
import torch

from parity.checker.graph.graph import Graph, Node, Source, Value
from parity.checker.graph.model_interface import Traced
from parity.core.errors import ParityError
from parity.torch_side.checker import weights
from parity.torch_side.checker.naming import made_at


class Writer:
    """Builds the graph of one trace.

    Args:
        tracer: after the run.
        inputs: root values of the inputs.
        outputs: references of the outputs.
        names: of the outputs, by the keys or fields that lead to them.
    """

    def __init__(self, tracer, inputs, outputs, model, names=()):
        self.names = names
        self.tracer, self.inputs, self.outputs, self.model = tracer, inputs, outputs, model
        self.ids, self.constants = {}, {}
        self._keys, self._numbers = {}, itertools.count()
        self.steps = _alive(tracer.steps, outputs)

    def written(self, title):
        """The graph, its index arrays, and node id → step."""
        for place, step in enumerate(self.steps):
            for root in step.outputs:
                root.name = f"n{place}:{root.place}"
                if not all(type(n) is int for n in root.shape):
                    raise ParityError(
                        f"What {step.name} yields has rows of unlike length ({root.shape}). "
                        "Expected a tensor that is an array."
                    )
        nodes = [self._node(f"n{k}", step) for k, step in enumerate(self.steps)]
        outputs = tuple(self._source(ref) for ref in self.outputs)
        parameters, unused = self._parameters(nodes, outputs)
        made, called = self._made(), {s.name: s.called for s in self.steps if s.called}
        graph = Graph(
            side="torch",
            title=title,
            inputs=tuple(Value(r.name, r.shape, r.dtype) for r in self.inputs),
            outputs=outputs,
            nodes=tuple(nodes),
            parameters=parameters,
            unused=unused,
            notes=tuple(self.tracer.notes + self._left_out()),
            output_names=self.names,
            stopped=tuple(
                root.name
                for root in self.tracer.stopped
                if root.step is None or root.step in self.steps
            ),
            places={
                s.name: (sites[0].file, sites[0].line)
                for s in self.steps
                if (sites := made.get(s.name) or s.called)
            },
            made=made,
            called=called,
        )
        return Traced(graph, self.ids)

    def _made(self):
        """Name of a module → where the user made it."""
        found = {name: made_at(module) for name, module in self.model.named_modules() if name}
        return {name: sites for name, sites in found.items() if sites}

    def _node(self, name, step):
        return Node(
            id=name,
            name=step.name,
            kind=step.kind,
            settings=_json(step.settings),
            sources=tuple(self._source(ref) for ref in step.sources),
            values=tuple(Value(r.name, r.shape, r.dtype) for r in step.outputs),
            parameters={role: b.id for role, b in step.parameters.items()},
            code=step.code,
        )

    def _source(self, ref):
        root, ids = ref.root, ref.ids
        if root.kind == "constant":
            root.name = self.constants.setdefault(id(root), f"constant:{len(self.constants)}")
        if root.kind != "parameter":
            return Source(root.name, ref.shape, self._key(root.name, ids))
        binding = self._whole(root.name)
        canonical = _canonical_places(binding, root.shape)
        if canonical is not None:
            ids = canonical.reshape(root.shape) if ids is None else canonical[ids]
        return Source(f"parameter:{binding.id}", ref.shape, self._key(binding.id, ids))

    def _whole(self, name):
        """The one canonical parameter for a weight that is used as it is."""
        bindings = self.tracer.bindings.of(name)
        plain = [b for b in bindings if len(b.names) == 1 and not isinstance(b.codec, weights.Rows)]
        if bindings and not plain:
            self.tracer.note(f"{name} is used both as a layer's weight and by itself.")
        return plain[0] if plain else self.tracer.bindings.raw(name, anyway=True)

    def _key(self, root, ids):
        if ids is None:
            return ""
        array = ids.contiguous().numpy()
        digest = hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()
        key = self._keys.setdefault((root, digest), f"i{len(self._keys)}")
        self.ids[key] = array
        return key

    def _parameters(self, nodes, outputs):
        bindings = self.tracer.bindings
        behind = {name for b in bindings.all.values() for name in b.names}
        for name, tensor in weights.tensors(self.model).items():
            statistic = name.rpartition(".")[2] in ("running_mean", "running_var")
            if name not in behind and (isinstance(tensor, torch.nn.Parameter) or statistic):
                bindings.raw(name)
        used = {p for n in nodes for p in n.parameters.values()}
        sources = [s for n in nodes for s in n.sources] + list(outputs)
        used |= {s.value.removeprefix("parameter:") for s in sources}
        own, values = weights.tensors(self.model), weights.Arrays(self.model)
        described = {b.id: weights.described(b, own, values) for b in bindings.all.values()}
        return described, tuple(p for p in described if p not in used)

    @property
    def lost(self):
        """Names of layers that reach no output."""
        alive = {id(s) for s in self.steps}
        return [s.name for s in self.tracer.steps if id(s) not in alive and s.parameters]

    def fixed(self):
        """What goes into the outputs and depends on nothing, as arrays."""
        roots = [ref.root for step in self.steps for ref in step.sources]
        roots += [ref.root for ref in self.outputs]
        arrays = [weights.as_array(r.data) for r in roots if r.constant and r.data is not None]
        return arrays + [np.array(s.settings.get("scalar", 0.0)) for s in self.steps]

    def _left_out(self):
        names = self.lost
        if not names:
            return []
        shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        return [f"What {shown} computes reaches no output and is left out."]


def _alive(steps, outputs):
    wanted = {id(ref.root.step) for ref in outputs if ref.root.step is not None}
    kept = []
    for step in reversed(steps):
        if id(step) in wanted:
            kept.append(step)
            wanted |= {id(r.root.step) for r in step.sources if r.root.step is not None}
    return kept[::-1]


def _canonical_places(binding, shape):
    """Flat place in the framework's array → flat place in the canonical one; None if the same."""
    if type(binding.codec) is weights.Codec:
        return None
    count = int(np.prod(shape))
    moved = binding.codec.read([np.arange(count).reshape(shape)])
    places = np.empty(count, dtype=np.int64)
    places[moved.reshape(-1)] = np.arange(count)
    return torch.from_numpy(places)


def _json(value):
    if isinstance(value, dict):
        return {str(k): _json(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(v) for v in value]
    if isinstance(value, (str, bool, type(None))):
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    return str(value)
