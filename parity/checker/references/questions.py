"""What a model was asked, as JSON in which arrays are digests; two that are equal have one answer.

An answer depends on what was set in the model before: which input is which, which layers are traced
step by step, the weights. `AskedState` keeps that, and puts it into every question.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.checker.graph.input_names import Signature
from parity.checker.graph.model_interface import Array, RecordRequest
from parity.checker.graph.storage import CompactArrays, compact

Question = Mapping[str, Any]
"""``do``: a method of `Model`; the rest: what its answer depends on."""


def digest(arrays: Iterable[Array]) -> str:
    """Of numbers, shapes and types; the same for numbers of float32 in either precision."""
    total = hashlib.blake2b(digest_size=16)
    for array in map(compact, arrays):
        total.update(f"{array.dtype.str} {array.shape} ".encode())
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()


def key(question: Question) -> str:
    """As text, to be looked up by."""
    return json.dumps(question, sort_keys=True)


@dataclass
class AskedState:
    """What was set in a model since it was loaded.

    Attributes:
        names: of its inputs, in order; None: by position.
        apart: cells whose layers were traced step by step.
        weights: those that were set: id → digest.
    """

    names: tuple[str, ...] | None = None
    apart: tuple[str, ...] = ()
    weights: dict[str, str] = field(default_factory=dict)

    def set_names(self, names: Sequence[str] | None, takes: Signature | None) -> None:
        """See `Model.name_inputs`; by name in the model's own order is by position."""
        first = takes.arguments[: len(names)] if takes and names else ()
        own = not names or list(names) == [one.name for one in first]
        self.names = None if own else tuple(names or ())

    def set_weights(self, weights: Mapping[str, Array]) -> None:
        """See `Model.set_weights`."""
        own = weights if isinstance(weights, CompactArrays) else CompactArrays(weights)
        self.weights |= {name: digest([own.kept(name)]) for name in own}

    def tracing(self, inputs: Sequence[Array], apart: Sequence[str]) -> Question:
        """The question of `Model.trace`."""
        return {
            "do": "trace",
            "names": self._names,
            "inputs": digest(inputs),
            "apart": sorted(apart),
        }

    def own_weights(self) -> Question:
        """The question of `Model.weights`."""
        return {"do": "weights", "apart": sorted(self.apart), "weights": self._weights}

    def recording(self, request: RecordRequest) -> Question:
        """The question of `Model.record`, but for how much of the answer is wanted."""
        nudged = request.nudged
        return {
            "do": "record",
            "names": self._names,
            "apart": sorted(self.apart),
            "weights": self._weights,
            "precision": request.precision,
            "mode": request.mode,
            "inputs": digest(request.inputs),
            "steps": request.steps,
            "rate": request.rate if request.steps else 0.0,
            "learn": request.learn,
            "targets": digest(request.targets),
            "nudged": None if nudged is None else sorted(nudged),
        }

    @property
    def _names(self) -> list[str] | None:
        return None if self.names is None else list(self.names)

    @property
    def _weights(self) -> str:
        """One digest of all that were set; empty where the model has its own."""
        if not self.weights:
            return ""
        return hashlib.blake2b(key(self.weights).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Extent:
    """How much of a run was asked for.

    Attributes:
        projections: digest; empty: no gradients.
        values: of every node, not the outputs alone.
        whole_only: of the values only whole numbers and masks.
    """

    projections: str
    values: bool
    whole_only: bool

    @classmethod
    def of(cls, request: RecordRequest) -> Extent:
        """What a request asks for."""
        projections = digest(request.projections) if request.projections else ""
        return cls(projections, request.keep_values, request.whole_only)

    def covers(self, other: Extent) -> bool:
        """Whether an answer of this extent holds all that the other asks for."""
        return (
            (not other.projections or self.projections == other.projections)
            and (self.values or not other.values)
            and (not self.whole_only or other.whole_only or not other.values)
        )
