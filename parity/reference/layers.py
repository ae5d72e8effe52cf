"""Normalisations and recurrent layers in NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.reference import activations

Array = NDArray[Any]
Settings = Mapping[str, Any]
Arrays = Mapping[str, Array]


def _shaped(array: Array, axes: Sequence[int], rank: int) -> Array:
    """An array over some axes, to be broadcast against all."""
    shape = [1] * rank
    for axis, size in zip(sorted(axes), array.shape, strict=True):
        shape[axis] = size
    return array.reshape(shape)


def channel_axis(settings: Settings, rank: int) -> int:
    """Where the channels are."""
    return 1 if settings.get("channels") == "first" and rank > 1 else rank - 1


def _scaled(x: Array, settings: Settings, parameters: Arrays, axes: Sequence[int]) -> Array:
    if settings.get("scale", True) and "gamma" in parameters:
        x = x * _shaped(parameters["gamma"], axes, x.ndim)
    if settings.get("center", True) and "beta" in parameters:
        x = x + _shaped(parameters["beta"], axes, x.ndim)
    return x


def _normal(x: Array, mean: Array, variance: Array, epsilon: float) -> Array:
    return np.asarray((x - mean) / np.sqrt(variance + x.dtype.type(epsilon)))


def batch_norm(settings: Settings, parameters: Arrays, x: Array, *, training: bool) -> Array:
    """By running statistics, or by those of the batch where training."""
    axis = channel_axis(settings, x.ndim)
    if training or settings.get("training") or "mean" not in parameters:
        others = tuple(a for a in range(x.ndim) if a != axis)
        mean, variance = x.mean(others, keepdims=True), x.var(others, keepdims=True)
    else:
        mean = _shaped(parameters["mean"], [axis], x.ndim)
        variance = _shaped(parameters["variance"], [axis], x.ndim)
    normal = _normal(x, mean, variance, settings["epsilon"])
    return _scaled(normal, settings, parameters, [axis])


def layer_norm(settings: Settings, parameters: Arrays, x: Array) -> Array:
    """Mean 0 and variance 1 over some axes of every sample."""
    axes = tuple(sorted(a % x.ndim for a in settings["axes"]))
    mean = x.mean(axes, keepdims=True)
    variance = x.var(axes, keepdims=True, ddof=int(settings.get("correction") or 0))
    if settings.get("epsilon_outside"):  # as some write it by hand
        normal = (x - mean) / (np.sqrt(variance) + x.dtype.type(settings["epsilon"]))
    else:
        normal = _normal(x, mean, variance, settings["epsilon"])
    return _scaled(normal, settings, parameters, axes)


def rms_norm(settings: Settings, parameters: Arrays, x: Array) -> Array:
    """Mean square 1 over some axes."""
    axes = tuple(sorted(a % x.ndim for a in settings["axes"]))
    square = np.mean(x * x, axes, keepdims=True)
    return _scaled(
        _normal(x, np.zeros_like(square), square, settings["epsilon"]), settings, parameters, axes
    )


def group_norm(settings: Settings, parameters: Arrays, x: Array) -> Array:
    """Mean 0 and variance 1 over groups of channels and all of space."""
    axis = channel_axis(settings, x.ndim)
    moved = np.moveaxis(x, axis, 1)
    grouped = moved.reshape(x.shape[0], settings["groups"], -1)
    mean, variance = grouped.mean(-1, keepdims=True), grouped.var(-1, keepdims=True)
    normal = _normal(grouped, mean, variance, settings["epsilon"]).reshape(moved.shape)
    return _scaled(np.moveaxis(normal, 1, axis), settings, parameters, [axis])


def recurrent(
    settings: Settings, parameters: Arrays, sources: Sequence[Array]
) -> tuple[Array, Array]:
    """The whole sequence and the cell's last state (LSTM) or the hidden one.

    Initial states: (batch, units), hidden before cell. A bidirectional layer takes those of both
    directions: side by side on the last axis, stacked on the first, or forward's and then
    backward's. A layer that runs ``backwards`` yields the sequence in the order it was computed,
    as Keras does. ``steps`` (optional): (batch, time), False where a step is masked; it repeats
    what was before.
    """
    x, states = sources[0], [s for s in sources[1:] if s.size]
    if not settings.get("bidirectional"):
        if settings.get("backwards"):
            x = x[:, ::-1]
        return _direction(settings, parameters, x, _initial(states, 0, 1, 0))
    outs, ends = [], []
    for at, prefix in enumerate(("forward_", "backward_")):
        own = {
            r.removeprefix(prefix): array for r, array in parameters.items() if r.startswith(prefix)
        }
        steps = x[:, ::-1] if at else x
        units = own["recurrent_kernel"].shape[0]
        out, end = _direction(settings, own, steps, _initial(states, at, 2, units))
        outs.append(out[:, ::-1] if at else out)
        ends.append(end)
    return np.concatenate(outs, -1), np.concatenate(ends, -1)


def _initial(states: Sequence[Array], at: int, directions: int, units: int) -> list[Array]:
    if directions == 1 or not states:
        return [s.reshape(-1, s.shape[-1]) for s in states]
    if states[0].ndim == 2 and states[0].shape[-1] == 2 * units:
        return [s[:, at * units : (at + 1) * units] for s in states]
    if states[0].ndim == 3:
        return [s[at] for s in states]
    each = len(states) // directions
    return list(states[at * each : (at + 1) * each])


def _direction(
    settings: Settings, parameters: Arrays, x: Array, states: Sequence[Array]
) -> tuple[Array, Array]:
    kernel, inner = parameters["kernel"], parameters["recurrent_kernel"]
    units = inner.shape[0]
    blank = np.zeros((x.shape[0], units), x.dtype)
    hidden = states[0] if states else blank
    cell = states[1] if len(states) > 1 else blank
    bias = _bias(settings, parameters, kernel.shape[-1], x.dtype)
    outer = x @ kernel + bias[0]
    out = np.empty((*x.shape[:2], units), x.dtype)
    live = settings.get("steps")
    for step in range(x.shape[1]):
        before = hidden, cell
        if settings["cell"] == "lstm":
            hidden, cell = _lstm(settings, outer[:, step] + hidden @ inner + bias[1], cell)
        elif settings["cell"] == "gru":
            hidden = _gru(settings, outer[:, step], inner, bias[1], hidden)
        else:
            hidden = _act(settings, "activation", "tanh", outer[:, step] + hidden @ inner + bias[1])
        if live is not None:
            keep = np.asarray(live)[:, step, None]
            hidden, cell = np.where(keep, hidden, before[0]), np.where(keep, cell, before[1])
        out[:, step] = hidden
    return out, cell if settings["cell"] == "lstm" else hidden


def _bias(settings: Settings, parameters: Arrays, size: int, dtype: Any) -> Array:
    both = np.zeros((2, size), dtype)
    if settings.get("bias", True) and "bias" in parameters:
        given = parameters["bias"]
        both[: len(given) if given.ndim == 2 else 1] = given
    return both


def _act(settings: Settings, key: str, default: str, x: Array) -> Array:
    return activations.apply({"name": settings.get(key) or default}, {}, x)


def _lstm(settings: Settings, gates: Array, cell: Array) -> tuple[Array, Array]:
    i, f, c, o = np.split(gates, 4, -1)
    i, f, o = (_act(settings, "recurrent_activation", "sigmoid", g) for g in (i, f, o))
    cell = f * cell + i * _act(settings, "activation", "tanh", c)
    return o * _act(settings, "activation", "tanh", cell), cell


def _gru(settings: Settings, outer: Array, inner: Array, bias: Array, hidden: Array) -> Array:
    units = hidden.shape[-1]
    own = hidden @ inner[:, : 2 * units] + bias[: 2 * units]
    gates = _act(settings, "recurrent_activation", "sigmoid", outer[:, : 2 * units] + own)
    z, r = gates[:, :units], gates[:, units:]
    kernel, last = inner[:, 2 * units :], bias[2 * units :]
    reset = settings.get("reset_after", True)
    candidate = r * (hidden @ kernel + last) if reset else (r * hidden) @ kernel + last
    new = _act(settings, "activation", "tanh", outer[:, 2 * units :] + candidate)
    return np.asarray(z * hidden + (1 - z) * new)
