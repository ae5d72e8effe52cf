"""One page an example: its figures, its Markdown, its JSON twin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.comparator.noise import C, Finding
from parity.report import (
    accuracy,
    classes,
    documents,
    formatting,
    native,
    parting,
    plots,
    sentences,
    series,
    sources,
)
from parity.report.files import render, save
from parity.report.formatting import count, number
from parity.report.result import ReportInput, side_names
from parity.report.tables import environment, known, ladder, pairs_table, value_cases
from parity.spec.example import ExampleSpec
from parity.spec.suite import Suite
from parity.verdict.judgement import PairVerdict, asked_of

GALLERY = 25
MANY = 5
"""With more pairs than this the page is about them: one figure for all, no test images."""
DISAGREEING = 10
MANY = 5
"""With more pairs than this there is a table of them; curves of the first and contrasts only."""


@dataclass(frozen=True)
class Figure:
    """A figure of a page.

    Attributes:
        file: name inside ``figures/``.
        alt: what it shows, for those who do not see it.
        caption: what to look at.
        png: the bytes.
    """

    file: str
    alt: str
    caption: str
    png: bytes


@dataclass(frozen=True)
class PageSection:
    """A pair on the page."""

    verdict: PairVerdict
    names: tuple[str, str]
    ladder: list[dict[str, str]]
    sentences: list[str]
    figures: list[Figure]
    divergence: str


def write(suite: Suite, result: ReportInput, folder: Path) -> list[Path]:
    """Write the page of one example and all that belongs to it; old figures of it go.

    Returns:
        Every file written.
    """
    text, figures = page(suite, result, native.section(folder, result.spec.name))
    written = [save(folder / "figures" / f.file, f.png) for f in figures]
    for old in (folder / "figures").glob(f"{result.spec.name}-*.png"):
        if old not in written:
            old.unlink()
    twin = documents.to_text(documents.document(result))
    return [
        save(folder / f"{result.spec.name}.md", text),
        save(folder / f"{result.spec.name}.json", twin),
        *written,
    ]


def page(suite: Suite, result: ReportInput, divided: str = "") -> tuple[str, list[Figure]]:
    """The Markdown of one example and its figures; `divided` its section on own defaults."""
    spec, verdict = result.spec, result.verdict
    many = len(verdict.pairs) > MANY
    seen, unseen = (None, "") if many else classes.predicted(suite, result)
    drifts = {p.pair.name: series.weight_drift(*result.sides(p.pair)) for p in verdict.pairs}
    sections = [_section(result, pair, drifts) for pair in verdict.pairs]
    pictures = _pictures(result, seen)
    parts = _parting(result)
    if parts is not None:
        pictures["parting"] = parts[1]
    elif (drawn := _watched(result)) is not None:
        pictures["watched"] = drawn
    context: dict[str, Any] = {
        "spec": spec,
        "verdict": verdict,
        "data": result.data,
        "place": _place(suite, spec),
        "lead": sentences.lead(result),
        "troubles": _troubles(result),
        "caveats": _caveats(result),
        "headline": sections[0],
        "others": [s for s in sections[1:] if not s.verdict.pair.differs_at],
        "contrasts": [s for s in sections[1:] if s.verdict.pair.differs_at],
        "setting": _setting(result),
        "horizon": sentences.horizon(verdict.headline),
        "C": C,
        "known": known(spec, verdict.headline),
        "facts": _facts(verdict.headline),
        "environment": environment(result),
        "rows": sources.rows(spec.name),
        "bridges": sources.bridges(spec.name),
    }
    if spec.training is None:
        own = {case.name for case in spec.cases}
        drawn = _curves(result)
        context["cases"] = value_cases(suite, result)
        context["rest"] = [row for row in context["rows"] if row.name not in own]
        context["curves"] = drawn
        if drawn:
            pictures["curves"] = drawn
        text = render("values", **context)
    else:
        context |= {
            "both": sources.section(spec.name),
            "accuracy": accuracy.table(result),
            "references": accuracy.references(result),
            "agreements": accuracy.agreements(result),
            "pairs": pairs_table(result) if len(sections) > MANY else [],
            "first": seen and accuracy.first_image(result, seen),
            "apart": seen and accuracy.apart(result, seen),
            "per_class": seen and accuracy.per_class(seen),
            "unseen": unseen,
            "variants": accuracy.variants(result),
            "held": _held(result),
            "pictures": pictures,
            "parting": parts[0] if parts else [],
            "cases": value_cases(suite, result),
            "native": divided,
        }
        text = render("training", **context)
    figures = [f for s in sections for f in s.figures] + list(pictures.values())
    return text, figures


def _section(
    result: ReportInput, pair: PairVerdict, drifts: Mapping[str, series.Drift | None]
) -> PageSection:
    names = side_names(result.spec, pair.pair)
    drift = drifts[pair.pair.name]
    contrast = bool(pair.pair.differs_at)
    told: list[str] = []
    if pair.verdict == "agree" and result.spec.training:
        whole = result.spec.training.whole
        told = [sentences.strongest(pair, drift, names) if whole else sentences.counted(pair)]
        if whole and not sentences.identical(pair):
            told += [sentences.nudged(drift, names), sentences.single(drift, names)]
            told += [sentences.counted(pair)]
    elif not result.spec.training:
        told = [sentences.counted(pair)]
    elif contrast and not _alike(pair):
        bridged = drifts[result.verdict.headline.pair.name]
        told = [sentences.contrast(pair, drift, bridged)]
    else:
        told = [sentences.counted(pair)]
    headline = pair is result.verdict.headline
    one_step = result.spec.training is not None and not result.spec.training.whole
    figures = [] if one_step else _drawn(result, pair, names, drift, curves=headline)
    told = [t for t in told if t]
    return PageSection(pair, names, ladder(pair), told, figures, sentences.divergence(pair))


def _alike(pair: PairVerdict) -> bool:
    """A contrast in which the sides do not part from each other, but both from the spec."""
    first = pair.first
    return first is not None and first.rule == "frozen" and len(first.sides) > 1


def _drawn(
    result: ReportInput,
    pair: PairVerdict,
    names: tuple[str, str],
    drift: series.Drift | None,
    *,
    curves: bool,
) -> list[Figure]:
    """Curves of a pair, where there is a distance to draw."""
    left, right = result.sides(pair.pair)
    sides = (left.side, right.side)
    prefix = f"{result.spec.name}-" + ("" if curves else f"{pair.pair.name}-")
    figures = []
    losses = series.loss_drift(left, right) if curves else None
    if losses is not None:
        precision = "float32" if left.float32 and right.float32 else "float64"
        both = series.losses(left, precision), series.losses(right, precision)
        if both[0] is not None and both[1] is not None:
            png = plots.loss((both[0], both[1]), losses, names, sides, precision)
            figures.append(Figure(f"{prefix}loss.png", _loss_alt(names, losses), _LOSS, png))
    plain = not curves and not pair.pair.differs_at
    told_elsewhere = (plain and len(result.verdict.pairs) > MANY) or _alike(pair)
    if drift is not None and drift.moves and not told_elsewhere:
        png = plots.weights(drift, names, sides)
        caption = _CONTRAST if pair.pair.differs_at else _WEIGHTS
        figures.append(Figure(f"{prefix}weights.png", _weights_alt(names, drift), caption, png))
    return figures


_LOSS = (
    "Top: the two curves lie over each other. Below: how far apart they are (black), and how far "
    "rounding alone moves each side (coloured, shaded). Black inside the shade is rounding; black "
    "far above the dotted bound would be another equation."
)
_CONTRAST = (
    "The largest distance between any two weights of the same name and place, after every recorded "
    "step. In float64 rounding all but vanishes (coloured), and what is left is the difference of "
    "the two programs (black), far above the dotted bound."
)
_WEIGHTS = (
    "The largest distance between any two weights that should be equal, after every recorded step. "
    "Left: float32, where training amplifies rounding. Right: float64, where it shrinks to the "
    "size of a one-ulp nudge, if the equations are the same."
)


def _curves(result: ReportInput) -> Figure | None:
    """The functions that a values-only example draws, both sides over each other."""
    pair, left, right = result.headline()
    panes = [
        pane for case in result.spec.cases if (pane := series.pane(case, left, right)) is not None
    ]
    if not panes:
        return None
    names = side_names(result.spec, pair.pair)
    titles = formatting.listed([pane.title for pane in panes])
    return Figure(
        f"{result.spec.name}-curves.png",
        f"Values and gradients of {titles}; the curves of {names[0]} and {names[1]} lie over "
        "each other.",
        f"Solid: values; dashed: gradients. Thick: {names[0]}; thin, on top: {names[1]}.",
        plots.curves(panes, names, (left.side, right.side)),
    )


def _noun(result: ReportInput) -> str:
    """What a sample of the data is called."""
    recording = result.headline()[1].present[0]
    return "image" if recording["inputs/images"].ndim > 2 else "sample"


def _held(result: ReportInput) -> int:
    """How many training samples were held out."""
    recording = result.headline()[1].present[0]
    return len(recording["inputs/validation"]) if "inputs/validation" in recording else 0


def _parting(result: ReportInput) -> tuple[list[str], Figure] | None:
    """How long two equal programs stay equal, in sentences and in one figure."""
    training = result.spec.training
    pair, left, right = result.headline()
    if training is None or (measured := parting.measure(left, right, training)) is None:
        return None
    names = side_names(result.spec, pair.pair)
    told = parting.sentences(measured, names)
    seen = [w for w in (series.watched(runs, training) for runs in (left, right)) if w]
    figure = Figure(
        f"{result.spec.name}-parting.png",
        " ".join(told).replace("**", ""),
        f"Black: {names[0]} from {names[1]}. Coloured: each from itself, started one ulp away. "
        "Solid: float32; dashed: float64. Diamonds: what the study measured between the "
        f"frameworks, on another split of the data{_beyond(measured)}. Below: test accuracy "
        "meanwhile.",
        plots.parting(measured, names, (left.side, right.side), seen),
    )
    return told, figure


def _beyond(measured: parting.Parting) -> str:
    """Words for published points behind the last step of the training here."""
    last = int(measured.steps[-1])
    further = [f"{p.step:,}" for p in measured.published if p.step > last]
    words = f"; that at {formatting.listed(further)} steps is of its longer run, this one ends at"
    return f"{words} {last:,}" if further else ""


def _watched(result: ReportInput) -> Figure | None:
    """Train against validation, both sides of every pair that must agree over each other."""
    if result.spec.training is None:
        return None
    variants = []
    for pair in (p.pair for p in result.verdict.pairs if not p.pair.differs_at):
        training = result.spec.training.of(result.spec.training.way(pair.left))
        one, other = (series.watched(runs, training) for runs in result.sides(pair))
        if one is not None and other is not None:
            variants.append((pair.title, one, other))
    if not variants:
        return None
    headline, left, right = result.headline()
    names, held = side_names(result.spec, headline.pair), _held(result)
    unseen = "validation" if held else "test"
    noun = _noun(result)
    shown = "; ".join(
        f"{title}: train loss {number(float(one.trained[one.kept]), 2)}, {unseen} loss "
        f"{number(float(one.loss[one.kept]), 2)}"
        for title, one, _ in variants
    )
    where = f"the {count(held, noun)} held out" if held else f"the test {noun}s"
    stops = any(one.best is not None for _, one, _ in variants)
    return Figure(
        f"{result.spec.name}-{unseen}.png",
        f"Loss and accuracy of {names[0]} and {names[1]} while they train, over each other. At "
        f"the end, in {names[0]}: {shown}.",
        f"Dashed: loss of the batches that are trained on; solid: loss and accuracy on {where}. "
        f"Thick: {names[0]}; thin, on top: {names[1]}. Where the dashed line goes on down and the "
        f"solid one does not follow, the model learns its {noun}s by heart."
        + (" A dot marks the weights that are kept." if stops else ""),
        plots.watched(variants, names, (left.side, right.side), unseen),
    )


def _end(values: NDArray[Any] | None) -> str:
    return "not recorded" if values is None else number(float(values[-1]), 2)


def _loss_alt(names: tuple[str, str], drift: series.Drift) -> str:
    return (
        f"Loss of {names[0]} and {names[1]} over {count(len(drift.steps), 'step')}; largest "
        f"difference {_end(drift.apart32)} in float32, {_end(drift.apart64)} in float64."
    )


def _weights_alt(names: tuple[str, str], drift: series.Drift) -> str:
    return (
        f"Distance between the weights of {names[0]} and {names[1]} by step; at the end "
        f"{_end(drift.apart32)} in float32 and {_end(drift.apart64)} in float64, where the bound "
        f"is {_end(drift.bound64)}."
    )


def _pictures(result: ReportInput, seen: classes.Predicted | None) -> dict[str, Figure]:
    """Confusion matrices, first test images, and those that the sides see differently."""
    if seen is None:
        return {}
    names = side_names(result.spec, result.verdict.headline.pair)
    name = result.spec.name
    first = np.arange(min(GALLERY, len(seen.labels)))
    apart = seen.disagreeing
    pictures = {
        "confusion": Figure(
            f"{name}-confusion.png",
            f"Confusion matrices of {names[0]} and {names[1]} on "
            f"{count(len(seen.labels), 'test sample')}.",
            f"{seen.precision}; rows are true classes, columns what was predicted.",
            plots.confusion(seen.confusions(), names, seen.names),
        ),
    }
    if seen.images.ndim < 3:  # rows of numbers are nothing to look at
        return pictures
    pictures |= {
        "gallery": Figure(
            f"{name}-images.png",
            f"The first {len(first)} test images with the class that {names[0]} and {names[1]} "
            "predict.",
            "Above each image its true class and number; ✗ marks a wrong prediction, a red frame "
            "an image that the two sides see differently.",
            plots.gallery(seen, first, names),
        ),
    }
    if len(apart):
        some = apart[:DISAGREEING]
        pictures["apart"] = Figure(
            f"{name}-disagreeing.png",
            f"{count(len(some), 'test image')} that {names[0]} and {names[1]} classify "
            "differently.",
            f"The first {len(some)} of {count(len(apart), 'image')} that the sides see "
            f"differently in {seen.precision}.",
            plots.gallery(seen, some, names),
        )
    return pictures


def _place(suite: Suite, spec: ExampleSpec) -> str:
    """Where a lesson stands, with ways to those beside it."""
    if spec not in suite.examples:
        return ""
    at = suite.examples.index(spec)
    before = [f"before: [{s.name}]({s.name}.md)" for s in suite.examples[:at][-1:]]
    behind = [f"next: [{s.name}]({s.name}.md)" for s in suite.examples[at + 1 :][:1]]
    here = f"Lesson {at + 1} of {len(suite.examples)}"
    return " · ".join([here, *before, *behind, "[all lessons](README.md)"])


def _troubles(result: ReportInput) -> list[str]:
    """What must be said first: divergences of pairs that must agree, contrasts that do not."""
    told = []
    for pair in result.verdict.pairs:
        title = pair.pair.title
        if pair.pair.differs_at and not result.verdict.chosen:
            if pair.as_expected:
                continue
            found = sentences.divergence(pair) or f"They {pair.verdict}."
            told.append(
                f"**{title}** must differ first at `{pair.pair.differs_at}…`, but does not. {found}"
            )
        elif pair.verdict == "differ":
            first = "" if pair is result.verdict.headline else f"**{title}.** "
            told.append(first + (sentences.divergence(pair) or sentences.counted(pair)))
    return told


def _caveats(result: ReportInput) -> list[tuple[str, str]]:
    """GitHub alerts: kind and words."""
    spec, headline = result.spec, result.verdict.headline
    found = []
    size = next((r.header.size for r in result.by_side().values()), {})
    if spec.training and size.get("part") == "embedded":
        text = f"The embedded subset of the data was used: {result.data}."
        if spec.training.references:
            text += " Expected figures hold for the full set only."
        found.append(("NOTE", f"{text} All of it: `parity run {spec.name} --full`."))
    if len(headline.precisions) == 1:
        found.append(
            (
                "WARNING",
                f"Only {headline.precisions[0]} was recorded, so noise could not "
                "be measured: `torch.testing`'s default tolerances stand in.",
            )
        )
    if headline.horizon is not None and headline.horizon < (headline.last_step or 0):
        found.append(("WARNING", sentences.horizon(headline)))
    missing = documents.not_run(result)
    if missing:
        found.append(("WARNING", f"Not compared this time: {formatting.listed(missing)}."))
    if any(f.status == "stale" for f in headline.findings):
        found.append(("WARNING", "A listed difference no longer holds: see below."))
    return found


def _setting(result: ReportInput) -> list[tuple[str, str]]:
    """What was trained, on what, how long."""
    training, size = asked_of(result.spec, result.verdict.headline.pair), {}
    if training is None:
        return []
    for recording in result.by_side().values():
        size = recording.header.size
    steps, held = result.verdict.headline.last_step, _held(result)
    trained = sum(int(np.prod(p.shape)) for p in training.parameters if p.trainable)
    return [
        ("data", result.data),
        *([("held out of training", count(held, _noun(result)))] if held else []),
        ("batch size", f"{training.batch_size} samples"),
        ("epochs", str(size.get("epochs", formatting.NONE))),
        ("optimizer steps", f"{steps:,}" if steps else formatting.NONE),
        ("trainable weights", f"{trained:,}"),
        ("seed", str(result.spec.seed)),
    ]


def _facts(pair: PairVerdict) -> list[Finding]:
    """Exact values that are no arrays, such as an exception's class."""
    # Those of functions stand below their functions.
    own = [f for f in pair.findings if not f.key.startswith("values/")]
    return [f for f in own if f.rule == "exact" and not f.index]
