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


def _run_layer(t, x, states, weights, function, bidirectional, names, path):
    """Write down one layer; returns its sequence and cell state."""
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
