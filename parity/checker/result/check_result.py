"""What a check found, and its JSON. Data only; `wording` has the sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from parity.comparator.noise import Finding
from parity.core.sides import SIDES, Side
from parity.core.sites import Sites
from parity.diagnosis.causes import Cause, cause_json
from parity.verdict.judgement import Verdict

Stage = Literal[
    "structure",
    "weights",
    "activations",
    "outputs",
    "loss",
    "gradients",
    "training",
    "state",
    "optimizer",
    "steps",
    "evaluation",
]
"""Where in a check something stands, in causal order.

``training`` are activations in training mode, ``state`` running statistics after one pass,
``optimizer`` weights after the first step of the user's own optimizer, ``steps`` after a few steps
(of gradient descent, or of that optimizer), ``evaluation`` the outputs after them.
"""

LayerStatus = Literal[
    "agrees", "diverges", "downstream", "other_steps", "unmatched", "inconclusive"
]
"""Of a layer: it agrees; it diverges though its inputs agree, or when judged alone; its inputs
differ already and alone it agrees; it is one of several steps that are others on the other side,
and agree where they end; it has no partner; it could not be judged."""


@dataclass(frozen=True)
class Operation:
    """One side of a layer, as it was run.

    Attributes:
        code: as one would write it.
        settings: see `parity.checker.graph.graph`.
        shapes: of what it yields, in this side's layout.
        takes: names of what it takes, in order.
    """

    code: str
    settings: Mapping[str, Any]
    shapes: tuple[tuple[int, ...], ...]
    takes: tuple[str, ...]


@dataclass(frozen=True)
class Layer:
    """One matched pair of operations, or one that has no partner.

    Attributes:
        torch, keras: names; None where there is no partner.
        kind: what it is; both kinds where they are not the same.
        status: what was found.
        ratio: distance over its bound in the run; None where it could not be compared.
        alone: the same, computed on the partner's input.
        order: place in the order of execution.
        finding, finding_alone: the numbers behind `ratio` and `alone`.
        operations: what each side has there.
        differing: settings of the two that differ, their axes brought to one layout.
    """

    torch: str | None
    keras: str | None
    kind: str
    status: LayerStatus
    ratio: float | None = None
    alone: float | None = None
    order: int = 0
    finding: Finding | None = None
    finding_alone: Finding | None = None
    operations: Mapping[Side, Operation] = field(default_factory=dict)
    differing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Divergence:
    """Where the two diverge though all that went before agrees.

    Attributes:
        torch, keras: names of the layer, or of a parameter's layer.
        stage: see `Stage`.
        finding: the numbers.
        text: in a sentence or two.
        alone: found by judging the layer alone, behind another divergence.
    """

    torch: str | None
    keras: str | None
    stage: Stage
    finding: Finding | None
    text: str
    alone: bool = False


@dataclass(frozen=True)
class ComparedQuantity:
    """A quantity besides the layers: an output, the loss, a gradient, a running statistic."""

    stage: Stage
    torch: str
    keras: str
    finding: Finding


@dataclass(frozen=True)
class LayerEdge:
    """From one of `CheckResult.layers`, or of its `inputs`, to a layer that takes its value.

    Attributes:
        source, target: places there.
        sides: on which it is so.
    """

    source: int
    target: int
    sides: tuple[Side, ...] = SIDES


@dataclass(frozen=True)
class CheckResult:
    """A whole check.

    Attributes:
        verdict: agree, differ, or undecided.
        titles: side → how the model is called.
        inputs: each in words, with both layouts.
        layers: all of them, in the order of execution.
        edges: which of them takes what another yields.
        feeds: which of them takes which of `inputs`.
        torch_only, keras_only: names of operations without a partner.
        divergences: the first one first; then independent ones.
        causes: what explains them.
        latent: differences of settings that have no effect on what was run.
        parts: outputs, loss, gradients and so on.
        notes: what the reader must know, in full sentences.
        train: whether training was checked.
        seconds: stage → wall time.
        places: side → name of an operation → file and line that makes it, where they are known.
        made, called: side → name of a layer or operation → the expressions that it comes from.
    """

    verdict: Verdict
    titles: Mapping[str, str]
    inputs: tuple[str, ...]
    layers: tuple[Layer, ...]
    torch_only: tuple[str, ...]
    keras_only: tuple[str, ...]
    divergences: tuple[Divergence, ...]
    causes: tuple[Cause, ...]
    latent: tuple[Cause, ...]
    parts: tuple[ComparedQuantity, ...]
    notes: tuple[str, ...]
    edges: tuple[LayerEdge, ...] = ()
    feeds: tuple[LayerEdge, ...] = ()
    train: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)
    places: Mapping[str, Mapping[str, tuple[str, int]]] = field(default_factory=dict)
    made: Mapping[str, Sites] = field(default_factory=dict)
    called: Mapping[str, Sites] = field(default_factory=dict)

    @property
    def matched(self) -> int:
        """Pairs of operations."""
        return sum(layer.torch is not None and layer.keras is not None for layer in self.layers)

    @property
    def first(self) -> Divergence | None:
        """The first divergence."""
        return self.divergences[0] if self.divergences else None

    def worst(self, stage: Stage) -> float | None:
        """The largest ratio of a stage; None where nothing of it was compared."""
        if stage == "activations":
            ratios = [layer.ratio for layer in self.layers if layer.ratio is not None]
        else:
            ratios = [
                p.finding.ratio
                for p in self.parts
                if p.stage == stage and p.finding.ratio is not None
            ]
        return max(ratios, default=None)


def to_json(result: CheckResult) -> dict[str, Any]:
    """The document of ``parity check --json``."""
    return {
        "verdict": result.verdict,
        "torch": result.titles["torch"],
        "keras": result.titles["keras"],
        "inputs": list(result.inputs),
        "train": result.train,
        "aligned": {
            "matched": result.matched,
            "torch_only": list(result.torch_only),
            "keras_only": list(result.keras_only),
        },
        "first_divergence": _divergence(result.first),
        "other_divergences": [_divergence(d) for d in result.divergences[1:]],
        "causes": [cause_json(cause, SIDES) for cause in result.causes],
        "latent": [cause_json(cause, SIDES) for cause in result.latent],
        "layers": [_layer(layer) for layer in result.layers],
        "parts": [
            {
                "stage": p.stage,
                "torch": p.torch,
                "keras": p.keras,
                "status": p.finding.status,
                "ratio": _number(p.finding.ratio),
            }
            for p in result.parts
        ],
        "notes": list(result.notes),
        "seconds": {name: round(value, 2) for name, value in result.seconds.items()},
    }


def _number(value: float | None) -> float | None:
    """JSON has no NaN and no infinity."""
    return value if value is not None and math.isfinite(value) else None


def _divergence(divergence: Divergence | None) -> dict[str, Any] | None:
    if divergence is None:
        return None
    finding = divergence.finding
    return {
        "torch": divergence.torch,
        "keras": divergence.keras,
        "stage": divergence.stage,
        "status": finding.status if finding else None,
        "ratio": _number(finding.ratio) if finding else None,
        "alone": divergence.alone,
        "text": divergence.text,
    }


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "torch": layer.torch,
        "keras": layer.keras,
        "kind": layer.kind,
        "status": layer.status,
        "ratio": _number(layer.ratio),
        "alone": _number(layer.alone),
    }
