"""Convolution, pooling, resizing and padding in NumPy, over any number of spatial axes.

Everything here works with the channels last; `parity.operations` moves them there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Settings = Mapping[str, Any]
Pads = Sequence[Sequence[int]]

PAD_MODES = {
    "zeros": "constant",
    "constant": "constant",
    "reflect": "reflect",
    "replicate": "edge",
    "edge": "edge",
    "circular": "wrap",
    "wrap": "wrap",
    "symmetric": "symmetric",
}


def last(x: Array, settings: Settings) -> Array:
    """The array with its channels last, whatever ``channels`` says."""
    return np.moveaxis(x, 1, -1) if settings.get("channels") == "first" and x.ndim > 2 else x


def back(x: Array, settings: Settings) -> Array:
    """The inverse of `last`."""
    return np.moveaxis(x, -1, 1) if settings.get("channels") == "first" and x.ndim > 2 else x


def padded(x: Array, padding: Pads, mode: str = "zeros", value: float = 0.0) -> Array:
    """Pad every axis; a negative number cuts off instead."""
    cut = tuple(
        slice(max(-b, 0), n - max(-a, 0)) for n, (b, a) in zip(x.shape, padding, strict=True)
    )
    x = x[cut]
    grow = [(max(b, 0), max(a, 0)) for b, a in padding]
    if not np.any(grow):
        return x
    name: Any = PAD_MODES[mode]
    return np.pad(x, grow, name, **({"constant_values": value} if name == "constant" else {}))


def _around(x: Array, padding: Pads, mode: str = "zeros", value: float = 0.0) -> Array:
    return padded(x, [(0, 0), *padding, (0, 0)], mode, value)


def _numbers(settings: Settings, key: str, rank: int, default: int = 1) -> list[int]:
    value = settings.get(key)
    if value is None:
        return [default] * rank
    return [value] * rank if isinstance(value, int) else [int(v) for v in value]


def _pads(settings: Settings, key: str, rank: int) -> Pads:
    return settings.get(key) or [(0, 0)] * rank


def taps(
    x: Array, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], Array]]:
    """For each place in the kernel, what it meets: a view, (batch, *output, channels)."""
    sizes = [
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(x.shape[1:-1], kernel, stride, dilation, strict=True)
    ]
    for place in itertools.product(*(range(k) for k in kernel)):
        cut = tuple(
            slice(p * d, p * d + s * (n - 1) + 1, s)
            for p, d, s, n in zip(place, dilation, stride, sizes, strict=True)
        )
        yield place, x[(slice(None), *cut)]


def convolution(settings: Settings, parameters: Mapping[str, Array], x: Array) -> Array:
    """A cross-correlation, as both frameworks call a convolution."""
    kernel = parameters["kernel"]
    rank = kernel.ndim - 2
    x = _around(last(x, settings), _pads(settings, "padding", rank), settings.get("mode", "zeros"))
    groups = x.shape[-1] // kernel.shape[-2]
    stride, dilation = (_numbers(settings, key, rank) for key in ("stride", "dilation"))
    total: Array | None = None
    for place, part in taps(x, kernel.shape[:rank], stride, dilation):
        term = _mixed(part, kernel[place], groups)
        total = term if total is None else total + term
    assert total is not None
    return back(_with_bias(total, settings, parameters), settings)


def _mixed(x: Array, kernel: Array, groups: int) -> Array:
    """(…, in) times (in/groups, out) → (…, out)."""
    if groups == 1:
        return np.asarray(x @ kernel)
    each = kernel.shape[-1] // groups
    parts = x.reshape(*x.shape[:-1], groups, -1)
    if kernel.shape[0] == 1:
        return np.asarray(parts * kernel.reshape(groups, each)).reshape(*x.shape[:-1], -1)
    split = kernel.reshape(kernel.shape[0], groups, each).swapaxes(0, 1)
    return (parts[..., None, :] @ split).reshape(*x.shape[:-1], -1)


def _with_bias(x: Array, settings: Settings, parameters: Mapping[str, Array]) -> Array:
    has = settings.get("bias", "bias" in parameters) and "bias" in parameters
    return x + parameters["bias"] if has else x


def transposed(settings: Settings, parameters: Mapping[str, Array], x: Array) -> Array:
    """The gradient of a convolution, cropped."""
    kernel = parameters["kernel"]
    rank = kernel.ndim - 2
    x = last(x, settings)
    groups = _numbers(settings, "groups", 1)[0]
    stride, dilation = (_numbers(settings, key, rank) for key in ("stride", "dilation"))
    size = [
        (n - 1) * s + d * (k - 1) + 1
        for n, s, d, k in zip(x.shape[1:-1], stride, dilation, kernel.shape, strict=False)
    ]
    shape = (x.shape[0], *size, groups * kernel.shape[-2])
    out = np.zeros(shape, np.result_type(x, kernel))
    for place in itertools.product(*(range(k) for k in kernel.shape[:rank])):
        cut = tuple(
            slice(p * d, p * d + s * (n - 1) + 1, s)
            for p, d, s, n in zip(place, dilation, stride, x.shape[1:-1], strict=True)
        )
        one = kernel[place]  # (out/groups, in)
        split = one.reshape(one.shape[0], groups, -1)
        mixed = split.transpose(2, 1, 0).reshape(-1, out.shape[-1])
        out[(slice(None), *cut)] += _mixed(x, mixed, groups)
    crop = _pads(settings, "crop", rank)
    out = _around(out, [(-b, -a) for b, a in crop])
    return back(_with_bias(out, settings, parameters), settings)


def pool(settings: Settings, x: Array) -> Array:
    """Maximum or average of windows.

    With ``ceil_mode`` (optional) the padding is that before each axis on both ends, and what is
    after it beyond that is never counted. ``divisor`` replaces the count. ``explicit_padding``
    comes before all; ``pad_value`` is what it holds, or what the padding of a maximum holds.
    """
    x = last(x, settings)
    lowest = settings.get("pad_value", -np.inf)
    if settings.get("explicit_padding"):
        value = lowest if settings["mode"] == "max" else 0.0
        x, lowest = (
            _around(x, _pads(settings, "explicit_padding", x.ndim - 2), value=value),
            -np.inf,
        )
    rank = x.ndim - 2
    kernel = _numbers(settings, "kernel", rank)
    stride = [*settings["stride"]] if settings.get("stride") else kernel
    dilation = _numbers(settings, "dilation", rank)
    padding = _pads(settings, "padding", rank)
    if settings["mode"] == "max":
        wide = _around(x, padding, value=lowest)
        parts = (part for _, part in taps(wide, kernel, stride, dilation))
        return back(_folded(np.maximum, parts), settings)
    wide = _around(x, padding)
    total = _folded(np.add, (part for _, part in taps(wide, kernel, stride, dilation)))
    if settings.get("divisor"):
        return back(total / settings["divisor"], settings)
    ones = np.ones((1, *x.shape[1:-1], 1), x.dtype)
    if settings.get("counts_padding", False):
        beyond = [a - b if settings.get("ceil_mode") else 0 for b, a in padding]
        inside = [(b, a - extra) for (b, a), extra in zip(padding, beyond, strict=True)]
        ones = _around(_around(ones, inside, value=1.0), [(0, extra) for extra in beyond])
    else:
        ones = _around(ones, padding)
    count = _folded(np.add, (part for _, part in taps(ones, kernel, stride, dilation)))
    return back(total / count, settings)


def _folded(function: Callable[[Array, Array], Array], parts: Iterator[Array]) -> Array:
    total = next(parts)
    for part in parts:
        total = function(total, part)
    return total


def adaptive_pool(settings: Settings, x: Array) -> Array:
    """Windows from floor(i·n/o) to ceil((i+1)·n/o), as PyTorch chooses them."""
    x = last(x, settings)
    reduce = np.max if settings["mode"] == "max" else np.mean
    for axis, out in enumerate(_numbers(settings, "output", x.ndim - 2), start=1):
        n = x.shape[axis]
        windows = [(i * n // out, -((-(i + 1) * n) // out)) for i in range(out)]
        x = np.stack(
            [reduce(np.take(x, range(a, b), axis=axis), axis=axis) for a, b in windows], axis=axis
        )
    return back(x, settings)


def resize(settings: Settings, x: Array) -> Array:
    """One matrix an axis: every mode is a weighted sum of rows.

    ``cubic`` (optional) is the coefficient of the bicubic kernel: -0.75 as in PyTorch, or -0.5 as
    in TensorFlow (``single``), which also leaves out what lies beyond the border instead of
    repeating it. ``fractional`` (optional, TensorFlow): an area is weighted by how much of a pixel
    it covers. ``half_pixel`` False: pixels are points at whole numbers. ``scale``: the factors
    that PyTorch was given where they are not the ratio of the sizes.
    """
    x = last(x, settings)
    for axis, out in enumerate(_numbers(settings, "size", x.ndim - 2), start=1):
        factor = settings["scale"][axis - 1] if settings.get("scale") else None
        if out != x.shape[axis] or factor is not None:
            matrix = rows(settings, x.shape[axis], out, factor).astype(x.dtype)
            x = np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)
    return back(x, settings)


def rows(settings: Settings, n: int, out: int, factor: float | None = None) -> Array:
    """The matrix (out, n) that resizes one axis."""
    mode, places = settings["mode"], np.arange(out)
    if mode == "area":
        return _area(n, out, bool(settings.get("fractional", settings.get("single"))))
    scale = n / out if factor is None else 1 / factor
    if mode in ("nearest", "nearest_exact"):
        # Both frameworks compute the place in float32, also for float64 images.
        half = np.float32(0.5 if mode == "nearest_exact" else 0.0)
        at = np.floor((places.astype(np.float32) + half) * np.float32(scale)).astype(int)
        return np.asarray(np.eye(n)[np.minimum(at, n - 1)])
    if settings.get("align_corners"):
        scale = (n - 1) / (out - 1) if out > 1 else 0.0
        centres = places * scale
    elif settings.get("half_pixel", True):
        centres = (places + 0.5) * scale - 0.5
    else:
        centres = places * scale
    if settings.get("antialias"):
        return _antialiased(mode, centres, scale, n)
    if mode == "bilinear":
        return _scattered(np.maximum(centres, 0), (0, 1), lambda d: 1 - np.abs(d), n)
    a = float(settings.get("cubic", -0.5 if settings.get("single") else -0.75))
    return _scattered(centres, (-1, 0, 1, 2), lambda d: _cubic(d, a), n, drop=a == -0.5)


def _scattered(
    centres: Array, reach: Sequence[int], weight: Any, n: int, *, drop: bool = False
) -> Array:
    matrix = np.zeros((len(centres), n))
    base = np.floor(centres).astype(int)
    for step in reach:
        at = base + step
        # TensorFlow looks its bicubic weights up in a table of 1024 places.
        inside = np.rint((centres - base) * 1024) / 1024 if drop else centres - base
        value = weight(inside - step)
        if drop:
            value = np.where((at >= 0) & (at < n), value, 0.0)
        np.add.at(matrix, (np.arange(len(centres)), np.clip(at, 0, n - 1)), value)
    return matrix / matrix.sum(1, keepdims=True) if drop else matrix


def _cubic(distance: Array, a: float) -> Array:
    d = np.abs(distance)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


def _antialiased(mode: str, centres: Array, scale: float, n: int) -> Array:
    wide = max(scale, 1.0)
    away = (np.arange(n)[None, :] - centres[:, None]) / wide
    weights = np.maximum(1 - np.abs(away), 0) if mode == "bilinear" else _cubic(away, -0.5)
    return np.asarray(weights / weights.sum(1, keepdims=True))


def _area(n: int, out: int, fractional: bool) -> Array:
    place, pixel = np.arange(out)[:, None], np.arange(n)[None, :]
    start, end = place * n / out, (place + 1) * n / out
    if not fractional:
        start, end = np.floor(start), np.ceil(end)
    cover = np.clip(np.minimum(end, pixel + 1) - np.maximum(start, pixel), 0, None)
    return np.asarray(cover / cover.sum(1, keepdims=True))
