"""What to write in Keras so that a loss is PyTorch's: a call of Keras' own, or what to change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from parity.reference.losses import DEFAULTS, Settings

_CLASSES = {
    "squared": "MeanSquaredError",
    "absolute": "MeanAbsoluteError",
    "huber": "Huber",
    "kl": "KLDivergence",
    "log_cosh": "LogCosh",
    "hinge": "Hinge",
    "squared_hinge": "SquaredHinge",
    "binary_cross_entropy": "BinaryCrossentropy",
    "cross_entropy": "SparseCategoricalCrossentropy",
}
_OF_ALL = ("squared", "absolute", "huber", "log_cosh", "hinge", "squared_hinge")
"""Keras takes the mean of the last axis of these before it reduces."""


def corrected(left: Settings, right: Settings, keys: Sequence[str], *, own: bool) -> str:
    """The line.

    Args:
        left, right: settings of both losses.
        keys: which of them differ.
        own: the right's is a function of the user's own, so that a line of it is to be changed.
    """
    mine, theirs = {**DEFAULTS, **left}, {**DEFAULTS, **right}
    return "; ".join(_lines(mine, keys)) if own else _call(mine, theirs)


def _call(mine: dict[str, Any], theirs: dict[str, Any]) -> str:
    """Keras' own loss with all that it can be told; empty where it has no such setting."""
    name = _CLASSES.get(mine["name"])
    summed = mine["reduction"] == "sum"
    unknown = mine["reduction"] not in ("mean", "sum") or (summed and mine["name"] in _OF_ALL)
    if name is None or unknown or mine["factor"] != 1 or mine["gamma"] or mine["weight"]:
        return ""
    arguments = []
    if mine["name"] == "cross_entropy" and (theirs.get("dense") or mine["smoothing"]):
        name = "CategoricalCrossentropy"
    if mine["takes"] == "logits" and name.endswith("entropy"):
        arguments.append("from_logits=True")
    if mine["ignore"] is not None and name.startswith("Sparse"):
        arguments.append(f"ignore_class={mine['ignore']}")
    if mine["smoothing"]:
        arguments.append(f"label_smoothing={mine['smoothing']:g}")
    if mine["name"] == "huber" and mine["delta"] != 1:
        arguments.append(f"delta={mine['delta']:g}")
    if summed:
        arguments.append('reduction="sum"')
    return f"keras.losses.{name}({', '.join(arguments)})"


def _lines(mine: dict[str, Any], keys: Sequence[str]) -> Iterator[str]:
    """What a function of the user's own has to do; `loss` are the terms of the positions."""
    counts = mine["ignore"] is not None or mine["weight"] is not None
    weighed = "loss * weight" if counts else "loss"
    if "name" in keys:
        yield f"keras.losses.{_CLASSES.get(mine['name'], mine['name'])}"
        return
    if "takes" in keys:
        yield f"from_logits={mine['takes'] == 'logits'}"
    if "smoothing" in keys:
        yield f"label_smoothing={mine['smoothing']:g}"
    if "gamma" in keys:
        yield f"loss = loss * (1 - ops.exp(-loss)) ** {mine['gamma']:g}"
    if "delta" in keys:
        yield f"delta={mine['delta']:g}"
    if "weight" in keys and mine["weight"] is not None:
        yield f"weight = ops.take(ops.cast({mine['weight']}, loss.dtype), y_true)"
    if "ignore" in keys and mine["ignore"] is not None:
        yield f"weight = ops.cast(y_true != {mine['ignore']}, loss.dtype)"
    if {"reduction", "ignore", "factor"} & set(keys):
        factor = "" if mine["factor"] == 1 else f"{mine['factor']:g} * "
        total = {
            "mean": f"ops.sum({weighed}) / ops.sum(weight)" if counts else f"ops.mean({weighed})",
            "sum": f"ops.sum({weighed})",
            "batchmean": f"ops.sum({weighed}) / y_true.shape[0]",
            "mean_by_count": f"ops.mean({weighed})",
        }
        if mine["reduction"] in total:
            yield f"return {factor}{total[mine['reduction']]}"
