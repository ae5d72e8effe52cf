"""What a case is given, as arrays: the numbers of its spec, and real data where it wants some."""

from __future__ import annotations

import functools
from typing import Any

from numpy.typing import NDArray

from parity.spec.cases import Case, Samples
from parity.spec.expected import numbers
from parity.spec.suite import Load

Array = NDArray[Any]
Arrays = dict[str, Array]


def stated(case: Case, precision: str = "float64") -> Arrays:
    """The numbers of the spec: `inputs` in this precision, `integers` as int64."""
    arrays = {name: numbers(value, precision) for name, value in case.inputs.items()}
    return arrays | {name: numbers(value, "int64") for name, value in case.integers.items()}


def real(case: Case, load: Load) -> Arrays:
    """``images`` ``(n, h, w)`` uint8 and ``labels`` ``(n,)`` int64, or nothing."""
    if case.samples is None:
        return {}
    images, labels = _loaded(load, case.samples)
    return {"images": images.copy(), "labels": labels.copy()}


@functools.cache
def _loaded(load: Load, samples: Samples) -> tuple[Array, Array]:
    found = load(samples.dataset, train=samples.count, test=1)
    return found.train_images, found.train_labels
