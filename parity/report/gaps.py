"""Figures of the native division: from the native gap to the matched one, and gaps on a margin."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from parity.native.attribution import Attribution, Change, Metric
from parity.report.formatting import number, signed
from parity.report.native import Gap
from parity.report.plots import APART, BOUND, COLOURS, DPI, SECOND, STYLE, WRONG, png

_LABELS: dict[Metric, str] = {
    "accuracy": "test accuracy, PyTorch − Keras (points)",
    "loss": "test loss, PyTorch − Keras (nats)",
}
_UNCLEAR = "#bdbdbd"
_MARKS = {"equal": (SECOND, "o"), "different": (WRONG, "D"), "undecided": (BOUND, "s")}
"""Verdict → colour and marker, so that colour alone says nothing."""


def waterfall(found: Attribution) -> bytes:
    """The native gap, what each default takes from it or adds, and the matched gap, both metrics.

    Whiskers are intervals; a step that is not told apart from 0 is grey.
    """
    lines = len(found.steps) + 2
    with matplotlib.rc_context(STYLE):
        size = (9.6, 0.42 * lines + 1.1)
        figure = Figure(figsize=size, layout="constrained", dpi=DPI)
        panes = figure.subplots(1, 2, sharey=True)
        for axes, (metric, label) in zip(panes, _LABELS.items(), strict=True):
            _fall(axes, found, metric)
            axes.set_xlabel(label)
        titles = [
            "native gap",
            *(f"{s.title.replace('`', '')} matched" for s in found.steps),
            "matched gap",
        ]
        panes[0].set_yticks(range(lines), titles)
        panes[0].invert_yaxis()
        return png(figure)


def _fall(axes: Axes, found: Attribution, metric: Metric) -> None:
    axes.axvline(0, color="#303030", lw=0.9)
    at = found.native[metric].mean
    _bar(axes, 0, 0.0, found.native[metric], APART)
    for line, step in enumerate(found.steps, 1):
        change = step.gap[metric]
        axes.plot([at, at], [line - 1, line], color=BOUND, lw=0.8, ls=":")
        towards = COLOURS["torch"] if change.mean > 0 else COLOURS["keras"]
        _bar(axes, line, at, change, towards if change.clear else _UNCLEAR)
        at += change.mean
    last = len(found.steps) + 1
    axes.plot([at, at], [last - 1, last], color=BOUND, lw=0.8, ls=":")
    _bar(axes, last, 0.0, found.matched[metric], APART)
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.14)
    axes.xaxis.set_major_locator(MaxNLocator(3))


def _bar(axes: Axes, line: int, start: float, change: Change, colour: str) -> None:
    below, above = change.mean - change.low, change.high - change.mean
    axes.barh(
        line,
        change.mean,
        left=start,
        height=0.62,
        color=colour,
        alpha=0.85,
        xerr=([max(below, 0.0)], [max(above, 0.0)]),
        error_kw={"ecolor": "#757575", "elinewidth": 1.1, "capsize": 2.5},
    )
    right = start + max(change.high, change.mean, 0.0)
    axes.annotate(
        signed(change.mean),
        (right, line),
        xytext=(5, 0),
        va="center",
        textcoords="offset points",
        fontsize=8,
    )


def forest(rows: Sequence[Gap], margin: float, level: str = "90") -> bytes:
    """Gaps and their intervals against the margin within which the frameworks count as equal.

    Args:
        rows: from top to bottom.
        margin: in points; the band from minus this to this.
        level: of the intervals, in percent.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 0.36 * len(rows) + 1.5), layout="constrained", dpi=DPI)
        axes = figure.subplots()
        axes.axvspan(-margin, margin, color="#e9f4ef", lw=0, zorder=0)
        for edge in (-margin, margin):
            axes.axvline(edge, color=SECOND, lw=1.0, ls="--")
        axes.axvline(0, color="#303030", lw=0.9)
        for line, row in enumerate(rows):
            colour, marker = _MARKS[row.verdict]
            axes.plot([row.low, row.high], [line, line], color=colour, lw=2.2)
            axes.plot(row.mean, line, marker, color=colour, ms=6)
        axes.set_yticks(range(len(rows)), [row.title for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(
            f"test accuracy, PyTorch − Keras (points), {level} % interval; "
            f"shaded: margin of {number(margin)}"
        )
        handles = [
            Line2D([], [], color=colour, marker=marker, lw=2.2, label=verdict)
            for verdict, (colour, marker) in _MARKS.items()
            if any(row.verdict == verdict for row in rows)
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
        return png(figure)
