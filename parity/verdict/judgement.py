"""Findings → verdict: rungs, first divergence, horizon, accuracy, and their JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from parity.comparator.compare import Comparison, Question, compare
from parity.comparator.key_arrays import KeyArrays
from parity.comparator.noise import Finding
from parity.core import classification, recording_keys
from parity.diagnosis.array_hypotheses import Hypothesis, find_hypothesis, find_low_precision
from parity.diagnosis.causes import Cause, cause_json, plain
from parity.diagnosis.optimizer_step import OptimizerStep, recognise_step, step_causes
from parity.recording.recording_file import Runs
from parity.spec.cases import Case, Numbers
from parity.spec.example import ComparedPair, ExampleSpec, Training
from parity.spec.expected import as_numbers
from parity.spec.suite import Load
from parity.training import case_inputs
from parity.verdict import wording

Verdict = Literal["agree", "differ", "undecided"]
LevelStatus = Literal["identical", "rounding", "known", "different", "undecided"]
_GUILTY_SHOWN = 8


@dataclass(frozen=True)
class Level:
    """One rung of the ladder.

    Attributes:
        status: of the worst key.
        keys: how many were compared.
        worst_key, worst_ratio: the key nearest to its bound, or furthest beyond it.
    """

    status: LevelStatus
    keys: int
    worst_key: str = ""
    worst_ratio: float | None = None


@dataclass(frozen=True)
class PairVerdict:
    """The verdict on one pair of ways.

    Attributes:
        pair: which.
        left, right: names of the sides in words.
        verdict: what the recordings say.
        levels: rung → its state.
        first: the first divergence, or None.
        text: the first divergence in words, with its cause where one was proven.
        causes: what explains the first divergence, as data.
        others: guilty keys besides the first: independent faults.
        findings: all of them.
        horizon, last_step: see `parity.comparator.compare.Comparison`.
        precisions: which were compared.
        metrics: side → metric → value, of the float32 run, or of the one there is.
        agreement: precision → (equal predictions, all predictions).
    """

    pair: ComparedPair
    left: str
    right: str
    verdict: Verdict
    levels: Mapping[str, Level]
    first: Finding | None
    text: str
    others: tuple[str, ...]
    findings: tuple[Finding, ...]
    horizon: int | None
    last_step: int | None
    precisions: tuple[str, ...]
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    agreement: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    causes: tuple[Cause, ...] = ()

    @property
    def as_expected(self) -> bool:
        """A pair must agree; a contrast must differ, first where its spec says."""
        if not self.pair.differs_at:
            return self.verdict == "agree"
        return (
            self.verdict == "differ"
            and self.first is not None
            # What is missing, or beyond the horizon, was not shown to differ.
            and self.first.status not in ("missing", "extra", "undecided")
            and self.first.key.startswith(self.pair.differs_at)
        )


@dataclass(frozen=True)
class ExampleVerdict:
    """The verdict on an example: its headline is the first pair."""

    spec: ExampleSpec
    pairs: tuple[PairVerdict, ...]
    chosen: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def headline(self) -> PairVerdict:
        """The pair that the index shows."""
        return self.pairs[0]

    @property
    def verdict(self) -> Verdict:
        """Whether everything is as it should be; of pairs chosen by hand, what they say."""
        told = [p.verdict for p in self.pairs if self.chosen or not p.pair.differs_at]
        if "differ" in told or not (self.chosen or all(p.as_expected for p in self._contrasts)):
            return "differ"
        return "undecided" if "undecided" in told or not told else "agree"

    @property
    def _contrasts(self) -> list[PairVerdict]:
        return [p for p in self.pairs if p.pair.differs_at]


def question(spec: ExampleSpec, pair: ComparedPair, load: Load) -> Question:
    """What a pair of an example is asked; `load` reads real data where a case takes some."""
    expected = {
        f"values/{case.name}/{name}": value
        for case in spec.cases
        for name, value in expected_of(case, load).items()
    }
    training = asked_of(spec, pair)
    required = tuple(
        k
        for k in required_keys(spec, load, pair)
        if recording_keys.parse_key(k).level in pair.levels
    )
    frozen = tuple(p.name for p in training.parameters if p.frozen) if training else ()
    layers = training.layers if training else ()
    return Question(
        pair.levels,
        required,
        spec.known,
        expected,
        spec.nonfinite,
        layers,
        frozen,
        pair.identical,
    )


def asked_of(spec: ExampleSpec, pair: ComparedPair) -> Training | None:
    """The training that a pair is about; of recordings made elsewhere, the example's own."""
    training = spec.training
    if training is None:
        return None
    return next((training.of(way) for way in training.ways if way.id == pair.left), training)


def expected_of(case: Case, load: Load) -> dict[str, Numbers]:
    """What both sides must give: the numbers stated, and those of the NumPy reference."""
    if case.reference is None:
        return dict(case.expected)
    computed = case.reference(**case_inputs.real(case, load), **case_inputs.stated(case))
    facts = (bool, int, str)
    stated = {n: v if isinstance(v, facts) else as_numbers(v) for n, v in computed.items()}
    return stated | case.expected


def required_keys(
    spec: ExampleSpec, load: Load, pair: ComparedPair | None = None
) -> tuple[str, ...]:
    """Keys without which a recording for this pair, or else for the headline, says nothing."""
    values = (
        *(f"values/{case.name}/{name}" for case in spec.cases for name in expected_of(case, load)),
        *(k.key for k in spec.known),
    )
    training = asked_of(spec, pair or spec.pairs[0])
    if training is None:
        return values
    parameters = [p.name for p in training.parameters]
    trainable = [p.name for p in training.parameters if p.trainable]
    return (
        *values,
        "inputs/images",
        "inputs/labels",
        *(f"inputs/masks/{mask.name}" for mask in training.masks),
        "inputs/batches",
        *(("inputs/validation",) if training.validation else ()),
        *(f"weights/initial/{p}" for p in parameters),
        *(f"activations/step0/{layer}" for layer in training.layers),
        "predictions/initial",
        "metrics/initial_loss",
        "loss/step0",
        *(f"gradients/step0/{p}" for p in trainable),
        *(f"weights/step1/{p}" for p in parameters),
        "loss/curve",
        *(f"weights/final/{p}" for p in parameters),
        "predictions/test",
        "metrics/test_loss",
        "metrics/test_accuracy",
        *(("metrics/watched_loss", "metrics/watched_accuracy") if training.watched else ()),
        *(("metrics/stopped_epoch", "metrics/best_epoch") if training.stops else ()),
        *(
            ("metrics/validation_loss", "metrics/validation_accuracy")
            if training.validation
            else ()
        ),
    )


def judge_pair(pair: ComparedPair, left: Runs, right: Runs, asked: Question) -> PairVerdict:
    """Compare two sides and say what follows."""
    comparison = compare(left, right, asked)
    findings = comparison.findings
    levels = _levels(findings, asked.levels)
    failing = [f for f in findings if f.guilty]
    first = failing[0] if failing else None
    diagnosis = _diagnosed(first, left, right) if first else None
    return PairVerdict(
        pair=pair,
        left=left.title,
        right=right.title,
        verdict=_verdict(levels),
        levels=levels,
        first=first,
        text=_text(first, diagnosis, left, right) if first and diagnosis else "",
        others=tuple(f.key for f in failing[1:_GUILTY_SHOWN]),
        findings=findings,
        horizon=comparison.horizon,
        last_step=comparison.last_step,
        precisions=comparison.precisions,
        metrics={runs.title: _metrics(runs) for runs in (left, right)},
        agreement=_agreement(left, right, comparison),
        causes=diagnosis.causes if diagnosis else (),
    )


def _levels(findings: Sequence[Finding], asked: Sequence[str]) -> dict[str, Level]:
    present = {f.level for f in findings}
    wanted = asked or [
        lv for lv in (recording_keys.VALUES, *recording_keys.LADDER) if lv in present
    ]
    return {level: _level([f for f in findings if f.level == level]) for level in wanted}


def _level(findings: Sequence[Finding]) -> Level:
    if not findings:
        return Level("undecided", 0)
    statuses = {f.status for f in findings}
    status: LevelStatus
    if any(not f.agrees and f.status != "undecided" for f in findings):
        status = "different"
    elif "undecided" in statuses:
        status = "undecided"
    else:
        status = next(s for s in ("known", "rounding", "identical") if s in statuses)
    # A failing key without a ratio (a missing one, say) is worse than any number.
    worst = max(
        findings, key=lambda f: (not f.agrees, f.ratio is None and not f.agrees, f.ratio or 0.0)
    )
    return Level(status, len(findings), worst.key, worst.ratio)


def _verdict(levels: Mapping[str, Level]) -> Verdict:
    statuses = {level.status for level in levels.values()}
    if "different" in statuses:
        return "differ"
    return "undecided" if "undecided" in statuses or not statuses else "agree"


@dataclass(frozen=True)
class _Diagnosis:
    """What was found out about the first divergence.

    Attributes:
        key: the recorded key.
        hypothesis: a repair that makes it vanish, or None.
        steps: each side's first optimizer step, recognised or not; None where it is not about one.
    """

    key: str
    hypothesis: Hypothesis | None = None
    steps: tuple[OptimizerStep | None, OptimizerStep | None] | None = None

    @property
    def causes(self) -> tuple[Cause, ...]:
        """As data, in the words of `parity check`."""
        place = recording_keys.parse_key(self.key).rest or self.key
        found = self.hypothesis
        causes = []
        if found is not None:
            left, right = (place, plain(found.left)), (place, plain(found.right))
            causes.append(
                Cause(found.kind, left, right, "confirmed", found.ratio, 1.0, proof="values")
            )
        return (*causes, *(step_causes(place, *self.steps) if self.steps else ()))


def _diagnosed(first: Finding, left: Runs, right: Runs) -> _Diagnosis:
    """Try what may explain the first divergence."""
    hypothesis, arrays = None, KeyArrays.read(first.key, left, right).elements
    proven = first.status in ("different", "shape", "noisy") and first.rule not in (
        "restless",
        "sudden",
        "bits",
    )
    if proven and arrays.pairs:  # a fact has no arrays
        hypothesis = (
            find_low_precision(arrays)
            if first.status == "noisy"
            else find_hypothesis(*arrays.best, copied=first.level == "L0")
        )
    parsed = recording_keys.parse_key(first.key)
    steps = None
    if parsed.stage == "weights" and parsed.when == "step1" and first.status == "different":
        steps = _recognised(parsed.rest, left, right)
    return _Diagnosis(first.key, hypothesis, steps)


def _recognised(
    parameter: str, left: Runs, right: Runs
) -> tuple[OptimizerStep | None, OptimizerStep | None] | None:
    """Both sides' first step; None where a recording does not have what it takes to tell."""
    keys = [f"{key}/{parameter}" for key in ("weights/initial", "weights/step1", "gradients/step0")]
    runs = [side.float64 or side.float32 for side in (left, right)]
    mine, theirs = (
        [run.elements(key) for key in keys]
        if run is not None and all(key in run for key in keys)
        else None
        for run in runs
    )
    if mine is None or theirs is None:
        return None
    return recognise_step(*mine), recognise_step(*theirs)


def _text(first: Finding, found: _Diagnosis, one: Runs, other: Runs) -> str:
    left, right = one.title, other.title
    words = [wording.sentence(first, left, right)]
    if found.hypothesis is not None:
        words.append(wording.hypothesis_words(found.hypothesis, left, right))
    if found.steps is not None:
        words.append(wording.step_words(tuple(zip((left, right), found.steps, strict=True))))
    thinned = one.present[-1].header.thinned.get(first.key)
    if thinned is not None and not found.causes:
        words.append(wording.thinned_words(thinned, one.present[-1].header.example))
    return " ".join(words)


def _metrics(runs: Runs) -> dict[str, float]:
    recording = runs.float32 or runs.float64
    assert recording is not None
    keys = [k for k in recording.keys() if k.startswith("metrics/")]  # noqa: SIM118
    found = {recording_keys.parse_key(k).rest: recording[k] for k in keys}
    return {name: float(array.item()) for name, array in found.items() if array.size == 1}


def _agreement(left: Runs, right: Runs, comparison: Comparison) -> dict[str, tuple[int, int]]:
    """How many predictions of the test set are the same class, in each precision."""
    key = "predictions/test"
    result = {}
    for precision in comparison.precisions:
        runs = getattr(left, precision), getattr(right, precision)
        if all(key in run for run in runs):
            a, b = (run[key] for run in runs)
            if a.shape == b.shape and a.ndim in (1, 2):
                result[precision] = classification.agreement(a, b)
    return result


def _number(value: float | None) -> float | None:
    """JSON has no NaN and no infinity."""
    return value if value is not None and np.isfinite(value) else None


def pair_json(result: PairVerdict) -> dict[str, Any]:
    """The document of one pair."""
    first = result.first
    causes = [cause_json(cause, (result.left, result.right)) for cause in result.causes]
    return {
        "pair": result.pair.name,
        "title": result.pair.title,
        "verdict": result.verdict,
        "expected": "differ" if result.pair.differs_at else "agree",
        "as_expected": result.as_expected,
        "levels": {
            name: {
                "status": level.status,
                "keys": level.keys,
                "worst": {"key": level.worst_key, "ratio": _number(level.worst_ratio)},
            }
            for name, level in result.levels.items()
        },
        "first_divergence": first
        and {
            "key": first.key,
            "status": first.status,
            "ratio": _number(first.ratio),
            "step": first.step,
            "text": result.text,
            "causes": causes,
        },
        "other_divergences": list(result.others),
        "causes": causes,
        "horizon": result.horizon,
        "last_step": result.last_step,
        "precisions": list(result.precisions),
        "metrics": metrics_json(result),
    }


def metrics_json(result: PairVerdict) -> dict[str, Any]:
    """Metrics of both sides and their agreement; float64 stands for the equation."""
    document: dict[str, Any] = {
        side: {name: _number(value) for name, value in values.items()}
        for side, values in result.metrics.items()
    }
    counts = {p: {"same": same, "of": of} for p, (same, of) in result.agreement.items()}
    if counts:
        best = "float64" if "float64" in counts else "float32"
        document["agreement"] = {**counts[best], **counts}
    return document


def example_json(result: ExampleVerdict) -> dict[str, Any]:
    """The document of one example: the headline pair's fields, then all pairs."""
    headline = pair_json(result.headline)
    return {
        "example": result.spec.name,
        "verdict": result.verdict,
        **{k: headline[k] for k in ("levels", "first_divergence", "causes", "horizon", "metrics")},
        "seconds": dict(result.seconds),
        "pairs": [pair_json(pair) for pair in result.pairs],
    }
