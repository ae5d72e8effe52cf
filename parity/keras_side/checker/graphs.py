"""From what the tracer heard to a graph: names, parameters, index arrays."""

from __future__ import annotations

import hashlib

import numpy as np

from parity.checker.graph.graph import Graph, Node, Parameter, Source, Value
from parity.keras_side.checker.marks import Raw
from parity.keras_side.checker.naming import every_layer, library_of, made_at

CODE = 240
"""So much of a line of code is shown."""


def parameters_of(weights):
    """Key → id, unique and readable; the variables' own names where there is no role."""
    ids, taken = {}, set()
    roles = [(w.owner, w.role) for w in weights.values()]
    for key, weight in weights.items():
        own = weight.role == "raw" or roles.count((weight.owner, weight.role)) > 1
        base = f"{weight.owner}/{weight.variable.name if own else weight.role}"
        name, n = base, 1
        while name in taken:
            name, n = f"{base}_{n}", n + 1
        taken.add(name)
        ids[key] = name
    return ids


def named(nodes, name_of):
    """Give each node the name people call it by."""
    alone: dict[int, int] = {}
    for raw in nodes:
        if raw.name is None and raw.scope is not None:
            alone[id(raw.scope)] = alone.get(id(raw.scope), 0) + 1
    names, count = [], {}
    for raw in nodes:
        if raw.name is not None:
            names.append(raw.name)
            continue
        base = name_of(raw.scope.layer) if raw.scope is not None else "model"
        if raw.scope is not None and raw.scope.builtin and alone[id(raw.scope)] == 1:
            names.append(base)
            continue
        base = f"{base}.{raw.function}"
        n = count[base] = count.get(base, -1) + 1
        names.append(f"{base}_{n}" if n else base)
    return names


def _alive(nodes, outputs):
    wanted, kept = {ref.root[0] for ref in outputs if isinstance(ref.root[0], Raw)}, []
    for raw in reversed(nodes):
        if raw in wanted:
            kept.append(raw)
            wanted |= {s.root[0] for s in raw.sources if isinstance(s.root[0], Raw)}
    return kept[::-1]


def reaching_nothing(nodes, outputs):
    """Names of layers that reach no output."""
    alive = set(_alive(nodes, outputs))
    return [str(raw.name) for raw in nodes if raw not in alive and raw.parameters]


def fixed(tracer, nodes, outputs):
    """What goes into the outputs and depends on nothing, as arrays."""
    alive = _alive(nodes, outputs)
    refs = [s for raw in alive for s in raw.sources] + list(outputs)
    arrays = [tracer.constants[r.root[1]] for r in refs if r.root[0] == "constant"]
    return arrays + [np.array(raw.settings.get("scalar", 0.0)) for raw in alive]


class Builder:
    """Makes a graph of a finished trace."""

    def __init__(self, tracer, nodes, model):
        self.tracer = tracer
        self.nodes = nodes
        self.model = model
        self.ids: dict[str, np.ndarray] = {}
        self.parameters = parameters_of(tracer.weights)
        self._numbers = {id(raw): i for i, raw in enumerate(nodes)}
        self._arrays: dict[str, str] = {}

    def root(self, root):
        """The id of a root value."""
        what, k = root
        if isinstance(what, Raw):
            return f"n{self._numbers[id(what)]}:{k}"
        if what == "parameter":
            self.tracer.weights[k].used = True
            return f"parameter:{self.parameters[k]}"
        return f"{what}:{k}"

    def source(self, ref):
        """A reference as a source."""
        key = ""
        if ref.ids is not None:
            array = np.ascontiguousarray(ref.ids, dtype=np.int64)
            digest = hashlib.sha1(repr(array.shape).encode() + array.tobytes()).hexdigest()
            key = self._arrays.setdefault(digest, f"ids{len(self._arrays)}")
            self.ids[key] = array
        return Source(self.root(ref.root), tuple(int(n) for n in ref.shape), key)

    def graph(self, title, inputs, outputs, output_names=()):
        """The whole."""
        t = self.tracer
        names = named(self.nodes, self._name)
        nodes = []
        for i, (raw, name) in enumerate(zip(self.nodes, names, strict=True)):
            roles = {role: self.parameters[key] for role, key in raw.parameters.items()}
            for key in raw.parameters.values():
                t.weights[key].used = True
            values = tuple(_value(f"n{i}:{k}", y) for k, y in enumerate(raw.outputs))
            sources = tuple(self.source(s) for s in raw.sources)
            code = raw.code.strip()[:CODE]
            nodes.append(Node(f"n{i}", name, raw.kind, raw.settings, sources, values, roles, code))
        returned = tuple(self.source(r) for r in outputs)
        made = self._parameters()
        taken = {self.parameters[k] for k, w in t.weights.items() if w.used}
        return Graph(
            side="keras",
            title=title,
            inputs=tuple(_value(f"input:{i}", x) for i, x in enumerate(inputs)),
            outputs=returned,
            nodes=tuple(nodes),
            parameters=made,
            unused=tuple(p for p in made if p not in taken),
            notes=tuple(dict.fromkeys(t.notes)),
            output_names=output_names,
            stopped=tuple(self.root(r) for r in t.stopped if self._stays(r)),
            penalties=tuple(self._penalties()),
            libraries=self._libraries(names),
            places=self._places(names),
            made=self._made(),
            called={n: raw.called for raw, n in zip(self.nodes, names, strict=True) if raw.called},
        )

    def _libraries(self, names):
        """As `parity.checker.graph.graph.Graph.libraries`; a layer's own line is its call's."""
        found = {self._name(layer): library_of([layer]) for _, layer, _ in every_layer(self.model)}
        for raw, name in zip(self.nodes, names, strict=True):
            found[name] = raw.library or found.get(name)
        return {name: library for name, library in found.items() if library is not None}

    def _places(self, names):
        """Name of a node → file and line: where its layer is made, else where it is called."""
        called = {n: raw.place for raw, n in zip(self.nodes, names, strict=True) if raw.place}
        made = self._made()
        return called | {n: (s[0].file, s[0].line) for n, s in made.items() if n in names}

    def _made(self):
        """Name of a layer → where it was made."""
        found = {self._name(layer): made_at(layer) for _, layer, _ in every_layer(self.model)}
        return {name: sites for name, sites in found.items() if sites}

    def _name(self, layer):
        return "model" if layer is self.model else self.tracer.name_of(layer)

    def _stays(self, root):
        return not isinstance(root[0], Raw) or id(root[0]) in self._numbers

    def _penalties(self):
        """What `fit` adds to the loss, or enforces after a step."""
        for layer in self.model._flatten_layers():
            for what in (
                "kernel",
                "recurrent",
                "bias",
                "embeddings",
                "gamma",
                "beta",
                "activity",
                "depthwise",
                "pointwise",
            ):
                for kind in ("regularizer", "constraint"):
                    given = getattr(layer, f"{what}_{kind}", None)
                    if given is not None:
                        yield self._name(layer), f"{what}_{kind}={_call(given)}"

    def _parameters(self):
        made = {}
        for key, weight in self.tracer.weights.items():
            array = np.asarray(weight.variable)
            name = self.parameters[key]
            made[name] = Parameter(
                id=name,
                role=weight.role,
                shape=tuple(int(n) for n in weight.shape),
                trainable=key in self.tracer.trainable,
                constant=bool(array.size) and bool(np.all(array == array.flat[0])),
                names=(weight.variable.path,),
            )
        return made


def _call(given):
    """A regularizer or constraint as one would write it."""
    config = given.get_config() if hasattr(given, "get_config") else {}
    inner = ", ".join(f"{k}={v!r}" for k, v in config.items() if v not in (None, 0.0))
    return f"{type(given).__name__}({inner})"


def _value(name, tensor):
    return Value(name, tuple(int(n) for n in tensor.shape), tensor.dtype.name)
