"""Graphs as the tracers write them, made by hand: builders, renamings and faults."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from parity.checker.graph.graph import Graph, Node, Parameter, Source, Value
from parity.checker.graph.model_interface import Traced


class Build:
    """Writes a graph node by node; values are named by their ids."""

    def __init__(self, side: str = "pytorch", channels: str = "first") -> None:
        self.side, self.channels = side, channels
        self.nodes: list[Node] = []
        self.inputs: list[Value] = []
        self.parameters: dict[str, Parameter] = {}
        self.ids: dict[str, np.ndarray] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}

    # Plumbing

    def input(self, shape: Sequence[int]) -> str:
        value = Value(f"input:{len(self.inputs)}", tuple(shape))
        self.inputs.append(value)
        self.shapes[value.id] = value.shape
        return value.id

    def parameter(self, name: str, shape: Sequence[int], role: str = "raw", trainable=True) -> str:
        self.parameters[name] = Parameter(name, role, tuple(shape), trainable, names=(name,))
        self.shapes[f"parameter:{name}"] = tuple(shape)
        return f"parameter:{name}"

    def constant(self, shape: Sequence[int]) -> str:
        value = f"constant:{sum(v.startswith('constant:') for v in self.shapes)}"
        self.shapes[value] = tuple(shape)
        return value

    def view(self, value: str, change: Callable[[np.ndarray], np.ndarray]) -> Source:
        shape = self.shapes[value]
        picks = change(np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape))
        key = f"i{len(self.ids)}"
        self.ids[key] = np.ascontiguousarray(picks)
        return Source(value, tuple(picks.shape), key)

    def node(self, kind, sources, shape, name="", *, weights=(), code="", **settings) -> str:
        number = len(self.nodes)
        name = name or f"{kind}_{number}"
        taken = tuple(s if isinstance(s, Source) else Source(s, self.shapes[s]) for s in sources)
        parameters = {}
        for role, size in weights:
            parameters[role] = f"{name}/{role}"
            self.parameters.setdefault(
                parameters[role], Parameter(parameters[role], role, tuple(size))
            )
        value = Value(f"n{number}:0", tuple(shape))
        self.shapes[value.id] = value.shape
        self.nodes.append(
            Node(f"n{number}", name, kind, settings, taken, (value,), parameters, code)
        )
        return value.id

    def done(self, *outputs) -> Traced:
        taken = tuple(o if isinstance(o, Source) else Source(o, self.shapes[o]) for o in outputs)
        graph = Graph(
            self.side, "made", tuple(self.inputs), taken, tuple(self.nodes), self.parameters
        )
        return Traced(graph, self.ids)

    # Layers

    def _split(self, x: str) -> tuple[int, int, tuple[int, ...]]:
        shape = x.shape if isinstance(x, Source) else self.shapes[x]
        if self.channels == "first":
            return shape[0], shape[1], shape[2:]
        return shape[0], shape[-1], shape[1:-1]

    def _image(self, batch: int, channels: int, sizes: Sequence[int]) -> tuple[int, ...]:
        if self.channels == "first":
            return (batch, channels, *sizes)
        return (batch, *sizes, channels)

    def conv(self, x, units, kernel=3, *, stride=1, padding=None, name="", bias=False) -> str:
        batch, channels, sizes = self._split(x)
        padding = kernel // 2 if padding is None else padding
        out = [(n + 2 * padding - kernel) // stride + 1 for n in sizes]
        weights = [("kernel", (kernel, kernel, channels, units))]
        weights += [("bias", (units,))] if bias else []
        return self.node(
            "convolution",
            [x],
            self._image(batch, units, out),
            name,
            weights=weights,
            channels=self.channels,
            kernel=[kernel] * 2,
            stride=[stride] * 2,
            dilation=[1, 1],
            padding=[[padding] * 2] * 2,
            groups=1,
            bias=bias,
            mode="zeros",
        )

    def bn(self, x, name="") -> str:
        _, channels, _ = self._split(x)
        weights = [(role, (channels,)) for role in ("gamma", "beta", "mean", "variance")]
        return self.node(
            "batch_norm",
            [x],
            self.shapes[x],
            name,
            weights=weights,
            channels=self.channels,
            epsilon=1e-5,
            momentum=0.9,
            scale=True,
            center=True,
            tracked=True,
            training=False,
        )

    def ln(self, x, name="") -> str:
        weights = [(role, self.shapes[x][-1:]) for role in ("gamma", "beta")]
        return self.node(
            "layer_norm",
            [x],
            self.shapes[x],
            name,
            weights=weights,
            axes=[-1],
            epsilon=1e-5,
            scale=True,
            center=True,
        )

    def act(self, x, kind="relu", name="", **more) -> str:
        shape = x.shape if isinstance(x, Source) else self.shapes[x]
        return self.node("activation", [x], shape, name, **{"name_": kind, **more})

    def dense(self, x, units, name="", *, bias=True) -> str:
        shape = x.shape if isinstance(x, Source) else self.shapes[x]
        weights = [("kernel", (shape[-1], units))] + ([("bias", (units,))] if bias else [])
        return self.node(
            "dense", [x], (*shape[:-1], units), name, weights=weights, units=units, bias=bias
        )

    def pool(self, x, mode="max", *, kernel=2, stride=2, padding=0, name="") -> str:
        batch, channels, sizes = self._split(x)
        out = [(n + 2 * padding - kernel) // stride + 1 for n in sizes]
        return self.node(
            "pool",
            [x],
            self._image(batch, channels, out),
            name,
            mode=mode,
            channels=self.channels,
            kernel=[kernel] * 2,
            stride=[stride] * 2,
            dilation=[1, 1],
            padding=[[padding] * 2] * 2,
            counts_padding=False,
        )

    def mean(self, x, name="") -> str:
        batch, channels, _ = self._split(x)
        axes = [2, 3] if self.channels == "first" else [1, 2]
        return self.node(
            "reduce", [x], (batch, channels), name, mode="mean", axes=axes, keepdims=False
        )

    def op(self, kind, *xs, name="", **settings) -> str:
        shapes = [x.shape if isinstance(x, Source) else self.shapes[x] for x in xs]
        return self.node(kind, xs, np.broadcast_shapes(*shapes), name, **settings)

    def cat(self, *xs, name="") -> str:
        axis = 1 if self.channels == "first" or len(self.shapes[xs[0]]) == 2 else -1
        shape = list(self.shapes[xs[0]])
        shape[axis] = sum(self.shapes[x][axis] for x in xs)
        return self.node("concatenate", xs, shape, name, axis=axis)

    def dropout(self, x, name="", rate=0.5) -> str:
        return self.node(
            "dropout", [x], self.shapes[x], name, rate=rate, noise="dropout", active=False
        )


def _named(settings: dict) -> dict:
    """`Build.act` cannot pass a setting that is called as its own argument."""
    return {key.rstrip("_"): value for key, value in settings.items()}


# Architectures


def chain(blocks=6, width=8) -> Traced:
    g = Build()
    x = g.input((2, 3, 8, 8))
    for k in range(blocks):
        x = g.act(g.bn(g.conv(x, width, name=f"f{k}.conv"), f"f{k}.bn"), name=f"f{k}.relu")
    return g.done(g.dense(g.mean(x, "pool"), 4, "head"))


def resnet(stages=(2, 2, 2), width=8, late_projection=True) -> Traced:
    """The projection's convolution has the shape of the last one of the branch."""
    g = Build()
    x = g.input((2, 3, 16, 16))
    x = g.pool(g.act(g.bn(g.conv(x, width, name="stem.conv"), "stem.bn"), name="stem.relu"))
    for s, blocks in enumerate(stages):
        for k in range(blocks):
            at, short = f"layer{s}.{k}", x
            project = k == 0
            if project and not late_projection:
                short = g.bn(g.conv(x, width, name=f"{at}.down.0"), f"{at}.down.1")
            y = g.act(g.bn(g.conv(x, width, name=f"{at}.conv1"), f"{at}.bn1"), name=f"{at}.relu1")
            y = g.bn(g.conv(y, width, name=f"{at}.conv2"), f"{at}.bn2")
            if project and late_projection:
                short = g.bn(g.conv(x, width, name=f"{at}.down.0"), f"{at}.down.1")
            x = g.act(g.op("add", y, short, name=f"{at}.add"), name=f"{at}.relu2")
    return g.done(g.dense(g.mean(x, "pool"), 4, "head"))


def inception(blocks=3, width=8) -> Traced:
    """Branches of equal shapes, told by their place in the join only."""
    g = Build()
    x = g.input((2, width * 4, 8, 8))
    for k in range(blocks):
        a = g.act(g.conv(x, width, 1, name=f"i{k}.a"))
        b = g.act(g.conv(g.act(g.conv(x, width, 1, name=f"i{k}.b1")), width, name=f"i{k}.b2"))
        c = g.act(g.conv(g.act(g.conv(x, width, 1, name=f"i{k}.c1")), width, name=f"i{k}.c2"))
        d = g.act(
            g.conv(
                g.pool(x, kernel=3, stride=1, padding=1, name=f"i{k}.pool"),
                width,
                1,
                name=f"i{k}.d",
            )
        )
        x = g.cat(a, b, c, d, name=f"i{k}.cat")
    return g.done(g.dense(g.mean(x, "pool"), 4, "head"))


def densenet(blocks=2, layers=4, width=4) -> Traced:
    g = Build()
    x = g.input((2, width, 8, 8))
    for b in range(blocks):
        for k in range(layers):
            y = g.conv(g.act(g.bn(x, f"d{b}.{k}.bn")), width, name=f"d{b}.{k}.conv")
            x = g.cat(x, y, name=f"d{b}.{k}.cat")
        x = g.conv(g.act(g.bn(x, f"t{b}.bn")), width, 1, name=f"t{b}.conv")
    return g.done(g.dense(g.mean(x, "pool"), 4, "head"))


def transformer(layers=3, width=8, heads=2) -> Traced:
    g = Build()
    x, size, time = g.input((2, 5, width)), width // heads, 5
    for k in range(layers):
        at = f"l{k}"
        q, key, v = (g.dense(x, width, f"{at}.{n}") for n in ("q", "k", "v"))
        split = lambda t: t.reshape(2, time, heads, size).transpose(0, 2, 1, 3)  # noqa: E731
        scores = g.node(
            "matmul",
            [g.view(q, split), g.view(key, split)],
            (2, heads, time, time),
            f"{at}.scores",
            transpose_left=False,
            transpose_right=True,
            scale=1.0,
        )
        scores = g.op("multiply", scores, name=f"{at}.scale", scalar=size**-0.5)
        probs = g.act(scores, "softmax", f"{at}.softmax", axis=-1)
        y = g.node(
            "matmul",
            [probs, g.view(v, split)],
            (2, heads, time, size),
            f"{at}.mix",
            transpose_left=False,
            transpose_right=False,
            scale=1.0,
        )
        y = g.dense(
            g.view(y, lambda t: t.transpose(0, 2, 1, 3).reshape(2, time, -1)), width, f"{at}.out"
        )
        x = g.ln(g.op("add", x, y, name=f"{at}.add1"), f"{at}.ln1")
        y = g.dense(
            g.act(g.dense(x, 2 * width, f"{at}.up"), "gelu", approximate=False), width, f"{at}.down"
        )
        x = g.ln(g.op("add", x, y, name=f"{at}.add2"), f"{at}.ln2")
    return g.done(g.dense(x, 4, "head"))


def towers(depth=3, width=8, shared=False) -> Traced:
    """Two inputs through equal towers; what is done with them tells them apart, or nothing."""
    g = Build()
    inputs = [g.input((2, width)), g.input((2, width))]
    ends = []
    for t, start in enumerate(inputs):
        end = start
        for k in range(depth):
            name = f"s{k}" if shared else f"t{t}.{k}"
            end = g.act(g.dense(end, width, name))
        ends.append(end)
    return g.done(g.dense(g.op("maximum", *ends), 4, "head"))


def mobile(blocks=4, width=8) -> Traced:
    """Squeeze and excitation beside a long branch, and residuals."""
    g = Build()
    x = g.input((2, width, 8, 8))
    for k in range(blocks):
        y = g.act(g.bn(g.conv(x, width, 1, name=f"b{k}.expand"), f"b{k}.bn0"), "hard_silu")
        y = g.act(g.bn(g.conv(y, width, 3, name=f"b{k}.depth"), f"b{k}.bn1"), "hard_silu")
        s = g.act(g.dense(g.mean(y), 4, f"b{k}.squeeze"))
        s = g.act(g.dense(s, width, f"b{k}.excite"), "hard_sigmoid")
        y = g.op("multiply", y, g.view(s, lambda t: t.reshape(2, -1, 1, 1)), name=f"b{k}.mul")
        y = g.bn(g.conv(y, width, 1, name=f"b{k}.project"), f"b{k}.bn2")
        x = g.op("add", x, y, name=f"b{k}.add")
    return g.done(g.dense(g.mean(x, "pool"), 4, "head"))


def unet(depth=3, width=4) -> Traced:
    g = Build()
    x, kept = g.input((2, 3, 16, 16)), []
    for k in range(depth):
        x = g.act(g.conv(g.act(g.conv(x, width, name=f"d{k}.0")), width, name=f"d{k}.1"))
        kept.append(x)
        x = g.pool(x, name=f"d{k}.pool")
    x = g.act(g.conv(x, width, name="mid"))
    for k in reversed(range(depth)):
        shape = (*g.shapes[x][:2], *(2 * n for n in g.shapes[x][2:]))
        x = g.node(
            "resize",
            [x],
            shape,
            f"u{k}.up",
            channels="first",
            size=list(shape[2:]),
            mode="nearest",
            align_corners=False,
            antialias=False,
        )
        x = g.cat(kept[k], x, name=f"u{k}.cat")
        x = g.act(g.conv(g.act(g.conv(x, width, name=f"u{k}.0")), width, name=f"u{k}.1"))
    return g.done(g.conv(x, 2, 1, name="head"))


ARCHITECTURES: dict[str, Callable[[], Traced]] = {
    "chain": chain,
    "resnet": resnet,
    "inception": inception,
    "densenet": densenet,
    "transformer": transformer,
    "towers": towers,
    "mobile": mobile,
    "unet": unet,
    "shared": lambda: towers(shared=True),
}


def random_graph(seed: int, size: int = 20) -> Traced:
    """Any directed graph of a few kinds, with one or two inputs and outputs."""
    draw = random.Random(seed)
    g = Build()
    values = [g.input((2, 4)) for _ in range(draw.choice((1, 1, 2)))]
    for _ in range(size):
        recent = values[-draw.choice((1, 1, 2, 3, 8)) :]
        x = draw.choice(recent)
        match draw.choice(("dense", "dense", "act", "act", "ln", "add", "subtract", "wide")):
            case "dense":
                values.append(g.dense(x, 4, bias=draw.random() < 0.5))
            case "act":
                values.append(g.act(x, draw.choice(("relu", "tanh", "gelu"))))
            case "ln":
                values.append(g.ln(x))
            case "wide":
                values.append(g.dense(g.cat(*draw.choices(values, k=draw.choice((2, 3)))), 4))
            case kind:
                values.append(g.op(kind, *draw.choices(values, k=2)))
    used = {s.value for node in g.nodes for s in node.sources}
    ends = [v for v in values if v not in used and not v.startswith("input")] or [values[-1]]
    return g.done(*ends)


# The same graph, otherwise


def finished(traced: Traced) -> Traced:
    nodes = tuple(replace(n, settings=_named(dict(n.settings))) for n in traced.graph.nodes)
    return Traced(replace(traced.graph, nodes=nodes), traced.ids)


def make(name: str, **more) -> Traced:
    return finished(ARCHITECTURES[name](**more))


def shuffled(traced: Traced, seed: int, rename: bool = True) -> tuple[Traced, dict[str, str]]:
    """Another topological order, other ids and names; and which node became which."""
    draw = random.Random(seed)
    nodes, left = [], list(traced.graph.nodes)
    made = {v.id for n in left for v in n.values}
    while left:
        ready = [n for n in left if all(s.value not in made for s in n.sources)]
        node = draw.choice(ready)
        left.remove(node)
        made -= {v.id for v in node.values}
        nodes.append(node)
    new = {n.id: f"n{k}" for k, n in enumerate(nodes)}
    values = {v.id: f"{new[n.id]}:{k}" for n in nodes for k, v in enumerate(n.values)}
    moved = [
        replace(
            n,
            id=new[n.id],
            name=f"layer_{draw.randrange(10**6)}" if rename else n.name,
            sources=tuple(replace(s, value=values.get(s.value, s.value)) for s in n.sources),
            values=tuple(replace(v, id=values[v.id]) for v in n.values),
        )
        for n in nodes
    ]
    outputs = tuple(replace(s, value=values.get(s.value, s.value)) for s in traced.graph.outputs)
    graph = replace(traced.graph, nodes=tuple(moved), outputs=outputs, side="keras")
    return Traced(graph, traced.ids), new


def coarser(traced: Traced, seed: int) -> Traced:
    """The same numbers in more nodes: biases and paddings apart, dropouts between."""
    draw = random.Random(seed)
    g = Build()
    g.inputs = list(traced.graph.inputs)
    g.shapes = {v.id: v.shape for v in g.inputs}
    g.parameters = dict(traced.graph.parameters)
    g.ids = dict(traced.ids)
    g.shapes |= {f"parameter:{k}": p.shape for k, p in g.parameters.items()}
    new: dict[str, str] = {v.id: v.id for v in g.inputs}
    for node in traced.graph.nodes:
        sources = [replace(s, value=new.get(s.value, s.value)) for s in node.sources]
        settings, parameters = dict(node.settings), dict(node.parameters)
        bias = parameters.pop("bias", "") if draw.random() < 0.6 else ""
        if bias:
            settings["bias"] = False
        padding = settings.get("padding")
        if node.kind == "convolution" and any(map(any, padding)) and draw.random() < 0.6:
            spread = [[0, 0], [0, 0], *padding]
            shape = [n + a + b for n, (a, b) in zip(sources[0].shape, spread, strict=True)]
            padded = g.node("pad", sources, shape, padding=spread, mode="constant", value=0)
            sources = [Source(padded, tuple(shape))]
            settings["padding"] = [[0, 0], [0, 0]]
        value = g.node(node.kind, sources, node.values[0].shape, node.name)
        g.nodes[-1] = replace(g.nodes[-1], settings=settings, parameters=parameters)
        if bias:
            value = g.op("add", value, _vector(g, bias, value))
        if draw.random() < 0.2:
            value = g.dropout(value)
        new[node.values[0].id] = value
    outputs = [replace(s, value=new.get(s.value, s.value)) for s in traced.graph.outputs]
    return g.done(*outputs)


def _vector(g: Build, name: str, value: str) -> Source | str:
    if len(g.shapes[value]) == 4:
        return g.view(f"parameter:{name}", lambda t: t.reshape(1, -1, 1, 1))
    return f"parameter:{name}"


# Faults


class Faults:
    """Edits a graph, and remembers which nodes are the same as before."""

    def __init__(self, traced: Traced, seed: int) -> None:
        self.graph, self.ids = traced.graph, traced.ids
        self.draw = random.Random(seed)
        self.touched: set[str] = set()
        self.log: list[str] = []

    @property
    def traced(self) -> Traced:
        return Traced(self.graph, self.ids)

    def _rewired(self, old: str, new: Source, skip: str = "") -> None:
        def source(s: Source) -> Source:
            if s.value != old:
                return s
            return Source(new.value, s.shape, s.ids or new.ids)

        nodes = [
            n if n.id == skip else replace(n, sources=tuple(source(s) for s in n.sources))
            for n in self.graph.nodes
        ]
        outputs = tuple(source(s) for s in self.graph.outputs)
        self.graph = replace(self.graph, nodes=tuple(nodes), outputs=outputs)

    def _pick(self, wanted: Callable[[Node], bool]) -> Node | None:
        nodes = [n for n in self.graph.nodes if n.id not in self.touched and wanted(n)]
        if not nodes:
            return None
        node = self.draw.choice(nodes)
        self.touched.add(node.id)
        self.log[-1] += f" {node.name}"
        return node

    def _users(self, node: Node) -> list[Node]:
        return [n for n in self.graph.nodes if any(s.value == node.values[0].id for s in n.sources)]

    def any(self) -> None:
        self.draw.choice((self.remove, self.insert, self.substitute, self.rewire, self.swap))()

    def remove(self) -> None:
        self.log.append("remove")
        node = self._pick(lambda n: n.kind not in ("concatenate", "matmul", "reduce"))
        if node is not None:
            lone = [
                s
                for s in node.sources
                if sum(o.value == s.value for n in self.graph.nodes for o in n.sources) == 1
            ]
            self._rewired(node.values[0].id, (lone or node.sources)[0])
            kept = tuple(n for n in self.graph.nodes if n.id != node.id)
            self.graph = replace(self.graph, nodes=kept)

    def insert(self) -> None:
        self.log.append("insert")
        node = self._pick(lambda n: n.kind != "activation")
        if node is None:
            return
        near = {n.kind for n in self._users(node)} | {node.kind}
        kinds = [k for k in ("activation", "batch_norm", "dense") if k not in near]
        if not kinds:
            return
        kind = self.draw.choice(kinds)
        self.log[-1] += f" {kind}"
        fresh = f"n{len(self.graph.nodes) + 1000 + self.draw.randrange(10**6)}"
        shape = node.values[0].shape
        settings = {"name": "relu"} if kind == "activation" else {}
        parameters = {}
        if kind != "activation":
            role = "kernel" if kind == "dense" else "gamma"
            size = (shape[-1],) * 2 if kind == "dense" else shape[1:2]
            parameters = {role: f"{fresh}/{role}"}
            known = {
                **self.graph.parameters,
                f"{fresh}/{role}": Parameter(f"{fresh}/{role}", role, size),
            }
            self.graph = replace(self.graph, parameters=known)
        value = Value(f"{fresh}:0", shape)
        made = Node(
            fresh,
            f"extra_{fresh}",
            kind,
            settings,
            (Source(node.values[0].id, shape),),
            (value,),
            parameters,
        )
        self._rewired(node.values[0].id, Source(value.id, shape))
        at = self.graph.nodes.index(next(n for n in self.graph.nodes if n.id == node.id)) + 1
        nodes = (*self.graph.nodes[:at], made, *self.graph.nodes[at:])
        self.graph = replace(self.graph, nodes=nodes)

    def substitute(self) -> None:
        self.log.append("substitute")
        changes = {
            "activation": ("activation", {"name": "elu", "alpha": 1.0}),
            "pool": ("pool", {"mode": "average"}),
            "batch_norm": ("layer_norm", {}),
            "layer_norm": ("batch_norm", {}),
            "add": ("concatenate", {"axis": 1}),
            "multiply": ("add", {}),
            "convolution": ("transposed", {}),
        }
        node = self._pick(lambda n: n.kind in changes)
        if node is not None:
            kind, settings = changes[node.kind]
            changed = replace(node, kind=kind, settings={**node.settings, **settings})
            nodes = tuple(changed if n.id == node.id else n for n in self.graph.nodes)
            self.graph = replace(self.graph, nodes=nodes)

    def rewire(self) -> None:
        """One source of a sum is taken from another, earlier place."""
        self.log.append("rewire")
        node = self._pick(lambda n: n.kind in ("add", "concatenate") and len(n.sources) > 1)
        if node is None:
            return
        earlier = self.graph.nodes[: [n.id for n in self.graph.nodes].index(node.id)]
        values = [s.value for n in self.graph.nodes for s in n.sources]
        shared = [k for k, s in enumerate(node.sources) if values.count(s.value) > 1]
        if not shared:
            return  # a branch that nobody takes is a missing branch
        k = self.draw.choice(shared)
        others = [
            n.values[0].id
            for n in earlier
            if n.values[0].shape == node.sources[k].shape
            and n.values[0].id not in {s.value for s in node.sources}
        ]
        if others:
            sources = list(node.sources)
            sources[k] = Source(self.draw.choice(others), node.sources[k].shape)
            changed = replace(node, sources=tuple(sources))
            nodes = tuple(changed if n.id == node.id else n for n in self.graph.nodes)
            self.graph = replace(self.graph, nodes=nodes)

    def swap(self) -> None:
        """A normalisation and the activation after it change places."""
        self.log.append("swap")
        node = self._pick(
            lambda n: (
                n.kind in ("batch_norm", "layer_norm", "convolution")
                and len(self._users(n)) == 1
                and self._users(n)[0].kind in ("activation", "batch_norm")
                and self._users(n)[0].id not in self.touched
            )
        )
        if node is None:
            return
        after = self._users(node)[0]
        self.touched.add(after.id)
        first, second = node.values[0].id, after.values[0].id
        self._rewired(second, Source(first, node.values[0].shape))
        one = replace(node, sources=(replace(after.sources[0], value=second),))
        other = replace(after, sources=node.sources)
        nodes = [
            other if n.id == node.id else one if n.id == after.id else n for n in self.graph.nodes
        ]
        self.graph = replace(self.graph, nodes=tuple(nodes))
