"""Causes that only training shows: running statistics after one pass, and facts of settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from parity.checker.diagnose import fix
from parity.checker.diagnose.settings import differing
from parity.checker.diagnose.value_hypotheses import FLOOR, apart
from parity.checker.graph.graph import STATISTICS, Node
from parity.checker.result.causes import Cause, Proof, words
from parity.core.sides import Side

Array = NDArray[Any]
Arrays = Mapping[str, Array]

SAME_MOMENTUM = 1e-6
"""Found from arrays in float64, a momentum is known far better than this."""


@dataclass(frozen=True)
class StateEvidence:
    """Running statistics of a matched pair of batch norms, before and after one pass.

    Attributes:
        left, right: the nodes.
        batch: ``mean`` and (biased) ``variance`` of what the layer took, one a channel.
        left_before, left_after, right_before, right_after: role → array, float64.
        count: how many numbers a channel's statistics are taken over.
        bound: what ‖left_after − right_after‖∞ may be.
        left_side, right_side: the frameworks.
        fix_side: whose line is to be corrected.
    """

    left: Node
    right: Node
    batch: Arrays
    left_before: Arrays
    left_after: Arrays
    right_before: Arrays
    right_after: Arrays
    count: int
    bound: float
    left_side: Side = "torch"
    right_side: Side = "keras"
    fix_side: Literal["left", "right"] = "right"


@dataclass(frozen=True)
class Kept:
    """How one side moved a running statistic: weight of the old, and which variance it took."""

    momentum: float
    unbiased: bool
    residual: float


def prove_state(evidence: StateEvidence) -> tuple[Cause, ...]:
    """Why running statistics differ: momentum, another variance, or statistics that stand still.

    Returns:
        Confirmed causes; nothing where the statistics agree, ``unknown`` where they are not a
        weighted mean of the old ones and the batch's.
    """
    roles = [r for r in STATISTICS if r in evidence.left_after and r in evidence.right_after]
    tolerance = {r: _tolerance(evidence, r) for r in roles}
    apart_ = {r: apart(evidence.left_after[r], evidence.right_after[r]) for r in roles}
    if all(apart_[r] <= tolerance[r] for r in roles):
        return ()
    found: dict[str, Cause] = {}
    for role in roles:
        if apart_[role] <= tolerance[role]:
            continue
        sides = [
            _kept(evidence, role, evidence.left_before[role], evidence.left_after[role]),
            _kept(evidence, role, evidence.right_before[role], evidence.right_after[role]),
        ]
        left, right = sides
        if left is None or right is None:
            found["unknown"] = _cause(evidence, "unknown", role, role)
            continue
        repaired = _moved(evidence, role, evidence.right_before[role], left)
        ratio = apart(repaired, evidence.left_after[role]) / tolerance[role]
        for cause in _told(evidence, left, right, ratio):
            found.setdefault(cause.kind, cause)
    return tuple(found.values())


def _told(evidence: StateEvidence, left: Kept, right: Kept, ratio: float) -> list[Cause]:
    causes = []
    still = [abs(k.momentum - 1) < SAME_MOMENTUM for k in (left, right)]
    if still[0] != still[1]:
        texts = ["stand still" if s else "move" for s in still]
        causes.append(_cause(evidence, "frozen", *texts, ratio=ratio))
    elif abs(left.momentum - right.momentum) > SAME_MOMENTUM:
        stated = [node.settings.get("momentum") for node in (evidence.left, evidence.right)]
        texts = [_shown(k.momentum, s) for k, s in zip((left, right), stated, strict=True)]
        causes.append(_cause(evidence, "momentum", *texts, ratio=ratio))
    if left.unbiased != right.unbiased:
        texts = [f"{'unbiased' if k.unbiased else 'biased'} variance" for k in (left, right)]
        causes.append(_cause(evidence, "normalisation", *texts, ratio=ratio))
    return causes


def _shown(found: float, stated: Any) -> str:
    text = words(float(f"{found:.6g}"))
    differs = stated is not None and abs(stated - found) > SAME_MOMENTUM
    return f"{text} (stated: {words(float(stated))})" if differs else text


def _tolerance(evidence: StateEvidence, role: str) -> float:
    arrays = (evidence.left_after[role], evidence.right_after[role], evidence.batch[role])
    return max(evidence.bound, FLOOR * max(float(np.max(np.abs(a), initial=0.0)) for a in arrays))


def _statistic(evidence: StateEvidence, role: str, unbiased: bool) -> Array:
    more = evidence.count / (evidence.count - 1) if unbiased and evidence.count > 1 else 1.0
    return evidence.batch[role] * more


def _moved(evidence: StateEvidence, role: str, before: Array, kept: Kept) -> Array:
    new = _statistic(evidence, role, kept.unbiased)
    return np.asarray(kept.momentum * before + (1 - kept.momentum) * new)


def _kept(evidence: StateEvidence, role: str, before: Array, after: Array) -> Kept | None:
    """The momentum that explains how it moved; None where none does."""
    for unbiased in (False, True) if role == "variance" else (False,):
        new = _statistic(evidence, role, unbiased)
        old = before - new
        norm = float(old @ old)
        momentum = float(old @ (after - new)) / norm if norm else 1.0
        kept = Kept(momentum, unbiased, 0.0)
        away = apart(_moved(evidence, role, before, kept), after)
        if away <= _tolerance(evidence, role):
            return Kept(momentum, unbiased, away)
    return None


def facts(
    left: Node,
    right: Node,
    *,
    left_trainable: Mapping[str, bool] | None = None,
    right_trainable: Mapping[str, bool] | None = None,
    left_side: Side = "torch",
    right_side: Side = "keras",
    fix_side: Literal["left", "right"] = "right",
) -> tuple[Cause, ...]:
    """What differs in settings that no number of an evaluation shows.

    Args:
        left, right: a matched pair.
        left_trainable, right_trainable: role → whether an optimizer moves that parameter.
        left_side, right_side: the frameworks.
        fix_side: whose line is to be corrected.

    Returns:
        Causes of kind momentum, dropout, mask_zero and frozen, with proof ``settings``.
    """
    found = [
        (s.kind, words(s.left), words(s.right))
        for s in differing(left, right)
        if s.kind in ("momentum", "dropout", "mask_zero")
    ]
    mine, theirs = left_trainable or {}, right_trainable or {}
    differ = [r for r in mine if r in theirs and mine[r] != theirs[r] and r not in STATISTICS]
    if differ:
        texts = [_trained(t, differ) for t in (mine, theirs)]
        found.append(("frozen", texts[0], texts[1]))
    return tuple(
        Cause(
            kind=kind,
            left=(left.name, a),
            right=(right.name, b),
            status="confirmed",
            proof="settings",
            fix=fix.fix(kind, right, left, right_side, wanted=a)
            if fix_side == "right"
            else fix.fix(kind, left, right, left_side, wanted=b),
            fix_side=fix_side,
        )
        for kind, a, b in found
    )


def _trained(trainable: Mapping[str, bool], roles: list[str]) -> str:
    return ", ".join(f"{role} {'trained' if trainable[role] else 'frozen'}" for role in roles)


def _cause(
    evidence: StateEvidence, kind: str, left: str, right: str, *, ratio: float | None = None
) -> Cause:
    proof: Proof = "none" if ratio is None else "state"
    pair = (evidence.right, evidence.left, evidence.right_side)
    if evidence.fix_side == "left":
        pair = (evidence.left, evidence.right, evidence.left_side)
    return Cause(
        kind=kind,
        left=(evidence.left.name, left),
        right=(evidence.right.name, right),
        status="confirmed" if ratio is not None and ratio <= 1 else "suspected",
        residual_ratio=ratio,
        share=None if ratio is None else 1.0,
        proof=proof,
        fix=fix.fix(kind, *pair, wanted=left if evidence.fix_side == "right" else right),
        fix_side=evidence.fix_side,
    )
