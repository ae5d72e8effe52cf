"""Faults of an operation that no setting tells: guesses, each with what would come out.

A guess is made by changing a function that is understood, the *base*; if it then yields the
*target*, what the other side computed, the fault is found. Most specific first.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.diagnosis.array_hypotheses import apart, solve, values
from parity.diagnosis.causes import value_text
from parity.diagnosis.permutations import divisors, images, permuted
from parity.operations.function import Function
from parity.operations.known import operation
from parity.reference import activations

Array = NDArray[Any]

EPSILONS = (0.0, 1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-12, 1e-4, 1e-2, 2e-5, 1.001e-5, 0.1, 1e-10)
SAME = 1e-9
"""Relative: two values that are one, but for rounding on the way."""
SLOPES = (0.01, 0.1, 0.2, 0.3, 0.05, 0.25, 1 / 5.5)


@dataclass(frozen=True)
class Guess:
    """A fault and what would come out.

    Attributes:
        kind: a key of `parity.diagnosis.causes.KINDS`.
        base, target: what the value would be on the side of each.
        output: what the base yields with this fault.
        source: which operand comes from elsewhere, where that is the fault.
    """

    kind: str
    base: Any
    target: Any
    output: Array | None
    source: int | None = None


def guesses(
    base: Function, target: Array, other: Function | None = None, spatial: Sequence[int] = ()
) -> Iterator[Guess]:
    """Every fault that could turn the base into the target.

    Args:
        base: a function whose output the reference yields exactly.
        target: what the other side computed.
        other: the other side's function, whose sources and parameters may be put in place.
        spatial: (height, width, channels) of the image whose pixels a dense layer takes.
    """
    out = base()
    if out is None:
        return
    yield from _sources(base, other, spatial)
    yield from _weights(base, other)
    yield from _parameters(base, spatial)
    yield from _own_settings(base, target)
    yield from _activated(base, out, target)
    yield from _repeated(base, out, target)
    for repair, repaired in values(out, target):
        yield Guess(repair.kind, repair.base, repair.target, repaired)
    yield from _solved_epsilon(base, target)
    yield from _other_kinds(base)


def _sources(base: Function, other: Function | None, spatial: Sequence[int]) -> Iterator[Guess]:
    many = len(base.sources)
    orders = itertools.permutations(range(many)) if 1 < many <= 4 else ()
    plain = tuple(range(many))
    for order in orders:
        if order != plain:
            moved = base.on(*(base.sources[i] for i in order))
            yield Guess("order", plain, order, moved())
    if base.kind in ("subtract", "divide", "power") and many == 1:
        left = bool(base.settings.get("scalar_left"))
        sides = ("number right", "number left")
        yield Guess("order", sides[left], sides[not left], base.setting(scalar_left=not left)())
    if other is not None and len(other.sources) == many:
        for at in range(many):
            peak = float(np.max(np.abs(base.sources[at]), initial=0.0))
            if apart(base.sources[at], other.sources[at]) > SAME * peak:
                taken = list(base.sources)
                taken[at] = other.sources[at]
                out = base.on(*taken)()
                how = _flattened(base.sources[at], taken[at], spatial)
                if how:
                    yield Guess("flatten_order", "as stated", how, out)
                yield Guess("wiring", "this source", "another source", out, at)


def _flattened(mine: Array, theirs: Array, spatial: Sequence[int]) -> str:
    """How the other side flattened the same image, if that is all."""
    if mine.shape != theirs.shape or mine.ndim != 2:
        return ""
    for h, w, c in images(mine.shape[-1], spatial):
        for shape, order, name in (
            ((c, h, w), (0, 2, 3, 1), "last"),
            ((h, w, c), (0, 3, 1, 2), "first"),
        ):
            moved = mine.reshape(-1, *shape).transpose(order).reshape(mine.shape)
            if apart(moved, theirs) <= SAME * float(np.max(np.abs(mine), initial=0.0)):
                return f"({h}, {w}, {c}) channels {name}"
    return ""


def _weights(base: Function, other: Function | None) -> Iterator[Guess]:
    """The other side's own weights, one role at a time, then all."""
    if other is None:
        return
    differ = {
        role: array
        for role, array in other.parameters.items()
        if role in base.parameters and apart(array, base.parameters[role]) > 0
    }
    for role, array in differ.items():
        kind, how = _relation(base, role, base.parameters[role], array)
        yield Guess(kind, f"{role}", how, base.parameter({role: array})())
    if len(differ) > 1:
        names = ", ".join(sorted(differ))
        kinds = {_relation(base, r, base.parameters[r], a)[0] for r, a in differ.items()}
        kind = kinds.pop() if len(kinds) == 1 else "weights"
        changed = base.parameter(differ)()
        if (
            kind == "weights"
            and {"gamma", "beta"} == set(differ)
            and not apart(base.parameters["gamma"], differ["beta"])
        ):
            kind, names = "affine", "gamma and beta swapped"
        yield Guess(
            kind, names, names if kind != "weights" else f"other numbers in {names}", changed
        )


def _relation(base: Function, role: str, mine: Array, theirs: Array) -> tuple[str, str]:
    """How one weight became the other: a permutation, or only other numbers."""
    for kind, how, moved in permuted(base, role, mine):
        if apart(moved, theirs) == 0:
            return kind, how
    if role.endswith("bias") and not np.any(theirs):
        return "bias", "no bias"
    return "weights", f"other numbers in {role}"


def _parameters(base: Function, spatial: Sequence[int]) -> Iterator[Guess]:
    """Both have the same weights, but the other takes them in another order, or not at all."""
    p = base.parameters
    if base.kind == "recurrent":
        yield from _gate_orders(base)
    else:
        for role, array in p.items():
            for kind, how, moved in permuted(base, role, array, spatial):
                yield Guess(kind, "as stated", how, base.parameter({role: moved})())
    if {"gamma", "beta"} <= set(p):
        swapped = base.parameter({"gamma": p["beta"], "beta": p["gamma"]})
        yield Guess("affine", "gamma and beta", "gamma and beta swapped", swapped())
    for role, key in (("gamma", "scale"), ("beta", "center")):
        if role in p:
            yield Guess("affine", role, f"no {role}", base.setting(**{key: False})())
    biases = [r for r in p if r.endswith("bias")]
    if biases:
        zeros = {r: np.zeros_like(p[r]) for r in biases}
        yield Guess("bias", "bias", "no bias", base.parameter(zeros)())
        twice = {r: 2 * p[r] for r in biases}
        yield Guess("bias", "bias", "bias added twice", base.parameter(twice)())


def _gate_orders(base: Function) -> Iterator[Guess]:
    """All weights of the layer in the same other order."""
    orders = {r: list(permuted(base, r, a)) for r, a in base.parameters.items()}
    for at in range(max((len(o) for o in orders.values()), default=0)):
        changed = {r: o[at][2] for r, o in orders.items() if o}
        how = next(o[at][1] for o in orders.values() if o)
        names = {"lstm": "i f c o", "gru": "z r h"}.get(base.settings["cell"], "")
        yield Guess("gate_order", names, how, base.parameter(changed)())


def _own_settings(base: Function, target: Array) -> Iterator[Guess]:
    """A setting of the same kind of layer that the other side hides."""
    kind, settings = base.kind, base.settings
    if "epsilon" in settings:
        for epsilon in EPSILONS:
            yield Guess(
                "epsilon",
                settings["epsilon"],
                epsilon,
                base.setting(epsilon=epsilon)(),
            )
    if not base.sources:
        return
    for one in operation(kind).variations(settings, base.sources[0].shape):
        yield Guess(one.cause, one.own, one.other, base.varied(one))
    if kind == "recurrent":
        yield from _masked(base, target)
    for key in ("axis", "axes"):
        if key in settings:
            yield from _along(base, key)


def _along(base: Function, key: str) -> Iterator[Guess]:
    word, rank = base.settings[key], base.sources[0].ndim
    for axis in range(rank):
        value: Any = axis if key == "axis" else (axis,)
        if value != word and not base.parameters:
            yield Guess("axis", word, value, base.setting(**{key: value})())


def _masked(base: Function, target: Array) -> Iterator[Guess]:
    """Steps that repeat what was before, or nothing at the start, were masked."""
    if target.ndim != 3 or base.settings.get("bidirectional"):
        return
    before = np.concatenate([np.zeros_like(target[:, :1]), target[:, :-1]], axis=1)
    live = np.any(target != before, axis=-1)
    if not live.all():
        gone = f"{live.size - np.count_nonzero(live)} of {live.size} steps masked"
        yield Guess("mask", "no step masked", gone, base.setting(steps=live)())


def _activated(base: Function, out: Array, target: Array) -> Iterator[Guess]:
    """Another activation in place of this one, or one on top of what has none."""
    if base.kind == "activation":
        before, label = base.sources[0], value_text(activations.spoken(base.settings))
    else:
        before, label = out, "none"
    if before.shape != target.shape or before.dtype.kind != "f":
        return
    for settings in _table(before, target):
        found = Function("activation", settings, {}, (before,))()
        yield Guess("activation", label, _named(settings), found)
    if base.kind == "activation":
        for settings in _table(out, target):
            found = Function("activation", settings, {}, (out,))()
            both = f"{label}, then {_named(settings)}"
            if settings["name"] == base.settings["name"]:
                both = f"{label} applied twice"
            if settings["name"] != "linear":
                yield Guess("activation", label, both, found)


def _named(settings: Mapping[str, Any]) -> str:
    return "none" if settings["name"] == "linear" else value_text(activations.spoken(settings))


def _table(before: Array, target: Array) -> Iterator[dict[str, Any]]:
    simple = [n for n in activations.TABLE if n not in ("identity", "glu", "clip", "threshold")]
    for name in simple:
        default = activations.DEFAULTS.get(name, {})
        yield {"name": name, **default}
    yield {"name": "gelu", "approximate": True}
    for name in ("softmax", "log_softmax"):
        for axis in range(before.ndim):
            yield {"name": name, "axis": axis}
    negative = before < 0
    if np.any(negative):
        x, y = before[negative], target[negative]
        slope = float(x @ y / (x @ x))
        near = [s for s in SLOPES if abs(s - slope) < 1e-6 * s]
        for number in (*near, slope):
            yield {"name": "leaky_relu", "slope": number}
        e = np.expm1(x)
        alpha = float(e @ y / (e @ e))
        yield {"name": "elu", "alpha": round(alpha, 9)}
    low, high = float(np.min(target)), float(np.max(target))
    for limits in ((low, high), (low, None), (None, high)):
        yield {"name": "clip", "low": limits[0], "high": limits[1]}


def _repeated(base: Function, out: Array, target: Array) -> Iterator[Guess]:
    if operation(base.kind).compute is not None and len(base.sources) == 1:
        if base.sources[0].shape == target.shape and base.kind != "activation":
            yield Guess("missing_layer", "applied", "not applied", base.sources[0])
        if out.shape == base.sources[0].shape and base.kind not in ("activation", "dropout"):
            yield Guess("extra_layer", "applied once", "applied twice", base.on(out)())


def _solved_epsilon(base: Function, target: Array) -> Iterator[Guess]:
    """An epsilon that nobody would write: found by Gauss and Newton."""
    if "epsilon" not in base.settings or base() is None:
        return
    found = solve(lambda e: base.setting(epsilon=max(e, 0.0))(), target, base.settings["epsilon"])
    if found is not None:
        yield Guess("epsilon", base.settings["epsilon"], found, base.setting(epsilon=found)())


def _other_kinds(base: Function) -> Iterator[Guess]:
    """What else may stand where a normalisation or a pooling does."""
    x = base.sources[0] if base.sources else None
    if x is None:
        return
    rank, own = x.ndim, base.settings
    weights = {r: a for r, a in base.parameters.items() if r in ("gamma", "beta")}
    if operation(base.kind).family == "normalisation":
        channels = own.get("channels", "last")
        axis = 1 if channels == "first" else rank - 1
        common = {"epsilon": own["epsilon"], "channels": channels}
        others: list[tuple[str, dict[str, Any]]] = [
            ("layer_norm", {"axes": [axis]}),
            ("rms_norm", {"axes": [axis]}),
            ("layer_norm", {"axes": list(range(1, rank))}),
            ("batch_norm", {"training": True}),
            *(("group_norm", {"groups": g}) for g in (1, *divisors(x.shape[axis]), x.shape[axis])),
        ]
        for kind, more in others:
            found = Function(kind, {**common, **more}, weights, (x,))()
            yield Guess("normalisation", base.kind, {"name": kind, **more}, found)
    if base.kind in ("add", "subtract", "multiply", "divide", "maximum", "minimum"):
        for kind in ("add", "subtract", "multiply", "divide", "maximum", "minimum"):
            if kind != base.kind:
                yield Guess("operation", base.kind, kind, replace(base, kind=kind)())
