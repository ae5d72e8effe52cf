"""Every figure, from numbers to PNG bytes. The same numbers give the same bytes."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, NullLocator
from numpy.typing import NDArray
from PIL import Image

from parity.checker.result.check_result import Layer
from parity.report.classes import Predicted
from parity.report.formatting import count
from parity.report.parting import Parting
from parity.report.series import SMOOTHED, Drift, Pane, Watched, smooth

Array = NDArray[Any]

DPI = 110
COLOURS_KEPT, COLOURS_OF_IMAGES = 64, 96
# Okabe and Ito's palette: told apart with every kind of colour vision.
COLOURS = {"torch": "#D55E00", "keras": "#0072B2"}
SECOND = "#009E73"
APART, BOUND, WRONG = "#000000", "#8c8c8c", "#B00020"
_LEGEND = 44
"""Characters of a line of a legend below half a figure."""
_DASHES = 5.0
"""Length of a line in a legend that shows that a thick one is dashed, in heights of its letters."""
STYLE: dict[Any, Any] = {
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
    precision: str,
) -> bytes:
    """Both loss curves over each other; below, how far apart they are, and the noise.

    Args:
        curves: loss of each side, ``(steps,)``.
        drift: distances between the curves.
        names: of the sides.
        sides: ``torch`` or ``keras`` for each, for the colours.
        precision: of the curves.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 8.2), layout="constrained", dpi=DPI)
        top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=(1.15, 1, 1))
        left, right = colours(*sides)
        window = max(1, min(SMOOTHED, len(drift.steps) // 10))
        top.plot(drift.steps, curves[0], color="#d4d4d4", lw=0.5, label="every batch")
        for curve, name, colour, width in zip(
            curves, names, (left, right), (5.0, 1.6), strict=True
        ):
            top.plot(drift.steps, smooth(curve, window), color=colour, lw=width, label=name)
        top.set(ylabel="loss (cross-entropy, nats)", ylim=(0, None))
        top.set_title(f"Loss in {precision}, mean of {count(window, 'step')}")
        top.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        _apart(middle, drift, names, (left, right), precision="float32", scale="steps")
        _apart(bottom, drift, names, (left, right), precision="float64", scale="steps")
        for axes in (middle, bottom):
            axes.set_ylabel("|Δ loss|, largest so far")
        bottom.set_xlabel("optimizer steps")
        bottom.set_xlim(0, len(drift.steps))
        return png(figure)


def weights(drift: Drift, names: tuple[str, str], sides: tuple[str, str]) -> bytes:
    """How far apart the weights are after every recorded step, in both precisions."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 5.2), layout="constrained", dpi=DPI)
        panes = figure.subplots(1, 2)
        for axes, precision in zip(panes, ("float32", "float64"), strict=True):
            _apart(axes, drift, names, colours(*sides), precision=precision, scale="log")
            axes.set_xlabel("optimizer steps")
        panes[0].set_ylabel("largest distance between any two weights")
        return png(figure)


def parting(
    parting: Parting, names: tuple[str, str], sides: tuple[str, str], watched: Sequence[Watched]
) -> bytes:
    """How far the sides part, and each from itself, in both precisions; and the accuracy meanwhile.

    Args:
        parting: the distances.
        names: of the sides.
        sides: ``torch`` or ``keras`` for each, for the colours.
        watched: how accurate each side was, if anybody watched.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 7.4), layout="constrained", dpi=90)
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
        tints = colours(*sides)
        for precision, style in (("float32", "-"), ("float64", "--")):
            for name, tint, width, values in zip(
                names, tints, (5.0, 2.6), parting.nudged[precision], strict=True
            ):
                if values is not None:
                    top.plot(
                        parting.steps,
                        _positive(values),
                        style,
                        color=tint,
                        lw=width,
                        label=f"{name} from itself, nudged by 1 ulp, {precision}",
                    )
            if (apart := parting.apart[precision]) is not None:
                top.plot(
                    parting.steps,
                    _positive(apart),
                    f"{style}o",
                    ms=3.5,
                    lw=1.1,
                    color=APART,
                    label=f"{names[0]} from {names[1]}, {precision}",
                )
        at = [p.step for p in parting.published]
        top.plot(
            at,
            [p.distance for p in parting.published],
            "D",
            ms=7,
            mfc="white",
            mec=WRONG,
            mew=1.8,
            ls="",
            label="published, between the frameworks",
        )
        top.set(xscale="log", yscale="log", ylabel="distance of the weights, as a share of them")
        top.yaxis.set_major_locator(LogLocator(numticks=9))
        top.yaxis.set_minor_locator(NullLocator())
        top.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        for name, tint, width, seen in zip(names, tints, (4.5, 1.6), watched, strict=False):
            bottom.plot(seen.at, seen.accuracy, color=tint, lw=width, label=f"{name}, float32")
        bottom.set(xlabel="optimizer steps", ylabel="test accuracy")
        bottom.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        return png(figure)


def watched(
    variants: Sequence[tuple[str, Watched, Watched]],
    names: tuple[str, str],
    sides: tuple[str, str],
    unseen: str,
) -> bytes:
    """Loss where a training learns and where it does not, and accuracy below, for each variant.

    Args:
        variants: title, and both sides.
        names: of the sides.
        sides: ``torch`` or ``keras`` for each, for the colours.
        unseen: what it was watched on, ``validation`` or ``test``.
    """
    columns = min(4, len(variants))
    blocks = -(-len(variants) // columns)
    with matplotlib.rc_context(STYLE):
        size = (max(7.0, 2.4 * columns), 3.4 * blocks + 0.3)
        figure = Figure(figsize=size, layout="constrained", dpi=DPI)
        panes = figure.subplots(2 * blocks, columns, squeeze=False, sharey="row", sharex=True)
        for axes in panes.ravel():
            axes.axis("off")
        for number, (title, *both) in enumerate(variants):
            block, column = divmod(number, columns)
            top, bottom = panes[2 * block, column], panes[2 * block + 1, column]
            for name, side, tint, width in zip(
                names, both, colours(*sides), (4.5, 1.4), strict=True
            ):
                top.plot(side.at, side.trained, "--", color=tint, lw=width, label=f"{name}, train")
                top.plot(side.at, side.loss, color=tint, lw=width, label=f"{name}, {unseen}")
                bottom.plot(side.at, side.accuracy, color=tint, lw=width)
                if side.best is not None:
                    bottom.plot(
                        side.at[side.best],
                        side.accuracy[side.best],
                        "o",
                        color=tint,
                        ms=3 * width**0.5,
                    )
            for axes in (top, bottom):
                axes.axis("on")
            top.set_title("\n".join(textwrap.wrap(title, 26, break_on_hyphens=False)))
            top.set_ylim(0, None)
            bottom.set_xlabel(f"{both[0].unit}s")
            if number + columns >= len(variants):  # the last in its column
                bottom.tick_params(labelbottom=True)
        for row, what in enumerate(("loss (nats)", f"{unseen} accuracy") * blocks):
            panes[row, 0].set_ylabel(what)
        lines = panes[0, 0].get_legend_handles_labels()
        figure.legend(*lines, loc="outside lower center", ncols=4, handlelength=_DASHES)
        return png(figure)


def _apart(
    axes: Axes,
    drift: Drift,
    names: tuple[str, str],
    colour: tuple[str, str],
    *,
    precision: str,
    scale: str,
) -> None:
    """Distance between the sides, each side's own noise, and the bound, on a log axis."""

    def told(words: str) -> str:
        return "\n".join(textwrap.wrap(words, _LEGEND)) if scale == "log" else words

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
    for values, name, tint, width in zip(own, names, colour, (5.0, 2.6), strict=True):
        if values is not None:
            axes.plot(
                drift.steps,
                _positive(values),
                color=tint,
                lw=width,
                label=told(f"{name} from {what}"),
            )
    if apart is not None:
        axes.plot(
            drift.steps,
            _positive(apart),
            "-" + marks,
            ms=3.5,
            color=APART,
            lw=1.1,
            label=told(f"{names[0]} from {names[1]}"),
        )
    noise = [values for values in own if values is not None]
    if noise:
        low = axes.get_ylim()[0]
        top = np.maximum(np.max(noise, axis=0), low)
        axes.fill_between(
            drift.steps, top, low, color="#efefef", zorder=0, lw=0, label="what rounding alone does"
        )
        axes.set_ylim(bottom=low)
    axes.set_title(precision)
    axes.yaxis.set_major_locator(LogLocator(numticks=7))
    axes.yaxis.set_minor_locator(NullLocator())
    if not axes.lines:
        axes.text(0.5, 0.5, "not recorded", transform=axes.transAxes, ha="center")
    elif scale == "log":
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.13))
    else:
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))


def _positive(values: Array) -> Array:
    """Zeros as gaps: a log axis has no place for them."""
    return np.where(values > 0, values, np.nan)


def layers(every: Sequence[Layer]) -> bytes:
    """Ratio of every layer to its bound, in the order of execution: in the run, and alone."""
    floor, ceiling = 1e-6, 1e18

    def heights(ratios: Sequence[float | None]) -> list[float]:
        return [min(max(r or 0.0, floor), ceiling) for r in ratios]

    told = [(at, x) for at, x in enumerate(every) if x.ratio is not None]
    follow = [(at, x) for at, x in told if x.status != "agrees" and x.alone is not None]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 3.8), layout="constrained", dpi=DPI)
        axes = figure.subplots()
        axes.plot(
            [at for at, _ in follow],
            heights([x.ratio for _, x in follow]),
            "o",
            ms=3,
            color="#bdbdbd",
            label="in the run, behind a divergence",
        )
        for diverges, colour, label in (
            (False, COLOURS["keras"], "agrees"),
            (True, WRONG, "diverges"),
        ):
            some = [(at, x) for at, x in told if (x.status == "diverges") == diverges]
            ratios = [x.ratio if x.alone is None else x.alone for _, x in some]
            if some:
                words = f"{label}; where its inputs differ: alone on its partner's"
                axes.plot(
                    [at for at, _ in some], heights(ratios), "o", ms=4.5, color=colour, label=words
                )
        axes.axhline(1.0, color=BOUND, lw=1.2, label="bound")
        axes.set(yscale="log", xlabel="operations in the order of execution")
        axes.set(ylabel="distance / bound", title="How far every layer is from its bound")
        for at, layer in [x for x in told if x[1].status == "diverges"][:1]:
            height = heights([layer.ratio if layer.alone is None else layer.alone])[0]
            axes.annotate(
                layer.torch or layer.keras or "",
                (at, height),
                xytext=(6, -12),
                textcoords="offset points",
                fontsize=8,
            )
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
        return png(figure)


def curves(panes: Sequence[Pane], names: tuple[str, str], sides: tuple[str, str]) -> bytes:
    """Small plots of functions: values solid, slopes dashed, one side over the other."""
    columns = min(4, len(panes))
    rows = -(-len(panes) // columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(2.5 * columns, 2.1 * rows + 0.4), layout="constrained", dpi=DPI)
        every = np.atleast_1d(figure.subplots(rows, columns)).ravel()
        for axes in every[len(panes) :]:
            axes.axis("off")
        widths = (4.5, 1.4)
        for axes, pane in zip(every, panes, strict=False):
            for name, tint, width, lines in zip(
                names, colours(*sides), widths, pane.lines, strict=True
            ):
                for values, style, what in zip(lines, ("-", "--"), pane.what, strict=False):
                    axes.plot(
                        *_broken(pane.x, values),
                        style,
                        color=tint,
                        lw=width,
                        label=f"{name}, {what}",
                    )
            axes.set_title(pane.title)
        legend = max(every[: len(panes)], key=lambda axes: len(axes.lines))
        handles = legend.get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=4, handlelength=_DASHES)
        return png(figure)


def _broken(x: Array, values: Array) -> tuple[Array, ...]:
    """A curve with a gap where it jumps by more than half its range from one point to the next."""
    jumps = np.flatnonzero(np.abs(np.diff(values)) > np.ptp(values) / 2) + 1
    return tuple(np.insert(np.asarray(a, float), jumps, np.nan) for a in (x, values))


def confusion(matrices: Sequence[Array], names: Sequence[str], classes: Sequence[str]) -> bytes:
    """Confusion matrices side by side: rows are true classes, columns predictions."""
    with matplotlib.rc_context(STYLE | {"axes.grid": False}):
        figure = Figure(figsize=(10.4, 5.8), layout="constrained", dpi=DPI)
        panes = figure.subplots(1, 2, sharey=True)
        for axes, matrix, name in zip(panes, matrices, names, strict=True):
            share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
            axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
            for (row, column), value in np.ndenumerate(matrix):
                if value:
                    ink = "white" if share[row, column] > 0.55 else "#303030"
                    axes.text(
                        column, row, str(value), ha="center", va="center", color=ink, fontsize=8
                    )
            axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
            axes.set_yticks(range(len(classes)), classes)
            axes.set(xlabel="predicted class", title=name)
            axes.tick_params(length=0)
            for spine in axes.spines.values():
                spine.set_visible(False)
        panes[0].set_ylabel("true class")
        return png(figure)


def gallery(seen: Predicted, chosen: Array, names: tuple[str, str], columns: int = 5) -> bytes:
    """Test images with true class and both predictions; wrong ones in red with a cross."""
    columns = min(columns, len(chosen))
    rows = -(-len(chosen) // columns)
    with matplotlib.rc_context(STYLE | {"axes.grid": False}):
        # Laid by hand: a constrained layout gives no room to texts beside square images.
        height = rows * 2.4
        figure = Figure(figsize=(columns * 1.9, height), dpi=DPI)
        places = {"top": 1 - 0.25 / height, "bottom": 0.45 / height, "left": 0.01, "right": 0.99}
        panes = np.atleast_1d(figure.subplots(rows, columns)).ravel()
        figure.subplots_adjust(hspace=0.42, wspace=0.08, **places)
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
                axes.text(
                    0.5,
                    -0.06 - 0.115 * line,
                    text,
                    transform=axes.transAxes,
                    ha="center",
                    va="top",
                    fontsize=7.4,
                    color="#303030" if good else WRONG,
                    fontweight="normal" if good else "bold",
                )
            if int(both[0][index].argmax()) != int(both[1][index].argmax()):
                height, width = seen.images[index].shape[:2]
                axes.add_patch(
                    Rectangle(
                        (-0.5, -0.5), width, height, fill=False, ec=WRONG, lw=2, clip_on=False
                    )
                )
        return png(figure, COLOURS_OF_IMAGES)


def png(figure: Figure, colours: int = COLOURS_KEPT) -> bytes:
    """PNG bytes with a palette, so that they are few, and without dates or versions in them."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())  # type: ignore[no-untyped-call]
    buffer = io.BytesIO()
    pixels.quantize(colours, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
