"""Losses in NumPy float64, by their settings.

**Settings**, the same words on both sides: ``name`` cross_entropy|binary_cross_entropy|squared|
absolute|huber|smooth_l1|kl|poisson|hinge|squared_hinge|log_cosh|custom; ``title`` what people call
it; ``takes`` logits|probabilities|log_probabilities|values; ``reduction`` mean|sum|batchmean|
sum_of_means (of the last axis)|rows|mean_by_count (of all positions, whatever is ignored and
weighs)|none; ``factor`` of all; ``gamma`` of a focal loss; ``smoothing``; ``ignore`` a class that
does not count; ``weight`` of each class; ``pos_weight``; ``delta``; and ``axis`` of the classes in
this side's arrays, which is no difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.reference.activations import log_softmax

Array = NDArray[Any]
Settings = Mapping[str, Any]
DEFAULTS: dict[str, Any] = {
    "name": "custom",
    "takes": "values",
    "reduction": "mean",
    "factor": 1.0,
    "gamma": 0.0,
    "smoothing": 0.0,
    "ignore": None,
    "weight": None,
    "pos_weight": None,
    "delta": 1.0,
}
_TINY = 1e-16


def value(settings: Settings, output: Array, target: Array | None) -> float | None:
    """The loss of these settings; None where this is none that is written here."""
    known = {**DEFAULTS, **settings}
    if target is None:
        return None
    try:
        with np.errstate(all="ignore"):
            found = _terms(known, np.asarray(output, np.float64), np.asarray(target))
            if found is None:
                return None
            return float(known["factor"] * _reduced(known, *found))
    except (ValueError, IndexError):
        return None


def terms(settings: Settings, output: Array, target: Array) -> Array | None:
    """The loss of every sample or element, before it is reduced; None where it is none of these."""
    try:
        with np.errstate(all="ignore"):
            found = _terms({**DEFAULTS, **settings}, np.asarray(output, np.float64), target)
    except (ValueError, IndexError):
        return None
    return None if found is None else found[0]


def _terms(known: Settings, y: Array, t: Array) -> tuple[Array, Array | None] | None:
    """The loss of every sample or element, and what it weighs in a mean."""
    name = known["name"]
    if name == "cross_entropy":
        return _cross_entropy(known, y, t)
    if t.shape != y.shape:
        t = t.reshape(y.shape)
    t = t.astype(np.float64)
    if name == "binary_cross_entropy":
        return _binary(known, y, t), None
    off, delta = y - t, float(known["delta"])
    near = np.abs(off) <= delta
    huber = np.where(near, off**2 / 2, delta * np.abs(off) - delta**2 / 2)
    sign = np.where(t == 0, -1.0, t) if np.all((t == 0) | (t == 1)) else t
    margin = np.maximum(1 - sign * y, 0)
    found: dict[str, Array] = {
        "squared": off**2,
        "absolute": np.abs(off),
        "huber": huber,
        "smooth_l1": huber / delta,
        "hinge": margin,
        "squared_hinge": margin**2,
        "log_cosh": np.logaddexp(off, -off) - np.log(2),
    }
    if name == "kl":
        logs = y if known["takes"] == "log_probabilities" else np.log(np.maximum(y, _TINY))
        return t * (np.log(np.maximum(t, _TINY)) - logs), None
    if name == "poisson":
        return np.exp(y) - t * y if known["takes"] == "logits" else y - t * np.log(y + 1e-7), None
    return (found[name], None) if name in found else None


def _cross_entropy(known: Settings, y: Array, t: Array) -> tuple[Array, Array | None]:
    axis = int(known.get("axis", -1))
    y = np.moveaxis(y, axis, -1)
    classes = y.shape[-1]
    if t.ndim == y.ndim and t.shape != y.shape and t.shape[-1] == 1:
        t = t[..., 0]
    dense = t.ndim == y.ndim
    if known["takes"] == "logits":
        logs = log_softmax(y)
    elif known["takes"] == "probabilities":
        if not dense:  # Keras clips, and then normalises
            y = np.clip(y, _TINY, 1 - _TINY)
            logs = np.log(y) - np.log(y.sum(-1, keepdims=True))
        else:
            logs = np.log(np.clip(y / y.sum(-1, keepdims=True), _TINY, 1 - _TINY))
    else:
        logs = y
    ignore = known["ignore"]
    kept = np.ones(y.shape[:-1], bool)
    if dense:
        wanted = np.moveaxis(t.astype(np.float64), axis, -1)
    else:
        kept = kept if ignore is None else t != ignore
        wanted = np.eye(classes)[np.where(kept, t, 0).astype(np.int64)]
    weight = np.ones(classes) if known["weight"] is None else np.asarray(known["weight"], float)
    smooth = float(known["smoothing"])
    wanted_ = wanted * (1 - smooth) + smooth / classes
    focal = (1 - np.exp(logs)) ** known["gamma"] if known["gamma"] else 1.0
    terms = -(wanted_ * weight * focal * logs).sum(-1)
    counts = kept * ((wanted * weight).sum(-1) if not dense else 1.0)
    return np.where(kept, terms, 0.0), counts.astype(np.float64)


def _binary(known: Settings, y: Array, t: Array) -> Array:
    smooth = float(known["smoothing"])
    t = t * (1 - smooth) + smooth / 2
    if known["takes"] == "logits":
        yes, no = -np.logaddexp(0, -y), -np.logaddexp(0, y)
    else:
        y = np.clip(y, _TINY, 1 - _TINY)
        yes, no = np.log(y), np.log1p(-y)
    factor = 1.0 if known["pos_weight"] is None else np.asarray(known["pos_weight"], float)
    focal = ((1 - np.exp(x)) ** known["gamma"] if known["gamma"] else 1.0 for x in (yes, no))
    terms = -(factor * t * yes * next(focal) + (1 - t) * no * next(focal))
    return terms if known["weight"] is None else terms * np.asarray(known["weight"], float)


def _reduced(known: Settings, terms: Array, counts: Array | None) -> Any:
    match known["reduction"]:
        case "sum":
            return terms.sum()
        case "batchmean":
            return terms.sum() / terms.shape[0]
        case "sum_of_means":
            return terms.sum() if counts is not None else terms.mean(-1).sum()
        case "mean_by_count":
            return terms.mean()
        case "rows":  # a sum along the last axis, and the mean of these
            return terms.sum() if terms.ndim == 1 else terms.sum(-1).mean()
        case _:
            return terms.mean() if counts is None else terms.sum() / counts.sum()
