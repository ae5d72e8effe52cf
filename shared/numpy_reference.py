"""NumPy witnesses: what an example's functions must give, from formulas and no framework.

A third program that shares no code with either side tells *which* side is wrong, and that both are
right. Derivatives need no formulas of their own: a complex step gives them to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    outputs = []
    for part, filters in zip(
        np.split(padded, groups, axis=3), np.split(kernel, groups, axis=3), strict=True
    ):
        outputs.append(
            sum(
                window @ filters[u, v]
                for (u, v), window in windows(part, kernel.shape[:2], strides, dilation)
            )
        )
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
    height, width = (
        (padded.shape[axis + 1] - dilation[axis] * (size[axis] - 1) - 1) // strides[axis] + 1
        for axis in (0, 1)
    )
    found = []
    for u, v in np.ndindex(*size[:2]):
        top, left = u * dilation[0], v * dilation[1]
        rows = slice(top, top + strides[0] * (height - 1) + 1, strides[0])
        columns = slice(left, left + strides[1] * (width - 1) + 1, strides[1])
        found.append(((u, v), padded[:, rows, columns]))
    return found


def conv2d_transpose(x: Array, kernel: Array, stride: int) -> Array:
    """Every pixel stamps the kernel, times its value, onto the output; nothing is cropped.

    Args:
        x: ``(batch, h, w, in)``.
        kernel: ``(h, w, out, in)``.

    Returns:
        ``(batch, stride·(h − 1) + kernel h, stride·(w − 1) + kernel w, out)``.
    """
    batch, height, width, _ = x.shape
    tall, wide, out, _ = kernel.shape
    shape = (batch, stride * (height - 1) + tall, stride * (width - 1) + wide, out)
    result = np.zeros(shape, np.result_type(x, kernel))
    for (u, v), window in windows(result, (tall, wide), (stride, stride)):
        window[...] = window + x @ kernel[u, v].T  # a view: this changes the result
    return result


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
