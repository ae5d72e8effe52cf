"""How the answers of backends to one call part: pure, by measured noise (`parity.comparator`)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.comparator import noise
from parity.comparator.key_arrays import KeyArrays

Array = NDArray[Any]
Answer = Mapping[str, Any]
"""What `serve.answer` tells of one run."""

KINDS = (
    "crashes",
    "lacks",
    "lacks float64",
    "structure",
    "dtype",
    "shape",
    "nonfinite",
    "values",
    "precision",
)
"""What may part; of gradients the same with ``gradient`` before it. ``lacks``: it raises where
another does not. ``structure``: more outputs, or another value that is no array. ``precision``:
float64 numbers that are the same only to float32's rounding.
"""
UNITS = {"float16": 2.0**-11, "bfloat16": 2.0**-8}
"""Of rounding, where it is not float32's."""


@dataclass(frozen=True)
class Runs:
    """One backend's answers: in float32, in float64, and in float64 with nudged inputs."""

    float32: Answer
    float64: Answer
    nudged: Answer | None = None


@dataclass(frozen=True)
class Parting:
    """One way in which backends part.

    Attributes:
        kind: of `KINDS`, ``gradient`` before it where it is one.
        apart: the groups that agree among themselves: ``jax tensorflow | torch``; of ``lacks`` and
            ``crashes`` those that do so.
        ratio: of values, the distance over its bound.
        words: what was raised, where something was.
    """

    kind: str
    apart: str
    ratio: float | None = None
    words: str = ""


def partings(answers: Mapping[str, Runs]) -> list[Parting]:
    """All ways in which the backends' answers to one call part; empty where they agree.

    A call that every backend refuses is no call. Outputs and gradients are judged apart; of either
    the first kind that differs is told, since it makes the others.
    """
    refusing = {b for b, r in answers.items() if "raised" in r.float32 or "raised" in r.float64}
    if refusing == set(answers):
        return []
    found = []
    crashed = {b for b in refusing if any("crashed" in r for r in _both(answers[b]))}
    narrow = {b for b in refusing - crashed if "raised" not in answers[b].float32}
    lacking = refusing - crashed - narrow
    for kind, which in (("crashes", crashed), ("lacks", lacking), ("lacks float64", narrow)):
        if which:
            first = answers[min(which)]
            words = first.float32.get("raised") or first.float64.get("raised", "")
            found.append(Parting(kind, " ".join(sorted(which)), words=words))
    left = {b: r for b, r in answers.items() if b not in refusing}
    found += _of_arrays(left, "outputs", "")
    without = {b for b, r in left.items() if "gradient_raised" in r.float64}
    asked = {b for b, r in left.items() if "gradients" in r.float64 and "gradients" in r.float32}
    if without and asked:
        words = left[min(without)].float64["gradient_raised"]
        found.append(Parting("gradient lacks", " ".join(sorted(without)), words=words))
    # Outputs that differ have gradients that do: that is one finding.
    if not any(p.kind in ("shape", "values", "structure", "nonfinite") for p in found):
        found += _of_arrays({b: left[b] for b in sorted(asked)}, "gradients", "gradient ")
    return found


def among(kind: str, apart: str, backends: Sequence[str]) -> str:
    """Who parts, of some backends alone; empty where those agree, or all of them refuse."""
    groups = [[b for b in group.split() if b in backends] for group in apart.split("|")]
    left = [" ".join(group) for group in groups if group]
    if kind.endswith(("lacks", "lacks float64", "crashes")):
        return left[0] if left and left[0].split() != sorted(backends) else ""
    return " | ".join(sorted(left)) if len(left) > 1 else ""


def _both(runs: Runs) -> tuple[Answer, Answer]:
    return runs.float32, runs.float64


def _of_arrays(answers: Mapping[str, Runs], part: str, before: str) -> list[Parting]:
    told: dict[tuple[str, str], tuple[str, float | None]] = {
        (a, b): _pair(answers[a], answers[b], part) for a, b in combinations(sorted(answers), 2)
    }
    kinds = {kind for kind, _ in told.values() if kind}
    found = []
    for kind in (k for k in KINDS if k in kinds):
        ratios = [ratio for k, ratio in told.values() if k == kind and ratio is not None]
        groups = _groups(sorted(answers), {pair for pair, (k, _) in told.items() if k == kind})
        found.append(Parting(before + kind, groups, max(ratios, default=None)))
    return found


def _groups(backends: Sequence[str], apart: set[tuple[str, str]]) -> str:
    """Backends that agree stand together, groups apart by ``|``."""
    groups: list[list[str]] = []
    for backend in backends:
        for group in groups:
            if not any((other, backend) in apart for other in group):
                group.append(backend)
                break
        else:
            groups.append([backend])
    return " | ".join(" ".join(group) for group in groups)


def _pair(left: Runs, right: Runs, part: str) -> tuple[str, float | None]:
    """How two backends' outputs or gradients part: the first kind and its ratio; or ("", None)."""
    one, other = left.float64, right.float64
    if one.get("count") != other.get("count") or len(one[part]) != len(other[part]):
        return "structure", None
    worst: tuple[str, float | None] = ("", None)
    for place in range(len(one[part])):
        four = [r[part][place] for r in (left.float32, left.float64, right.float32, right.float64)]
        nudged = [
            None if r.nudged is None or part not in r.nudged else r.nudged[part][place]
            for r in (left, right)
        ]
        kind, ratio = _one(four, nudged)
        if kind and (not worst[0] or KINDS.index(kind) < KINDS.index(worst[0])):
            worst = kind, ratio
    return worst


def _one(
    four: Sequence[Mapping[str, Any]], nudged: Sequence[Mapping[str, Any] | None]
) -> tuple[str, float | None]:
    """How one output parts: left and right in float32, in float64."""
    left, _, right, _ = four
    if any("words" in o for o in four):
        same = all(four[i].get("words") == four[i + 2].get("words") for i in (0, 1))
        return ("" if same else "structure"), None
    if left["shape"] != right["shape"]:
        return "shape", None
    if left["dtype"] != right["dtype"]:
        return "dtype", None
    arrays = [array(o) for o in four]
    if 0 in arrays[0].shape:
        return "", None
    return _values(arrays, [None if o is None else array(o) for o in nudged], left["dtype"])


def _values(
    arrays: list[Array], nudged: list[Array | None], dtype: str
) -> tuple[str, float | None]:
    moved = [n if n is not None and n.shape == arrays[1].shape else None for n in nudged]
    if arrays[0].dtype.kind != "f":
        # What a nudge of the inputs changes is not decided by the equation.
        unsure = any(
            n is not None and not np.array_equal(n, arrays[i])
            for n, i in zip(moved, (1, 3), strict=True)
        )
        same = all(np.array_equal(arrays[i], arrays[i + 2]) for i in (0, 1))
        return ("" if same or unsure else "values"), None
    if not all(same_placement(arrays[i], arrays[i + 2]) for i in (0, 1)):
        sure = all(
            n is None or same_placement(n, arrays[i]) for n, i in zip(moved, (1, 3), strict=True)
        )
        return ("nonfinite" if sure else ""), None
    finite = [
        np.where(np.isfinite(a), a, 0) for a in (*arrays, *(m for m in moved if m is not None))
    ]
    quad = KeyArrays(
        finite[0],
        finite[1],
        finite[2],
        finite[3],
        left_nudged=finite[4] if moved[0] is not None else None,
        right_nudged=finite[-1] if moved[1] is not None else None,
    )
    wide = arrays[1].dtype == arrays[3].dtype == np.float64
    finding = noise.judge_once(
        noise.Finding("outputs", "L1", "rounding"),
        quad,
        guarded=False,
        exact=wide,
        unit=UNITS.get(dtype, noise.U32),
    )
    if finding.agrees:
        return ("precision" if arrays[1].dtype != arrays[3].dtype else ""), None
    return ("precision" if finding.rounded else "values"), finding.ratio


def same_placement(left: Array, right: Array) -> bool:
    """Whether NaN and the infinities of both signs are at the same places."""
    return all(
        np.array_equal(test(left), test(right)) for test in (np.isnan, np.isposinf, np.isneginf)
    )


def array(told: Mapping[str, Any]) -> Array:
    """An output as an array; complex ones with a last axis of two."""
    data = base64.b64decode(told["data"])
    return np.frombuffer(data, told["kept"]).reshape(told["shape"])
