"""Predictions on the test set: accuracy with its interval, confusion, where the sides disagree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.core.classification import probabilities as by_class
from parity.core.errors import DataError
from parity.recording.recording_file import Recording
from parity.report.result import ReportInput
from parity.spec.suite import Suite

Array = NDArray[Any]
_Z95 = 1.959963984540054


@dataclass(frozen=True)
class Predicted:
    """Both sides' predictions for images whose classes are known.

    Attributes:
        images: ``(n, height, width)`` uint8.
        labels: ``(n,)`` true classes.
        names: class → name.
        left, right: ``(n, classes)`` probabilities of each side.
        precision: of the runs that predicted.
    """

    images: Array
    labels: Array
    names: tuple[str, ...]
    left: Array
    right: Array
    precision: str

    @property
    def chosen(self) -> tuple[Array, Array]:
        """The class that each side predicts, ``(n,)`` each."""
        return self.left.argmax(axis=1), self.right.argmax(axis=1)

    @property
    def disagreeing(self) -> Array:
        """Indices of the images that the sides see differently."""
        a, b = self.chosen
        return np.flatnonzero(a != b)

    def only_right(self) -> tuple[int, int]:
        """How many images only the left, only the right side has right."""
        a, b = (chosen == self.labels for chosen in self.chosen)
        return int(np.sum(a & ~b)), int(np.sum(b & ~a))

    def confusions(self) -> tuple[Array, Array]:
        """Counts ``(true class, predicted class)`` of each side."""
        size = len(self.names)
        return tuple(  # type: ignore[return-value]
            np.bincount(self.labels * size + chosen, minlength=size * size).reshape(size, size)
            for chosen in self.chosen
        )


def predicted(suite: Suite, result: ReportInput) -> tuple[Predicted | None, str]:
    """The headline's predictions with images and true classes, or None and why not."""
    training = result.spec.training
    if training is None:
        return None, ""
    _, left, right = result.headline()
    precision = "float32" if left.float32 and right.float32 else "float64"
    runs: list[Recording | None] = [getattr(left, precision), getattr(right, precision)]
    a, b = (
        by_class(r["predictions/test"]) if r and "predictions/test" in r else None for r in runs
    )
    if a is None or b is None or runs[0] is None:
        return None, "No predictions were recorded."
    size = runs[0].header.size
    try:
        dataset = suite.load(
            training.dataset,
            size.get("part", "embedded"),
            train=size.get("train"),
            test=size.get("test"),
        )
        dataset = dataset.of_classes(training.classes)
    except DataError as error:
        return None, f"The images cannot be read here: {error}"
    if a.ndim != 2 or a.shape != b.shape or len(a) != len(dataset.test_labels):
        return None, (
            f"Predictions have shape {a.shape} and {b.shape}, but there are "
            f"{len(dataset.test_labels):,} test images: confusion and images are left out."
        )
    labels = dataset.test_labels
    names = dataset.class_names[: a.shape[1]]
    return Predicted(dataset.test_images, labels, names, a, b, precision), ""


def interval(accuracy: float, images: int) -> tuple[float, float]:
    """95 % interval of an accuracy measured on so many images.

    Source: Wilson (1927), score interval of a binomial proportion.
    """
    z2 = _Z95**2
    centre = (accuracy + z2 / (2 * images)) / (1 + z2 / images)
    spread = accuracy * (1 - accuracy) / images + z2 / (4 * images**2)
    half = _Z95 / (1 + z2 / images) * math.sqrt(max(spread, 0.0))
    return max(0.0, centre - half), min(1.0, centre + half)


def metrics(recording: Recording | None) -> dict[str, float]:
    """Every single-number metric of a recording: ``test_accuracy`` → value."""
    if recording is None:
        return {}
    found = [key for key in recording.keys() if key.startswith("metrics/")]  # noqa: SIM118
    return {
        key.removeprefix("metrics/"): float(recording[key].item())
        for key in found
        if recording[key].size == 1
    }
