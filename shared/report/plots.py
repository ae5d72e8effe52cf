"""Every figure, from numbers to PNG bytes. The same numbers give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from shared.report.classes import Predicted
from shared.report.series import Drift, smooth

Array = NDArray[Any]

DPI = 110
# Okabe and Ito's palette: told apart with every kind of colour vision.
COLOURS = {"torch": "#D55E00", "keras": "#0072B2"}
SECOND = "#009E73"
APART, BOUND, WRONG = "#000000", "#8c8c8c", "#B00020"
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": "#e8e8e8",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.5,
}
_SMOOTHED = 50


def colours(left_side: str, right_side: str) -> tuple[str, str]:
    """A colour for each side; the second of one side's two ways gets its own."""
    left = COLOURS.get(left_side, SECOND)
    right = COLOURS.get(right_side, SECOND)
    return left, SECOND if left == right else right


def loss(
    curves: tuple[Array, Array],
    drift: Drift,
    names: tuple[str, str],
    sides: tuple[str, str],
) -> bytes:
    """Both loss curves over each other; below, how far apart they are, and the noise.

    Args:
        curves: float32 loss of each side, ``(steps,)``.
        drift: distances between the curves.
        names: of the sides.
        sides: ``torch`` or ``keras`` for each, for the colours.
    """
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(8.2, 8.6), layout="constrained")
        top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=(1.15, 1, 1))
        left, right = colours(*sides)
        window = max(1, min(_SMOOTHED, len(drift.steps) // 10))
        for curve, name, colour, width, style in zip(
            curves, names, (left, right), (3.6, 1.4), ("-", "--"), strict=True
        ):
            top.plot(drift.steps, smooth(curve, window), style, color=colour, lw=width, label=name)
        top.plot(drift.steps, curves[0], color=left, lw=0.4, alpha=0.25, zorder=1)
        top.set(ylabel="loss (cross-entropy, nats)", ylim=(0, None))
        top.set_title(f"Loss of every batch in float32, mean of {window} steps drawn bold")
        top.legend()
        _apart(middle, drift, names, (left, right), "float32", "steps")
        _apart(bottom, drift, names, (left, right), "float64", "steps")
        for axes in (middle, bottom):
            axes.set_ylabel("|Δ loss|, largest so far")
        bottom.set_xlabel("optimizer steps")
        bottom.set_xlim(0, len(drift.steps))
        return _png(figure)


def weights(drift: Drift, names: tuple[str, str], sides: tuple[str, str]) -> bytes:
    """How far apart the weights are after every recorded step, in both precisions."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(9.6, 4.5), layout="constrained")
        panes = figure.subplots(1, 2)
        for axes, precision in zip(panes, ("float32", "float64"), strict=True):
            _apart(axes, drift, names, colours(*sides), precision, "log")
            axes.set_xlabel("optimizer steps")
        panes[0].set_ylabel("largest distance between any two weights")
        return _png(figure)


def _apart(
    axes: Axes,
    drift: Drift,
    names: tuple[str, str],
    colour: tuple[str, str],
    precision: str,
    scale: str,
) -> None:
    """Distance between the sides, each side's own noise, and the bound, on a log axis."""
    single = precision == "float32"
    apart, bound = (drift.apart32, drift.bound32) if single else (drift.apart64, drift.bound64)
    own = (drift.own_left, drift.own_right) if single else (drift.self_left, drift.self_right)
    what = "its own float64" if single else "itself, nudged by 1 ulp"
    marks = "o" if scale == "log" else ""
    axes.set_yscale("log")
    if scale == "log":
        axes.set_xscale("log")
    if bound is not None:
        axes.plot(drift.steps, _positive(bound), ":", color=BOUND, label="bound of the verdict")
    lines = zip(own, names, colour, (4.0, 1.6), ("-", "--"), strict=True)
    for values, name, tint, width, style in lines:
        if values is not None:
            label = f"{name} from {what}"
            axes.plot(drift.steps, _positive(values), style, color=tint, lw=width,
                      alpha=0.85, label=label)  # fmt: skip
    noise = [values for values in own if values is not None]
    if noise:
        top = _positive(np.max(noise, axis=0))
        axes.fill_between(drift.steps, top, np.nanmin(top, initial=1.0) / 30, color="#f0f0f0",
                          zorder=0, lw=0)  # fmt: skip
    if apart is not None:
        axes.plot(drift.steps, _positive(apart), "-" + marks, ms=3.5, color=APART, lw=1.3,
                  label=f"{names[0]} from {names[1]}")  # fmt: skip
    axes.set_title(precision)
    axes.yaxis.set_major_locator(LogLocator(numticks=9))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend(loc="best")


def _positive(values: Array) -> Array:
    """Zeros as gaps: a log axis has no place for them."""
    return np.where(values > 0, values, np.nan)


def confusion(matrices: Sequence[Array], names: Sequence[str], classes: Sequence[str]) -> bytes:
    """Confusion matrices side by side: rows are true classes, columns predictions."""
    with matplotlib.rc_context(_STYLE | {"axes.grid": False}):
        figure = Figure(figsize=(10.4, 5.4), layout="constrained")
        panes = figure.subplots(1, 2, sharey=True)
        for axes, matrix, name in zip(panes, matrices, names, strict=True):
            share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
            axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
            for (row, column), value in np.ndenumerate(matrix):
                if value:
                    ink = "white" if share[row, column] > 0.55 else "#303030"
                    axes.text(column, row, str(value), ha="center", va="center", color=ink,
                              fontsize=8)  # fmt: skip
            axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
            axes.set_yticks(range(len(classes)), classes)
            axes.set(xlabel="predicted class", title=name)
            axes.tick_params(length=0)
            for spine in axes.spines.values():
                spine.set_visible(False)
        panes[0].set_ylabel("true class")
        return _png(figure)


def gallery(seen: Predicted, chosen: Array, names: tuple[str, str], columns: int = 5) -> bytes:
    """Test images with true class and both predictions; wrong ones in red with a cross."""
    rows = -(-len(chosen) // columns)
    with matplotlib.rc_context(_STYLE | {"axes.grid": False}):
        figure = Figure(figsize=(columns * 1.9, rows * 2.05 + 0.1), layout="constrained")
        panes = np.atleast_1d(figure.subplots(rows, columns)).ravel()
        for axes in panes:
            axes.axis("off")
        both = (seen.left, seen.right)
        for axes, index in zip(panes, chosen, strict=False):
            axes.imshow(seen.images[index], cmap="gray_r", vmin=0, vmax=255)
            true = int(seen.labels[index])
            axes.set_title(f"{seen.names[true]}  #{index}", fontsize=8.5, loc="center", pad=3)
            for line, (name, side) in enumerate(zip(names, both, strict=True)):
                guess = int(side[index].argmax())
                good = guess == true
                text = f"{'✓' if good else '✗'} {name}: {seen.names[guess]}"
                axes.text(0.5, -0.06 - 0.115 * line, text, transform=axes.transAxes, ha="center",
                          va="top", fontsize=7.4, color="#303030" if good else WRONG,
                          fontweight="normal" if good else "bold")  # fmt: skip
            if int(both[0][index].argmax()) != int(both[1][index].argmax()):
                axes.add_patch(_frame())
        return _png(figure)


def _frame() -> Any:
    from matplotlib.patches import Rectangle  # noqa: PLC0415

    return Rectangle((-0.5, -0.5), 28, 28, fill=False, ec=WRONG, lw=2, clip_on=False)


def _png(figure: Figure) -> bytes:
    """PNG bytes without dates or versions in them."""
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()
