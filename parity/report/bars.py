"""Figures of the page on performance: bars with their intervals, and how the cost grows."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

from parity.bench.result import Measurement
from parity.core.sides import TITLES
from parity.report.bench_tables import SHOWN, written
from parity.report.formatting import number
from parity.report.plots import COLOURS, DPI, STYLE, png

AXES = {
    "batch": "samples a batch",
    "width": "units of the hidden layer",
    "samples": "training samples",
}


def epochs(panes: Sequence[tuple[str, Sequence[Measurement]]]) -> bytes:
    """Horizontal bars, shortest is fastest; whiskers are the intervals, steps in milliseconds.

    Args:
        panes: heading of the axis, and what is drawn in it.
    """
    heights = [len(rows) for _, rows in panes]
    with matplotlib.rc_context(STYLE):
        size = (9.6, 0.34 * sum(heights) + 0.95 * len(panes))
        figure = Figure(figsize=size, layout="constrained", dpi=DPI)
        every = figure.subplots(len(panes), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, (heading, rows) in zip(every, panes, strict=True):
            _bars(axes, rows)
            axes.set_xlabel(heading)
        return png(figure)


def _bars(axes: Axes, rows: Sequence[Measurement]) -> None:
    factors = [SHOWN.get(m.what, 1.0) for m in rows]
    medians, lows, highs = (
        [getattr(m.interval, bound) * f for m, f in zip(rows, factors, strict=True)]
        for bound in ("median", "low", "high")
    )
    # The median of the runs need not lie within the interval to the last digit.
    below = [max(median - low, 0.0) for median, low in zip(medians, lows, strict=True)]
    above = [max(high - median, 0.0) for median, high in zip(medians, highs, strict=True)]
    places = range(len(rows))
    axes.barh(
        places,
        medians,
        height=0.72,
        color=[COLOURS[m.side] for m in rows],
        xerr=(below, above),
        error_kw={"ecolor": "#303030", "elinewidth": 1.1, "capsize": 2.5},
    )
    axes.set_yticks(places, [f"{TITLES[m.side]}, {written(m.side, m.way)}" for m in rows])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.12)
    for place, median, high in zip(places, medians, highs, strict=True):
        axes.annotate(
            number(median),
            (high, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
        )


def sweep(rows: Sequence[Measurement]) -> bytes:
    """Seconds an epoch over batch size, width and number of samples, both axes logarithmic."""
    names = [name for name in AXES if any(m.over == name for m in rows)]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(3.2 * len(names), 3.1), layout="constrained", dpi=DPI)
        panes = figure.subplots(1, len(names), squeeze=False, sharey=True)[0]
        for axes, name in zip(panes, names, strict=True):
            for side, colour in COLOURS.items():
                some = sorted(
                    (m for m in rows if (m.over, m.side) == (name, side)), key=lambda m: m.at
                )
                if some:
                    _line(axes, some, colour, TITLES[some[0].side])
            ticks = sorted({m.at for m in rows if m.over == name})
            axes.set(xscale="log", yscale="log", xlabel=AXES[name])
            axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
            axes.xaxis.set_minor_locator(NullLocator())
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_major_formatter(lambda value, place: f"{value:g}")
            axes.yaxis.set_minor_formatter(NullFormatter())
        panes[0].set_ylabel("seconds an epoch")
        figure.legend(*panes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
        return png(figure)


def _line(axes: Axes, some: Sequence[Measurement], colour: str, label: str) -> None:
    at = [m.at for m in some]
    axes.fill_between(
        at,
        [m.interval.low for m in some],
        [m.interval.high for m in some],
        color=colour,
        alpha=0.18,
        lw=0,
    )
    axes.plot(at, [m.interval.median for m in some], "o-", ms=3.5, color=colour, label=label)
