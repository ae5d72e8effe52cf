"""What is kept of one training."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parity.core.errors import UsageError
from parity.core.sides import Side


class SummaryKey(NamedTuple):
    """What a summary is of, within an example and pair."""

    side: Side
    setting: str
    seed: int


@dataclass(frozen=True)
class Summary:
    """One training: how good it became, and how it got there.

    Attributes:
        example, pair, side, setting, seed: of what.
        test_accuracy: share of the test set.
        test_loss: mean over the test set.
        per_class: share of each class's test samples that were right; NaN for a class without any.
        predictions: class of every test sample, uint8.
        epoch_losses: mean over the samples of each epoch, as they were trained on.
        step1_distance: ‖w − w_matched‖₂ / ‖w_matched‖₂ over all trained weights after one step,
            to the matched training of the same side and seed.
        seconds: that training and evaluation took; never compared.
    """

    example: str
    pair: str
    side: Side
    setting: str
    seed: int
    test_accuracy: float
    test_loss: float
    per_class: tuple[float, ...]
    predictions: NDArray[np.uint8]
    epoch_losses: tuple[float, ...]
    step1_distance: float
    seconds: float = 0.0

    @property
    def key(self) -> SummaryKey:
        """Side, setting and seed."""
        return SummaryKey(self.side, self.setting, self.seed)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for strict JSON; predictions are compressed text, what is no number None."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        packed = base64.b85encode(zlib.compress(self.predictions.tobytes(), 9)).decode()
        return fields | {
            "per_class": [_plain(v) for v in self.per_class],
            "epoch_losses": [_plain(v) for v in self.epoch_losses],
            "test_loss": _plain(self.test_loss),
            "step1_distance": _plain(self.step1_distance),
            "predictions": packed,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Summary:
        """Read what `to_dict` wrote.

        Raises:
            UsageError: a field is missing, unknown or damaged.
        """
        try:
            packed = zlib.decompress(base64.b85decode(fields["predictions"]))
            return cls(
                **dict(fields)
                | {
                    "per_class": tuple(map(_number, fields["per_class"])),
                    "epoch_losses": tuple(map(_number, fields["epoch_losses"])),
                    "test_loss": _number(fields["test_loss"]),
                    "step1_distance": _number(fields["step1_distance"]),
                    "predictions": np.frombuffer(packed, np.uint8),
                }
            )
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise UsageError(
                f"This is no summary of a training ({type(error).__name__}: {error}): expected the "
                "fields that Summary.to_dict writes. Train it again."
            ) from error

    def to_json(self) -> str:
        """One line of strict JSON."""
        return json.dumps(self.to_dict(), allow_nan=False)


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
