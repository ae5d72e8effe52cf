"""What a side is asked for: one recording."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from parity.core.sides import Precision
from parity.spec.example import Size


@dataclass(frozen=True)
class RecordingJob:
    """One recording to make.

    Attributes:
        id: unique in its run.
        example: name of the example.
        way: name of the way, without its side.
        precision: of every floating tensor.
        nudged: move the initial weights by one ulp first.
        seed: of weights, batches and masks.
        size: how much to train; None for values.
        out: path of the recording to write.
        whole: keep every element of large weights, gradients and states.
    """

    id: str
    example: str
    way: str
    precision: Precision
    nudged: bool
    seed: int
    size: Size | None
    out: str
    whole: bool = False

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RecordingJob:
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        size = fields.pop("size")
        return cls(**fields, size=Size(**size) if size else None)
