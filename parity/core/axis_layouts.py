"""Axis layouts as patterns: what a kernel's axes mean on each side, and how to go across.

The canonical layout of every recording is Keras' own (``in out``, ``h w in out``, images
``batch h w channel``); PyTorch's side converts here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.core.errors import UsageError


@dataclass(frozen=True)
class AxisLayout:
    """Axis patterns of one role, e.g. ``AxisLayout("out in", "in out")`` for a dense kernel."""

    torch: str
    keras: str


LAYOUTS = {
    "dense/kernel": AxisLayout(torch="out in", keras="in out"),
    "conv2d/kernel": AxisLayout(torch="out in h w", keras="h w in out"),
    "conv2d_transpose/kernel": AxisLayout(torch="in out h w", keras="h w out in"),
    "depthwise/kernel": AxisLayout(torch="in multiplier h w", keras="h w in multiplier"),
    "images": AxisLayout(torch="batch channel h w", keras="batch h w channel"),
}


def permute(array: NDArray[np.generic], source: str, target: str) -> NDArray[np.generic]:
    """Reorder axes from one pattern to another: ``permute(w, "out in", "in out")``.

    Args:
        array: any array with as many axes as `source` has names.
        source: axis names as the array stands, separated by spaces.
        target: the same names in the order wanted.

    Returns:
        A view with the axes in the order of `target`.

    Raises:
        UsageError: the patterns name different axes, or the array has another number of axes.
    """
    have, want = source.split(), target.split()
    if sorted(have) != sorted(want) or len(set(have)) != len(have):
        raise UsageError(f"Patterns '{source}' and '{target}' must name the same axes, each once.")
    if array.ndim != len(have):
        raise UsageError(
            f"Pattern '{source}' names {len(have)} axes, but the array has shape {array.shape}."
        )
    return array.transpose([have.index(axis) for axis in want])
