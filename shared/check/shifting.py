"""Other biases than the models' own: what is cut off or saturates is to be reached."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from shared.check import across
from shared.check.judging import Subject
from shared.check.side import Array
from shared.spec import Side

_SHIFT = 4.0
_SHIFTED = ("bias", "beta")


def shifted(
    subject: Subject, weights_from: Side, seed: int, draw: int
) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
    """Both sides' weights, with large numbers on all biases but those that a model computes."""
    source = 0 if weights_from == "torch" else 1
    normal = (subject.torch, subject.keras)[source]
    both = [dict(subject.weights[0]), dict(subject.weights[1])]
    made = {
        parameter.id for one in subject.across.tied for parameter in (one.left, one.right)
        if one.left.computed or one.right.computed
    }  # fmt: skip
    for name, parameter in normal.parameters.items():
        if parameter.role in _SHIFTED and name in both[source] and name not in made:
            rng = np.random.default_rng([seed, draw, *name.encode()])
            shift = _SHIFT * rng.standard_normal(parameter.shape)
            both[source][name] = both[source][name] + shift.astype(np.float32)
    both[source] = {
        name: array.astype(np.float32).astype(np.float64) for name, array in both[source].items()
    }
    both[1 - source] |= across.transferred(subject.across.tied, both[source], source=weights_from)
    return both[0], both[1]
