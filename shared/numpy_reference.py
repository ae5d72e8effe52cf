"""NumPy witnesses: what an example's functions must give, from `parity.reference` and no framework.

A third program that shares no code with either side tells *which* side is wrong, and that both are
right. Derivatives need no formulas of their own: a complex step gives them to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.reference import spatial

Array = NDArray[Any]
Pads = tuple[tuple[int, int], tuple[int, int]]
STEP = 1e-30
NO_PADS: Pads = ((0, 0), (0, 0))


def gradients(
    function: Callable[..., Array], arguments: Mapping[str, Array], upstream: Array
) -> dict[str, Array]:
    """Derivatives of Σ upstream·function(**arguments) with respect to every argument.

    Each element in turn moves by a tiny step along the imaginary axis; the imaginary part of the
    result, divided by the step, is the derivative. Nothing is subtracted, so nothing cancels.
    The function must be analytic and accept complex arrays.

    Args:
        function: of arrays, by name.
        arguments: name → real array.
        upstream: weights of the sum, of the shape of the result.

    Returns:
        ``d`` + name → float64 array of the argument's shape.

    Source: W. Squire and G. Trapp, Using complex variables to estimate derivatives of real
    functions, SIAM Review 40 (1998), 110–112.
    """
    found: dict[str, Array] = {}
    for name, value in arguments.items():
        slopes = np.zeros(value.shape)
        for place in np.ndindex(value.shape):
            moved = value.astype(np.complex128)
            moved[place] += STEP * 1j
            result = function(**{**arguments, name: moved})
            slopes[place] = np.sum(upstream * result.imag) / STEP
        found[f"d{name}"] = slopes
    return found


def conv2d(
    x: Array,
    kernel: Array,
    *,
    strides: tuple[int, int] = (1, 1),
    pads: Pads = NO_PADS,
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
) -> Array:
    """What deep learning calls a convolution: the kernel is laid on, not flipped.

    Args:
        x: ``(batch, h, w, in)``.
        kernel: ``(h, w, in / groups, out)``.
        pads: zeros before and after, of the height and of the width.

    Returns:
        ``(batch, h, w, out)``.
    """
    padded = np.pad(x, ((0, 0), *pads, (0, 0)))
    settings = {"stride": strides, "dilation": dilation}
    parts = zip(np.split(padded, groups, axis=3), np.split(kernel, groups, axis=3), strict=True)
    # One group at a time: grouped and separate convolutions are then the same, bit for bit.
    outputs = [spatial.convolution(settings, {"kernel": own}, part) for part, own in parts]
    return np.concatenate(outputs, axis=3)


def windows(
    padded: Array,
    size: tuple[int, ...],
    strides: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
) -> list[tuple[tuple[int, int], Array]]:
    """For every place in a window, the elements that all the windows have there.

    Returns:
        ((row, column) in the window, ``(batch, h, w, channel)`` view), row by row.
    """
    taps = spatial.taps(padded, size[:2], strides, dilation)
    return [((u, v), window) for (u, v), window in taps]


def conv2d_transpose(x: Array, kernel: Array, stride: int) -> Array:
    """Every pixel stamps the kernel, times its value, onto the output; nothing is cropped.

    Args:
        x: ``(batch, h, w, in)``.
        kernel: ``(h, w, out, in)``.

    Returns:
        ``(batch, stride·(h − 1) + kernel h, stride·(w − 1) + kernel w, out)``.
    """
    return spatial.transposed({"stride": stride}, {"kernel": kernel}, x)


def pool2d(
    x: Array,
    size: tuple[int, int],
    how: Callable[..., Array],
    *,
    strides: tuple[int, int],
    pads: Pads = NO_PADS,
    fill: float = np.nan,
) -> Array:
    """`how` (``np.max``, ``np.nanmean`` …) over every whole window.

    Args:
        x: ``(batch, h, w, channel)``.
        pads: of the height and of the width, filled with `fill`.

    Returns:
        ``(batch, h, w, channel)``; what does not fill a window is dropped.
    """
    padded = np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=fill)
    return how(np.stack([window for _, window in windows(padded, size, strides)]), axis=0)
