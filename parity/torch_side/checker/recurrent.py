"""Recurrent layers: one node a layer of a stack, each with its whole sequence, batch first."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch._C import _VariableFunctions as _VF

from parity.torch_side.checker.attention import agrees
from parity.torch_side.checker.calls import Call
from parity.torch_side.checker.tracer import handles

PARTS = ("kernel", "recurrent_kernel", "bias")
CELLS = {
    "lstm": ("lstm", "tanh"),
    "gru": ("gru", "tanh"),
    "rnn_tanh": ("rnn", "tanh"),
    "rnn_relu": ("rnn", "relu"),
}


def layer(x, state, cell, weights, function, bidirectional):
    """One layer: x (batch, time, features) → (sequence, the LSTM's cell state or None).

    States are (batch, units), or both directions' one behind the other.
    """
    directions = 2 if bidirectional else 1
    hidden, memory = (_apart(s, directions) for s in (state, cell))
    bias = len(weights) > 2 * directions
    given = (hidden, memory) if function == "lstm" else hidden
    out = getattr(_VF, function)(x, given, list(weights), bias, 1, 0.0, False, bidirectional, True)
    if function != "lstm":
        return out[0], None
    last = out[2]
    return out[0], last[0] if directions == 1 else torch.cat([last[0], last[1]], -1)


def _apart(state, directions):
    return torch.stack(state.chunk(directions, -1)) if state is not None else None


def packed_layer(data, sizes, states, weights, function, bidirectional):
    """One layer on a packed sequence: → (data, last states of each direction …)."""
    bias = len(weights) > 2 * (2 if bidirectional else 1)
    given = states if function == "lstm" else states[0]
    return getattr(_VF, function)(
        data, sizes, given, list(weights), bias, 1, 0.0, False, bidirectional
    )


def _described(t, weights, function, bidirectional, names, path):
    """The settings of one layer, and its parameters by role."""
    cell, activation = CELLS[function]
    per = len(weights) // (2 if bidirectional else 1)
    bound = {}
    for place, prefix in enumerate(("forward_", "backward_") if bidirectional else ("",)):
        own = names[place * per : (place + 1) * per]
        groups = [own[:1], own[1:2], own[2:]] if per > 2 else [own[:1], own[1:2]]
        for role, group in zip(PARTS, groups, strict=False):
            bound[prefix + role] = t.bindings.recurrent(tuple(group), path, role, prefix, cell)
    settings = {
        "cell": cell,
        "units": weights[1].shape[1],
        "bias": per > 2,
        "bidirectional": bidirectional,
        "backwards": False,
        "reset_after": cell == "gru",
        "activation": activation,
        "recurrent_activation": "sigmoid" if cell != "rnn" else None,
    }
    return settings, bound


def _stepwise(t, x, states, weights, function, bidirectional):
    """One layer step by step, each gate by itself; returns its sequence and cell state."""
    directions = 2 if bidirectional else 1
    per, units = len(weights) // directions, weights[1].shape[1]
    states = [_given(t, x, s, units * directions) for s in states]
    sequences, ends = [], []
    for place in range(directions):
        own = weights[place * per : (place + 1) * per]
        columns = slice(place * units, (place + 1) * units)
        h, c = (
            [t.run(torch.Tensor.__getitem__, s, (slice(None), columns)) for s in states] + [None]
        )[:2]
        found = []
        for at in range(x.shape[1])[:: 1 - 2 * place]:
            step = t.run(torch.select, x, 1, at)
            h, c = _step(t, step, h, c, own, function)
            found.append(h)
        sequences.append(t.run(torch.stack, found[:: 1 - 2 * place], 1))
        ends.append(c)
    if directions == 1:
        return sequences[0], ends[0]
    cells = t.run(torch.cat, ends, -1) if function == "lstm" else None
    return t.run(torch.cat, sequences, -1), cells


def _given(t, x, state, units):
    blank = torch.zeros(x.shape[0], units, dtype=x.dtype)
    return blank if state is None or _zero(t, state) else state


def _step(t, x, h, c, weights, function):
    """One step of one layer; a GRU's gates are made one by one, for each port orders them so."""
    units = h.shape[-1]

    def made(source, of, rows=None):
        own = weights[of::2]
        if rows is not None:
            own = [t.run(torch.Tensor.__getitem__, w, rows) for w in own]
        return t.run(F.linear, source, *own)

    if function == "lstm":
        gates = t.run(torch.add, made(x, 0), made(h, 1))
        i, f, g, o = t.run(torch.chunk, gates, 4, -1)
        i, f, o = (t.run(torch.sigmoid, z) for z in (i, f, o))
        kept = t.run(torch.mul, f, c)
        c = t.run(torch.add, kept, t.run(torch.mul, i, t.run(torch.tanh, g)))
        return t.run(torch.mul, o, t.run(torch.tanh, c)), c
    if function == "gru":
        r, z, n = (slice(k * units, (k + 1) * units) for k in range(3))
        r, z = (
            t.run(torch.sigmoid, t.run(torch.add, made(x, 0, k), made(h, 1, k))) for k in (r, z)
        )
        inner = t.run(torch.mul, r, made(h, 1, n))
        n = t.run(torch.tanh, t.run(torch.add, made(x, 0, n), inner))
        fresh = t.run(torch.mul, t.run(torch.rsub, z, 1), n)
        return t.run(torch.add, fresh, t.run(torch.mul, z, h)), None
    activation = torch.tanh if function == "rnn_tanh" else torch.relu
    return t.run(activation, t.run(torch.add, made(x, 0), made(h, 1))), None


def _run_layer(t, x, states, weights, function, bidirectional, names, path):
    """Write down one layer; returns its sequence and cell state."""
    if CELLS[function][0] in t.apart:
        return _stepwise(t, x, states, weights, function, bidirectional)
    settings, bound = _described(t, weights, function, bidirectional, names, path)
    units = settings["units"] * (2 if bidirectional else 1)
    has_state = [s for s in states if s is not None and not _zero(t, s)]
    blank = torch.zeros(x.shape[0], units, dtype=x.dtype)
    states = [blank if s is None or not has_state else s for s in states]
    memory = states[1] if function == "lstm" else None
    call = Call(layer, (x, states[0], memory, list(weights), function, bidirectional), {})
    call.code = lambda: f"{function}(x, …)"
    settings["has_state"] = bool(has_state)
    sources = [x, *(states if has_state else [])]
    return t.step(call, "recurrent", settings, sources, bound=bound, name=function)


def _zero(t, tensor):
    return t.fixed(tensor) and not bool(tensor.detach().any())


@handles(*CELLS)
def recurrent(t, c):
    """A stack of layers, as ``nn.LSTM`` calls it."""
    packed = isinstance(c.args[3], (list, tuple))
    weights = c.args[3 if packed else 2]
    refs = [t.ref(w) for w in weights]
    cell = CELLS[c.name][0]
    per = len(weights) // (c.args[5 if packed else 4] * (2 if c.args[8 if packed else 7] else 1))
    projected = cell == "lstm" and per in (3, 5)
    if projected or any(r.root.kind != "parameter" or r.ids is not None for r in refs):
        why = "a projection" if projected else "computed weights"
        t.note(f"{t.where} ({c.name} with {why}) is one opaque node.")
        kept = [x for x, r in ((x, t.ref(x)) for x in c.tensors) if r.root.kind != "parameter"]
        return t.step(c, "opaque", {"name": c.name}, kept)
    return (_packed if packed else _stack)(t, c, weights, [r.root.name for r in refs])


def _packed(t, c, weights, names):
    """A stack on a packed sequence: each layer yields the packed data, and its last states."""
    data, sizes, states, _, _, layers, dropout, training, bidirectional = c.args
    directions = 2 if bidirectional else 1
    per = len(weights) // layers
    path = names[0].rpartition(".")[0]
    states = list(states) if isinstance(states, (list, tuple)) else [states]
    last = []
    for k in range(layers):
        own, rows = slice(k * per, (k + 1) * per), slice(k * directions, (k + 1) * directions)
        label = f"l{k}" if layers > 1 else ""
        first = [t.run(torch.Tensor.__getitem__, s, rows) for s in states]
        place = "/".join(p for p in (path, label) if p)
        settings, bound = _described(t, weights[own], c.name, bidirectional, names[own], place)
        settings |= {"has_state": not all(_zero(t, s) for s in first), "masked": True}
        call = Call(
            packed_layer, (data, sizes, first, list(weights[own]), c.name, bidirectional), {}
        )
        call.code = lambda: f"{c.name}(a packed sequence, …)"
        sources = [data, sizes, *(first if settings["has_state"] else [])]
        with t.labelled(label or None):
            data, *ends = t.step(call, "recurrent", settings, sources, bound=bound, name=c.name)
        last.append(ends)
        if dropout > 0 and k < layers - 1:
            data = t.run(F.dropout, data, dropout, training)
    return (data, *(t.run(torch.cat, list(parts), 0) for parts in zip(*last, strict=True)))


def _stack(t, c, weights, names):
    x, states, _, has_bias, layers, dropout, training, bidirectional, batch_first = c.args
    directions = 2 if bidirectional else 1
    per = 4 if has_bias else 2
    states = list(states) if isinstance(states, (list, tuple)) else [states]
    if not batch_first:
        x = t.run(torch.transpose, x, 0, 1)
    last_states, last_cells = [], []
    path = names[0].rpartition(".")[0]
    for k in range(layers):
        own = slice(k * per * directions, (k + 1) * per * directions)
        first = [_joined(t, s, k, directions) for s in states]
        label = f"l{k}" if layers > 1 else ""
        place = "/".join(p for p in (path, label) if p)
        with t.labelled(label or None):
            x, cells = _run_layer(
                t, x, first, weights[own], c.name, bidirectional, names[own], place
            )
        units = weights[1].shape[1]
        last_states += _last(t, x, units, directions)
        if cells is not None:
            last_cells += t.run(torch.chunk, cells, directions, -1)
        if dropout > 0 and k < layers - 1:
            x = t.run(F.dropout, x, dropout, training)
    out = x if batch_first else t.run(torch.transpose, x, 0, 1)
    result = (out, _stacked(t, last_states))
    if c.name == "lstm":
        result = (*result, _stacked(t, last_cells))
    agrees(t, c.name, result, None if t.training or t.wide else c())
    return result


def _stacked(t, parts):
    return t.run(torch.stack, list(parts))


def _joined(t, state, k, directions):
    rows = t.run(torch.Tensor.__getitem__, state, slice(k * directions, (k + 1) * directions))
    if t.fixed(rows):
        return torch.cat(list(rows), -1)
    rows = t.run(torch.transpose, rows, 0, 1)
    return t.run(torch.reshape, rows, (rows.shape[0], -1))


def _last(t, x, units, directions):
    get = torch.Tensor.__getitem__
    out = [t.run(get, x, (slice(None), -1, slice(0, units)))]
    if directions == 2:
        out.append(t.run(get, x, (slice(None), 0, slice(units, None))))
    return out


@handles("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")
def cell(t, c):
    """One step: a sequence of length one."""
    x, states, *weights = c.args
    weights = [w for w in weights if w is not None]
    refs = [t.ref(w) for w in weights]
    if any(r.root.kind != "parameter" or r.ids is not None for r in refs):
        t.note(f"{t.where} ({c.name} with computed weights) is one opaque node.")
        return t.step(c, "opaque", {"name": c.name}, c.tensors)
    states = list(states) if isinstance(states, (list, tuple)) else [states]
    names = [r.root.name for r in refs]
    step = t.run(torch.unsqueeze, x, 1)
    function = c.name.removesuffix("_cell")
    path = names[0].rpartition(".")[0]
    out, memory = _run_layer(t, step, states, weights, function, False, names, path)
    out = t.run(torch.squeeze, out, 1)
    return (out, memory) if function == "lstm" else out
