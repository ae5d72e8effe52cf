"""Several primitive operations that people know by one name become one node.

Only where nobody else takes what is in between, so that nothing is lost.
"""

from __future__ import annotations

import math

import tensorflow as tf

from parity.keras_side.checker.marks import Raw, taken

ERF_HALF = math.sqrt(0.5)
TANH_SCALE = math.sqrt(2 / math.pi)


def fold(nodes, outputs, weights):
    """The nodes with every known pattern replaced, in the order of execution."""
    nodes = alive(nodes, outputs)
    for rule in (_bias, _variance, _deviation, _clipped, _product, _log_sigmoid):
        nodes = _applied(rule, nodes, outputs, weights)
    return alive(nodes, outputs)


def _applied(rule, nodes, outputs, weights):
    at = 0
    _count(nodes, outputs)
    while at < len(nodes):
        found = rule(nodes[at], weights)
        merged = found and _merge(nodes, outputs, weights, nodes[at], *found[:4], **found[4])
        if merged:
            nodes, last = merged
            _count(nodes, outputs)
            at = next(i for i, n in enumerate(nodes) if n is last)
        at += 1
    return nodes


def _count(nodes, outputs):
    """Note how often each node's value is taken."""
    for raw in nodes:
        raw.taken = 0
    for source in (*[s for n in nodes for s in n.sources], *outputs):
        if isinstance(source.root[0], Raw):
            source.root[0].taken += 1


def alive(nodes, outputs):
    """Without what nobody takes: a model may compute more than it uses."""
    taken_by = {id(s.root[0]) for s in outputs}
    kept = []
    for raw in reversed(nodes):
        if id(raw) in taken_by or raw.parameters:
            kept.append(raw)
            taken_by.update(id(s.root[0]) for s in raw.sources)
    return kept[::-1]


def _merge(nodes, outputs, weights, last, inner, kind, settings, externals, **more):
    """Replace `inner` and `last` by one node: nodes, the new one; None where an inner value is
    taken elsewhere."""
    group = {id(n) for n in inner} | {id(last)}
    hidden = group - {id(last)}
    users = [s for n in nodes if id(n) not in group for s in n.sources] + list(outputs)
    if any(id(s.root[0]) in hidden for s in users):
        return None
    members = [n for n in nodes if id(n) in group or n is more.get("mean")]
    keys = [e.key for e in externals]
    inside = {id(n) for n in members}
    if any(
        s.key not in keys
        for n in members
        for s in n.sources
        if id(s.root[0]) not in inside and not _absorbed(s, more)
    ):
        return None
    parameters = {**{r: k for n in members for r, k in n.parameters.items()}}
    parameters.update(more.get("parameters", {}))
    merged = Raw(
        kind,
        settings,
        list(externals),
        last.outputs,
        _together(members, last, externals, more.get("absorbed")),
        parameters,
        name=more.get("name", last.name),
        scope=last.scope,
        function=more.get("function", settings.get("name", kind)),
        code=more.get("code", last.code),
        origin=last.origin,
        specs=_specs(members, externals),
        place=last.place,
        called=last.called,
        library=last.library,
    )
    if "absorbed" in more:
        weight = weights[more["parameters"]["bias"]]
        weight.role, weight.axes = "bias", None
        weight.shape = (int(weight.variable.shape.num_elements()),)
    for n in nodes:
        for s in n.sources:
            if s.root[0] is last:
                s.root = (merged, s.root[1])
    for s in outputs:
        if s.root[0] is last:
            s.root = (merged, s.root[1])
    return [merged if n is last else n for n in nodes if id(n) not in hidden], merged


def _absorbed(source, more):
    absorbed = more.get("absorbed")
    return absorbed is not None and source is absorbed[0]


def _specs(members, externals):
    specs = {s.key: spec for n in members for s, spec in zip(n.sources, n.specs, strict=True)}
    return [specs[e.key] for e in externals]


def _together(members, last, externals, absorbed):
    """Run the members one after the other."""
    keys = [e.key for e in externals]
    steps = [
        (n, n.run, [(s.root[0], s.root[1], s.ids, s.key, s) for s in n.sources]) for n in members
    ]

    def run(xs):
        made, known = {}, dict(zip(keys, xs, strict=True))

        def operand(what, k, ids, key, source):
            if absorbed is not None and source is absorbed[0]:
                return tf.reshape(tf.convert_to_tensor(absorbed[1]), source.shape)
            return taken(made[id(what), k], ids) if (id(what), k) in made else known[key]

        for n, step, sources in steps:
            for k, y in enumerate(step([operand(*s) for s in sources])):
                made[id(n), k] = y
        return [made[id(last), k] for k in range(len(last.outputs))]

    return run


# What is recognised; each rule answers (inner nodes, kind, settings, operands) or None


def _is(raw, kind, **settings):
    known = raw is not None and raw.kind == kind
    return known and all(raw.settings.get(k) == v for k, v in settings.items())


def _near(value, wanted):
    return value is not None and abs(value - wanted) <= 1e-4 * abs(wanted)


def _activation(raw, name):
    return _is(raw, "activation", name=name)


def _added(raw, value):
    """The operand of an addition of a number, None where it is none."""
    if _is(raw, "add") and _near(raw.settings.get("scalar"), value):
        return raw.sources[0]
    return None


def _bias(raw, weights):
    """A weight added to a dense layer's or convolution's value."""
    if not _is(raw, "add") or len(raw.sources) != 2:
        return None
    for value, added in (raw.sources, raw.sources[::-1]):
        layer = value.raw
        if layer is None or added.root[0] != "parameter" or layer.name is not None:
            continue
        weight = weights[added.root[1]]
        known = (
            layer.kind in ("dense", "convolution", "transposed") and "kernel" in layer.parameters
        )
        if not known or layer.settings.get("bias") or weight.role not in ("raw", "bias"):
            continue
        width = weights[layer.parameters["kernel"]].shape[-1]
        if layer.kind == "transposed":
            width = weights[layer.parameters["kernel"]].shape[-2]
        first = layer.settings.get("channels") == "first"
        place = 1 if first else len(value.shape) - 1
        shape = (1,) * (len(value.shape) - len(added.shape)) + added.shape
        wanted = tuple(width if i == place else 1 for i in range(len(value.shape)))
        if shape != wanted:
            continue
        extra = {"absorbed": (added, weight.variable), "parameters": {"bias": added.root[1]}}
        settings = {**layer.settings, "bias": True}
        names = {"name": layer.name, "code": layer.code, "function": layer.function}
        return [layer], layer.kind, settings, layer.sources, {**extra, **names}
    return None


def _variance(raw, weights):
    """The mean of squared distances from the mean."""
    if not _is(raw, "reduce", mode="mean"):
        return None
    square = raw.sources[0].raw
    if not _is(square, "unary", name="square"):
        return None
    distance = square.sources[0].raw
    if not _is(distance, "subtract") or len(distance.sources) != 2:
        return None
    x, centre = distance.sources
    mean = centre.root[0]
    axes = raw.settings["axes"]
    if not (isinstance(mean, Raw) and _is(mean, "reduce", mode="mean", axes=axes)):
        return None
    if mean.sources[0].key != x.key:
        return None
    settings = {**raw.settings, "mode": "variance"}
    return [square, distance], "reduce", settings, [x], {"mean": mean, "function": "variance"}


def _deviation(raw, weights):
    """The root of a variance, or of a sum of squares."""
    inner = raw.sources[0].raw if raw.sources else None
    if _is(raw, "unary", name="sqrt") and _is(inner, "reduce", mode="variance"):
        settings = {**inner.settings, "mode": "std"}
        return [inner], "reduce", settings, inner.sources, {"function": "std"}
    if _is(raw, "unary", name="sqrt") and _is(inner, "reduce", mode="sum"):
        square = inner.sources[0].raw
        twice = _is(square, "multiply") and len({s.key for s in square.sources}) == 1
        if _is(square, "unary", name="square") or (twice and len(square.sources) == 2):
            settings = {**inner.settings, "mode": "norm"}
            return [inner, square], "reduce", settings, square.sources[:1], {"function": "norm"}
    return None


def _clipped(raw, weights):
    """A minimum of a maximum, both with numbers, or the reverse."""
    for outer, inner in (("minimum", "maximum"), ("maximum", "minimum")):
        if _is(raw, outer) and "scalar" in raw.settings and _is(raw.sources[0].raw, inner):
            other = raw.sources[0].raw
            if "scalar" not in other.settings:
                continue
            ends = sorted((raw.settings["scalar"], other.settings["scalar"]))
            settings = {"name": "clip", "low": ends[0], "high": ends[1]}
            return [other], "activation", settings, other.sources, {"function": "clip"}
    return None


def _log_sigmoid(raw, weights):
    """Minus softplus of minus."""
    if not _is(raw, "unary", name="neg") or not _activation(raw.sources[0].raw, "softplus"):
        return None
    plus = raw.sources[0].raw
    inner = plus.sources[0].raw
    if not _is(inner, "unary", name="neg"):
        return None
    more = {"function": "log_sigmoid"}
    return [plus, inner], "activation", {"name": "log_sigmoid"}, inner.sources, more


def _factors(raw):
    """A product taken apart: its number, its operands, and the nodes in it."""
    number, operands, inner = 1.0, [], []

    def walk(node):
        nonlocal number
        scalar = node.settings.get("scalar")
        if scalar is not None:
            number = number / scalar if node.kind == "divide" else number * scalar
        for source in node.sources:
            below = source.raw
            if below is not None and below.taken > 1:  # what is gated is taken twice
                operands.append(source)
            elif _is(below, "multiply") or (
                _is(below, "divide")
                and "scalar" in below.settings
                and not below.settings["scalar_left"]
            ):
                inner.append(below)
                walk(below)
            else:
                operands.append(source)

    walk(raw)
    return number, operands, inner


def _product(raw, weights):
    """Activations that are products, however they are put together."""
    divided = _is(raw, "divide") and "scalar" in raw.settings and not raw.settings["scalar_left"]
    if not (_is(raw, "multiply") or divided):
        return None
    number, operands, inner = _factors(raw)
    if len(operands) == 1 and _near(number, 1 / 6):
        gate = operands[0].raw
        x = _shifted(gate)
        if x is not None:
            return _named("hard_sigmoid", [*inner, gate, gate.sources[0].raw], x)
    if len(operands) != 2:
        return None
    for x, other in (operands, operands[::-1]):
        gate = other.raw
        if gate is not None:
            found = _gated(number, x, gate, inner)
            if found is not None:
                return found
    return None


def _scaled(source, stop):
    """A number times an operand: the number, the operand, and the nodes between."""
    factor, below = 1.0, []
    while source.key != stop and (raw := source.raw) is not None:
        number = raw.settings.get("scalar")
        if _is(raw, "unary", name="neg"):
            factor = -factor
        elif raw.kind == "multiply" and number is not None:
            factor *= number
        elif raw.kind == "divide" and number is not None and not raw.settings["scalar_left"]:
            factor /= number
        else:
            break
        below.append(raw)
        source = raw.sources[0]
    return factor, source, below


def _named(name, inner, x, **settings):
    return inner, "activation", {"name": name, **settings}, [x], {"function": name}


def _shifted(gate):
    """x where a node is relu6(x + 3)."""
    relu6 = _activation(gate, "relu6") or (
        _activation(gate, "clip") and (gate.settings["low"], gate.settings["high"]) == (0.0, 6.0)
    )
    return _added(gate.sources[0].raw, 3.0) if relu6 else None


def _gated(number, x, gate, inner):
    if _near(number, 1.0):
        if _activation(gate, "sigmoid"):
            if gate.sources[0].key == x.key:
                return _named("silu", [*inner, gate], x)
            scaled = gate.sources[0].raw
            quick = _is(scaled, "multiply") and _near(scaled.settings.get("scalar"), 1.702)
            if quick and scaled.sources[0].key == x.key:
                return _named("quick_gelu", [*inner, gate, scaled], x)
        if _activation(gate, "hard_sigmoid") and gate.sources[0].key == x.key:
            return _named("hard_silu", [*inner, gate], x)
        plus = gate.sources[0].raw if _activation(gate, "tanh") else None
        if _activation(plus, "softplus") and plus.sources[0].key == x.key:
            return _named("mish", [*inner, gate, plus], x)
    if _near(number, 1 / 6):
        shifted = _shifted(gate)
        if shifted is not None and shifted.key == x.key:
            return _named("hard_silu", [*inner, gate, gate.sources[0].raw], x)
    if _near(number, 0.5) and _is(gate, "unary", name="erfc"):
        factor, base, below = _scaled(gate.sources[0], x.key)
        if _near(factor, -ERF_HALF) and base.key == x.key:
            return _named("gelu", [*inner, gate, *below], x, approximate=False)
    if _near(number, 0.5) and _added(gate, 1.0) is not None:
        return _gelu(x, gate, inner)
    return None


def _gelu(x, gate, inner):
    curve = _added(gate, 1.0).raw
    if _is(curve, "unary", name="erf"):
        factor, base, below = _scaled(curve.sources[0], x.key)
        if _near(factor, ERF_HALF) and base.key == x.key:
            return _named("gelu", [*inner, gate, curve, *below], x, approximate=False)
    if _activation(curve, "tanh"):
        scaled = curve.sources[0].raw
        number, operands, below = _factors(scaled) if scaled is not None else (0, [], [])
        total = operands[0].raw if len(operands) == 1 else None
        if not _near(number, TANH_SCALE) or not _is(total, "add"):
            return None
        cube = next((s.raw for s in total.sources if s.key != x.key), None)
        third = _factors(cube) if _is(cube, "multiply") else (0, [], [])
        if not _near(third[0], 0.044715):
            return None
        parts = [gate, curve, scaled, *below, total, cube, *third[2]]
        power = third[1][0].raw if len(third[1]) == 1 else None
        if _is(power, "power", scalar=3.0) and power.sources[0].key == x.key:
            return _named("gelu", [*inner, *parts, power], x, approximate=True)
        if [o.key for o in third[1]] == [x.key] * 3:
            return _named("gelu", [*inner, *parts], x, approximate=True)
    return None
