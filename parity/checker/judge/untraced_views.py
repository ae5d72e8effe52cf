"""In which layout the region opposite an untraced node yields what that node yields."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from parity.checker.align.matches import Match
from parity.checker.align.untraced import is_untraced
from parity.checker.graph import arrangement
from parity.checker.graph.arrangement import Arrangement
from parity.checker.judge import comparing
from parity.checker.judge.judging import LEVEL, RecordedRuns
from parity.checker.transfer.comparison import ModelComparison
from parity.comparator.noise import Finding


def arrangements(comparison: ModelComparison, recorded: RecordedRuns) -> dict[str, Arrangement]:
    """How what untraced nodes yield goes across, where another guess than the shapes' agrees.

    An image that is flattened unseen stands in another order on a side that has its channels last.

    Args:
        comparison: the two models; their guesses are in `AxisMaps.guessed`.
        recorded: both in evaluation mode.

    Returns:
        Id of the left's value → its arrangement; the first one only, as all behind it changes.
        Numbers agree in one order only, so the guess that agrees is right.
    """
    for match in comparison.matches:
        if not (is_untraced(match.left) and is_untraced(match.right)):
            continue
        now = comparison.axis_maps.values.get(match.left.value)
        if now is None or _agrees(match, recorded, now):
            continue
        for guess in _guesses(comparison, match):
            if _agrees(match, recorded, guess):
                return {match.left.value: guess}
    return {}


def output_layouts(comparison: ModelComparison, recorded: RecordedRuns) -> dict[int, Arrangement]:
    """Number of an output → how it goes across, where it agrees so and not as it was guessed."""
    found: dict[int, Arrangement] = {}
    for i, (mine, theirs, now) in enumerate(comparison.outputs()):
        options = comparison.output_options(mine, theirs)
        agree = partial(_same, f"outputs/{i}", f"outputs/{i}", recorded)
        if len(options) < 2 or now is None or agree(now):
            continue
        if fitting := [move for move in options if agree(move)]:
            found[i] = fitting[0]
    return found


def is_doubtful(comparison: ModelComparison, match: Match) -> bool:
    """Whether what an untraced node yields may stand in another order than is guessed."""
    guessed = match.left.value in comparison.axis_maps.guessed
    return guessed and is_untraced(match.left) and len(list(_guesses(comparison, match))) > 1


def _agrees(match: Match, recorded: RecordedRuns, move: Arrangement) -> bool:
    return _same(f"values/{match.left.value}", f"values/{match.right.value}", recorded, move)


def _same(left: str, right: str, recorded: RecordedRuns, move: Arrangement) -> bool:
    arrays = recorded.key_arrays(left, right, move)
    return comparing.compare(Finding(left, LEVEL, "identical"), arrays).agrees


def _guesses(comparison: ModelComparison, match: Match) -> Iterator[Arrangement]:
    left, right = match.left.values[0].shape, match.right.values[0].shape
    yield from arrangement.candidates(left, right)
    if left != right or len(left) != 2:
        return
    for move in {id(m): m for m in comparison.axis_maps.values.values()}.values():
        if move.axes is None or len(move.left) < 3 or move.is_identity or left[1] % move.left[1]:
            continue
        image = (left[0], move.left[1], left[1] // move.left[1])
        places = np.arange(math.prod(left), dtype=np.int64).reshape(image).transpose(0, 2, 1)
        back = np.arange(math.prod(left), dtype=np.int64).reshape(image[0], image[2], image[1])
        for flat in (places, back.transpose(0, 2, 1)):
            yield Arrangement(left, right, None, flat.reshape(right))
