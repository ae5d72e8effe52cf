"""One quantity of both models: finite or not, whole or not, masked or not; then the noise rule."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from parity.checker.graph import unseen
from parity.checker.graph.model_interface import Array
from parity.checker.graph.storage import pairs
from parity.comparator.key_arrays import KeyArrays
from parity.comparator.noise import NOISY, SMALL, U32, Finding, fallback, judge_once


def compare(
    base: Finding,
    key: KeyArrays,
    *,
    guarded: bool = False,
    exact: bool = True,
    unit: float = U32,
) -> Finding:
    """Judge one quantity, whatever its state; complex numbers as pairs."""
    key = _of_what_is_seen(_real(key))
    if key.left64 is None and key.right64 is None and key.pairs:
        return _single(base, *key.pairs[0])
    four = (key.left32, key.left64, key.right32, key.right64)
    sides = ("PyTorch", "PyTorch", "Keras", "Keras")
    lacking = tuple(dict.fromkeys(s for a, s in zip(four, sides, strict=True) if a is None))
    if lacking:
        return replace(base, status="missing", sides=lacking)
    a32, a64, b32, b64 = (np.asarray(a) for a in four if a is not None)
    if a64.shape != b64.shape:
        left, right = " × ".join(map(str, a64.shape)), " × ".join(map(str, b64.shape))
        return replace(base, status="shape", left=left or "()", right=right or "()")
    if a64.dtype.kind != "f" or b64.dtype.kind != "f":
        return _whole(base, a64, b64)
    if not a64.size:
        return replace(base, status="identical", ratio=0.0)
    arrays = _finite(a32, a64, b32, b64)
    if arrays is None:
        at = tuple(
            int(i)
            for i in np.argwhere(
                ~(np.isfinite(a64) & np.isfinite(b64) & np.isfinite(a32) & np.isfinite(b32))
            )[0]
        )
        values = [str(x[at] if np.isfinite(y[at]) else y[at]) for x, y in ((a64, a32), (b64, b32))]
        return replace(base, status="nonfinite", index=at, left=values[0], right=values[1])
    moved: tuple[Array | None, ...] = tuple(
        x if x is None or (x.shape == a64.shape and np.all(np.isfinite(x))) else None
        for x in (key.left_nudged, key.right_nudged)
    )
    if a64.size < SMALL:
        # A few numbers can be exact by chance in float32 though they are sums that cancel. One 64
        # times as large beside them, alike everywhere, allows each 64 units of its own rounding;
        # the largest that there is beside such as are nearly as large (what masks a score).
        scale = NOISY * max(float(np.max(np.abs(x), initial=0.0)) for x in arrays)
        scale = min(scale, *(float(np.finfo(x.dtype).max) for x in arrays))
        arrays = tuple(np.append(x, np.asarray(scale, x.dtype)) for x in arrays)
        moved = tuple(None if x is None else np.append(x, scale) for x in moved)
    return judge_once(base, KeyArrays(*arrays, *moved), guarded=guarded, exact=exact, unit=unit)


def _of_what_is_seen(key: KeyArrays) -> KeyArrays:
    """The numbers that all arrays have, in a row, where some of one are unknown."""
    arrays = [getattr(key, f.name) for f in fields(KeyArrays)]
    there = [np.asarray(a) for a in arrays if a is not None]
    masks = [mask for mask in map(unseen.known, there) if mask is not None]
    if not masks or len({a.shape for a in there}) > 1:
        return key
    seen = np.logical_and.reduce(masks)
    return KeyArrays(*(None if a is None else np.asarray(a)[seen] for a in arrays))


def _real(key: KeyArrays) -> KeyArrays:
    arrays = [getattr(key, f.name) for f in fields(KeyArrays)]
    if not any(np.iscomplexobj(a) for a in arrays if a is not None):
        return key
    return KeyArrays(*(None if a is None else pairs(a) for a in arrays))


def _single(base: Finding, left: Array, right: Array) -> Finding:
    """With float32 only."""
    left, right = np.asarray(left), np.asarray(right)
    if left.shape != right.shape:
        return compare(base, KeyArrays(left, left, right, right))
    if left.dtype.kind != "f" or right.dtype.kind != "f":
        return _whole(base, left, right)
    arrays = _finite(left, left, right, right)
    if arrays is None or np.array_equal(left, right):
        return compare(base, KeyArrays(left, left, right, right))
    return fallback(base, KeyArrays(arrays[0], None, arrays[2], None), "float32")


def _whole(base: Finding, left: Array, right: Array) -> Finding:
    if np.array_equal(left, right):
        return replace(base, status="identical", ratio=0.0)
    at = tuple(int(i) for i in np.argwhere(left != right)[0])
    return replace(
        base,
        status="different",
        rule="exact",
        index=at,
        left=str(left[at]),
        right=str(right[at]),
        distance64=float("nan"),
    )


def _finite(*arrays: Array) -> tuple[Array, ...] | None:
    """The arrays, with zeros where all four have the same infinity; None where they have not."""
    if all(np.all(np.isfinite(a)) for a in arrays):
        return arrays
    first = arrays[1]
    odd = ~np.isfinite(first)
    same = all(
        np.array_equal(~np.isfinite(a), odd) and np.array_equal(a[odd], first[odd], equal_nan=False)
        for a in arrays
    )
    return tuple(np.where(odd, 0, a).astype(a.dtype) for a in arrays) if same else None
