"""Causes that only training shows, read off the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from parity.checker.diagnose import fix
from parity.checker.diagnose.settings import differing
from parity.checker.graph.graph import STATISTICS, Node
from parity.core.sides import Side
from parity.diagnosis.causes import Cause, value_text


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
    causes = [
        (s.kind, value_text(s.left), value_text(s.right))
        for s in differing(left, right)
        if s.kind in ("momentum", "dropout", "mask_zero")
    ]
    mine, theirs = left_trainable or {}, right_trainable or {}
    differ = [r for r in mine if r in theirs and mine[r] != theirs[r] and r not in STATISTICS]
    if differ:
        texts = [_trained(t, differ) for t in (mine, theirs)]
        causes.append(("frozen", texts[0], texts[1]))
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
        for kind, a, b in causes
    )


def _trained(trainable: Mapping[str, bool], roles: list[str]) -> str:
    return ", ".join(f"{role} {'trained' if trainable[role] else 'frozen'}" for role in roles)
