"""Tables about predictions: accuracy, references, agreement, classes, the first image."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from parity.core.classification import probabilities as by_class
from parity.recording.recording_file import Runs
from parity.report import series
from parity.report.classes import Predicted, interval, metrics
from parity.report.formatting import NONE, fraction
from parity.report.result import ReportInput, side_names
from parity.spec.example import Reference
from parity.verdict.judgement import asked_of

PRECISIONS = ("float32", "float64")
_MARKS = {"agree": "✓", "differ": "✗", "undecided": "?"}


def table(result: ReportInput) -> list[dict[str, str]]:
    """Test accuracy and loss of both sides of the headline, in each precision."""
    pair, left, right = result.headline()
    rows = []
    for name, runs in zip(side_names(result.spec, pair.pair), (left, right), strict=True):
        for precision in PRECISIONS:
            values = metrics(getattr(runs, precision))
            if not values:
                continue
            accuracy = values.get("test_accuracy")
            images = _images(runs, precision)
            low, high = interval(accuracy, images) if accuracy is not None and images else (0, 0)
            rows.append(
                {
                    "side": name,
                    "precision": precision,
                    "accuracy": fraction(accuracy),
                    "interval": f"{low:.4f} – {high:.4f}" if images else NONE,
                    "loss": fraction(values.get("test_loss")),
                }
            )
    return rows


def _images(runs: Runs, precision: str) -> int:
    recording = getattr(runs, precision)
    return len(recording["predictions/test"]) if "predictions/test" in recording else 0


def variants(result: ReportInput) -> list[dict[str, str]]:
    """One row a pair that was watched and must agree: where it ended, on both sides."""
    rows = []
    for pair in (p for p in result.verdict.pairs if not p.pair.differs_at):
        training, sides = asked_of(result.spec, pair.pair), result.sides(pair.pair)
        seen = training and [series.watched(runs, training) for runs in sides]
        if not seen or None in seen:
            continue
        ends = [metrics(runs.present[0]) for runs in sides]
        trained = [float(w.trained[w.kept]) for w in seen if w is not None]
        row = {
            "title": pair.pair.title,
            "mark": _MARKS[pair.verdict],
            "verdict": pair.verdict,
            "trained": _both(trained),
        }
        for name in ("validation_loss", "validation_accuracy", "test_accuracy"):
            row[name] = _both([end.get(name) for end in ends])
        epochs = [
            f"{e['best_epoch']:.0f} of {e['stopped_epoch']:.0f}"
            for e in ends
            if "stopped_epoch" in e and "best_epoch" in e
        ]
        row["kept"] = " / ".join(epochs) or "the last"
        rows.append(row)
    return rows


def _both(values: Sequence[float | None]) -> str:
    """Two numbers side by side."""
    return " / ".join(fraction(value) for value in values)


def agreements(result: ReportInput) -> list[str]:
    """How many predictions are the same, pair by pair and precision by precision."""
    told = []
    for pair in result.verdict.pairs:
        counts = [f"{same:,} of {of:,} in {p}" for p, (same, of) in pair.agreement.items()]
        if counts:
            told.append(f"{pair.pair.title}: {', '.join(counts)}")
    return told


def references(result: ReportInput) -> list[dict[str, str]]:
    """Expected figures, and whether both sides come near them; only a full run is asked."""
    training = result.spec.training
    _, left, right = result.headline()
    if training is None:
        return []
    size, whole = left.present[0].header.size, dataclasses.asdict(training.full)
    full = all(size[key] == value for key, value in whole.items() if key in size)
    rows = []
    for reference in training.references:
        values = [metrics(runs.present[0]).get(reference.metric) for runs in (left, right)]
        rows.append(
            {
                "metric": reference.metric.replace("_", " "),
                "value": _wanted(reference),
                "left": fraction(values[0]),
                "right": fraction(values[1]),
                "status": _near(reference, values)
                if full
                else "not asked: holds for the full data and all epochs",
                "source": reference.source,
            }
        )
    return rows


def _near(reference: Reference, values: list[float | None]) -> str:
    good = [v is not None and reference.holds(v) for v in values]
    return "✓ on both sides" if all(good) else "✗ not on both sides"


def _wanted(reference: Reference) -> str:
    if reference.margin is None:
        return f"at least {reference.value:g}"
    return f"{reference.value:.4f} ± {reference.margin:g}"


def per_class(seen: Predicted) -> list[dict[str, str]]:
    """Accuracy of every class on both sides."""
    a, b = seen.chosen
    rows = []
    for label, name in enumerate(seen.names):
        of = seen.labels == label
        images = int(np.sum(of))
        good = [int(np.sum(chosen[of] == label)) for chosen in (a, b)]
        shares = [fraction(n / images) if images else NONE for n in good]
        rows.append(
            {
                "name": name,
                "images": f"{images:,}",
                "left": shares[0],
                "right": shares[1],
                "gap": _signed(good[1] - good[0]),
            }
        )
    return rows


def _signed(value: int) -> str:
    return f"{value:+d}".replace("-", "−") if value else "0"


def first_image(result: ReportInput, seen: Predicted) -> dict[str, Any]:
    """The first test image: its true class, each side's answer and how sure it is."""
    pair, left, right = result.headline()
    true, rows = int(seen.labels[0]), []
    for precision in PRECISIONS:
        for name, runs in zip(side_names(result.spec, pair.pair), (left, right), strict=True):
            recording = getattr(runs, precision)
            if recording is None or "predictions/test" not in recording:
                continue
            probabilities = by_class(recording["predictions/test"])[0]
            guess = int(probabilities.argmax())
            rows.append(
                {
                    "side": name,
                    "precision": precision,
                    "class": f"{guess} ({seen.names[guess]})",
                    "confidence": f"{100 * float(probabilities[guess]):.2f}",
                    "mark": "✓" if guess == true else "✗",
                }
            )
    return {"true": f"{true} ({seen.names[true]})", "rows": rows}


def apart(result: ReportInput, seen: Predicted) -> str:
    """On how many images the sides part, and which of them is right there."""
    pair, _, _ = result.headline()
    names = side_names(result.spec, pair.pair)
    images, differing = len(seen.labels), len(seen.disagreeing)
    noun = "images" if seen.images.ndim > 2 else "samples"
    if not differing:
        return f"In {seen.precision} both sides give all {images:,} test {noun} the same class."
    left, right = seen.only_right()
    text = (
        f"In {seen.precision} the sides give {differing:,} of {images:,} test {noun} different "
        f"classes: {names[0]} alone is right on {left:,} of them, {names[1]} alone on {right:,}, "
        f"neither on {differing - left - right:,}."
    )
    if seen.precision == "float32" and "float64" in pair.agreement:
        same, of = pair.agreement["float64"]
        text += f" In float64 the same programs part on {of - same:,}."
    return text
