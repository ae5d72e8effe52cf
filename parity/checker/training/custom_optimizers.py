"""An optimizer of the user's own in the words of `parity.diagnosis.optimizer_settings`.

What its class says is where one begins; what its steps did decides. A step may clip gradients that
no setting tells of, or take weight decay elsewhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from parity.checker.graph.model_interface import Array
from parity.diagnosis.optimizer_settings import DEFAULTS, Settings

_LIMITS = (1.0, 0.5, 5.0, 0.1, 10.0, 0.25, 2.0, 0.01, 0.05, 40.0)
"""What people clip at."""
_CLIPS = ("global_clip_norm", "clip_norm", "clip_value")
_RULES = ("sgd", "adam", "rmsprop", "adagrad")
TORCH_CLIP_EPSILON = 1e-6
"""`torch.nn.utils.clip_grad_norm_` adds it to the norm. Source: its source code."""


def candidates(
    settings: Settings, changes: Sequence[Array], slopes: Sequence[Array], norms: Sequence[float]
) -> Iterator[dict[str, Any]]:
    """Settings that the steps may have been taken with, the ones that are stated first.

    Args:
        settings: as they are stated; ``numbers`` are others that the optimizer holds.
        changes: of a weight in each step.
        slopes: its gradient before each.
        norms: of all gradients.
    """
    stated = {**DEFAULTS, **settings}
    rules = _RULES if stated["rule"] == "custom" else (stated["rule"],)
    plain = [
        {**stated, "rule": rule, "equation": equation, **decay}
        for rule in rules
        for equation in _equations(stated, rule)
        for decay in _decays(stated)
    ]
    yield from plain
    for base, clip in itertools.product(plain, _clips(stated, changes, slopes, norms)):
        yield {**base, **dict.fromkeys(_CLIPS), **clip}


def _equations(stated: Mapping[str, Any], rule: str) -> Iterator[str]:
    """Where epsilon stands; with one learning rate there is one equation of gradient descent."""
    if rule == stated["rule"]:
        yield stated["equation"]
    if rule in ("adam", "rmsprop", "adagrad"):
        yield from (e for e in ("torch", "keras") if e != stated["equation"])
    elif rule != stated["rule"]:
        yield ""


def _decays(stated: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield {}
    every = [stated["weight_decay"], stated["l2"], *stated.get("numbers", ())]
    for decay in dict.fromkeys(x for x in every if 0 < x < 1):
        yield {"weight_decay": 0.0, "l2": decay}
        yield {"weight_decay": decay, "l2": 0.0}
    yield {"weight_decay": 0.0, "l2": 0.0}


def _clips(
    stated: Mapping[str, Any],
    changes: Sequence[Array],
    slopes: Sequence[Array],
    norms: Sequence[float],
) -> Iterator[dict[str, Any]]:
    """Ways of clipping; of plain gradient descent the first step tells the limit."""
    limits = [*(x for x in stated.get("numbers", ()) if x > 0), *_LIMITS]
    own = float(np.sqrt(np.sum(np.asarray(slopes[0], np.float64) ** 2)))
    moved = float(np.sqrt(np.sum(np.asarray(changes[0], np.float64) ** 2)))
    rate = stated["rate"][0] if isinstance(stated["rate"], (list, tuple)) else stated["rate"]
    if own and rate:
        share = moved / (rate * own)
        limits += [float(f"{share * norm:.6g}") for norm in (norms[0], own)]
        limits.append(float(f"{float(np.max(np.abs(changes[0]))) / rate:.6g}"))
    for kind, limit in itertools.product(_CLIPS, dict.fromkeys(limits)):
        yield {kind: limit}
        if kind != "clip_value":
            yield {kind: limit, "clip_epsilon": TORCH_CLIP_EPSILON}
