"""Recordings of both models → findings, by the measured-noise rule. One quantity at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from parity.checker.align.matches import value_name
from parity.checker.graph.arrangement import Arrangement
from parity.checker.graph.graph import STATISTICS
from parity.checker.graph.model_interface import Array
from parity.checker.graph.storage import kept
from parity.checker.judge.comparing import compare
from parity.checker.judge.masking import masked_below, unmasked
from parity.checker.result.check_result import ComparedQuantity, Stage
from parity.checker.transfer.comparison import ModelComparison, unique_mappings
from parity.checker.transfer.mapping import WeightMapping, is_transferred
from parity.comparator.key_arrays import KeyArrays
from parity.comparator.noise import NOISY, U32, Finding, judge_once
from parity.core import blockwise
from parity.core.sides import SIDES, Precision, Side

LEVEL = "check"
CEILING = 0.25
"""Of the scale: rounding that has grown as large as this is at its ceiling."""


@dataclass(frozen=True)
class RecordedRuns:
    """What both sides recorded in both precisions, and the inputs in each side's layout.

    Attributes:
        runs: side and precision (or ``nudged``) → what it recorded.
        left_inputs, right_inputs: the inputs.
        settled: findings on gradients that were computed in float32 alone, by the left's weight.
    """

    runs: Mapping[tuple[Side, str], Mapping[str, Array]]
    left_inputs: Sequence[Array]
    right_inputs: Sequence[Array]
    settled: Mapping[str, Finding] = field(default_factory=dict)

    @property
    def precisions(self) -> tuple[Precision, ...]:
        """Those that both sides have recorded."""
        every: tuple[Precision, ...] = ("float32", "float64")
        return tuple(p for p in every if ("torch", p) in self.runs)

    @property
    def plain(self) -> RecordedRuns:
        """Without the nudged runs: as if constants were exact."""
        return replace(self, runs={k: run for k, run in self.runs.items() if k[1] != "nudged"})

    @property
    def best(self) -> Precision:
        """The highest of them."""
        return self.precisions[-1]

    def key_arrays(self, left: str, right: str, move: Arrangement | None) -> KeyArrays:
        """One quantity of all four runs, the left's arranged as the right's."""

        def get(side: Side, precision: str, key: str) -> Array | None:
            run = self.runs.get((side, precision))
            array = None if run is None else run.get(key)
            if array is None or side == "keras" or move is None or array.shape != move.left:
                return array
            return move(array)

        a, b = SIDES
        return KeyArrays(
            get(a, "float32", left),
            get(a, "float64", left),
            get(b, "float32", right),
            get(b, "float64", right),
            get(a, "nudged", left),
            get(b, "nudged", right),
        )


@dataclass(frozen=True)
class CheckFindings:
    """Findings.

    Attributes:
        layers: left node id → finding of its value in evaluation mode.
        parts: everything else.
        training: left node id → finding of its value in training mode.
    """

    layers: Mapping[str, Finding]
    parts: tuple[ComparedQuantity, ...]
    training: Mapping[str, Finding] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """All that the models yield agrees: outputs and gradients; what lies between may be
        computed in other steps.

        A maximum and a ReLU may change places, a scale may go to the keys instead of the queries:
        layers differ then, and the models are one function.
        """
        return all(part.finding.agrees for part in self.parts)


def projections(
    comparison: ModelComparison, seed: int, drawn_for: Side = "torch"
) -> tuple[list[Array], list[Array]]:
    """Random numbers of each output's shape on both sides: the loss is outputs times these.

    Args:
        comparison: the two models.
        seed: of the numbers.
        drawn_for: the side in whose layout they are drawn; in the other's they are moved.
    """
    rng = np.random.default_rng([seed, 1])

    def drawn(shape: Sequence[int]) -> Array:
        return rng.standard_normal(shape).astype(np.float32).astype(np.float64)

    left, right = [], []
    for mine, theirs, move in comparison.outputs():
        if drawn_for == "torch":
            left.append(drawn(mine.shape))
            right.append(drawn(theirs.shape) if move is None else move(left[-1]))
        else:
            right.append(drawn(theirs.shape))
            left.append(drawn(mine.shape) if move is None else move.back(right[-1]))
    return left, right


def judge_evaluation(
    comparison: ModelComparison, recorded: RecordedRuns, before: Sequence[ComparedQuantity] = ()
) -> CheckFindings:
    """Compare a run in evaluation mode: every layer, outputs, loss, gradients.

    Args:
        comparison: the two models.
        recorded: the run.
        before: what was found without running anything.
    """
    layers = judge_layers(comparison, recorded, guarded=True)
    parts = [*before, *_constants(comparison), *_outputs(comparison, recorded, "outputs", True)]
    # Gradients of outputs that differ, differ: a hundred more findings that say nothing new.
    if all(p.finding.agrees for p in parts):
        parts += [*_loss(comparison, recorded), *gradients(comparison, recorded)]
    return CheckFindings(layers, tuple(parts))


def outputs_agree(
    comparison: ModelComparison, recorded: RecordedRuns, *, nearly: bool = False
) -> bool:
    """Whether the outputs of another draw of inputs agree; an overflow tells nothing.

    That draw is large on purpose, and an exponential of it may be infinite in a right port, too.
    With `nearly` it is enough that they do in float32.
    """
    outcome = [p.finding for p in _outputs(comparison, recorded, "outputs", True)]
    near = nearly and all(f.agrees or f.rounded for f in outcome)
    return near or all(f.agrees or f.status == "nonfinite" for f in outcome)


def judge_single(
    comparison: ModelComparison, recorded: RecordedRuns, batch: int
) -> list[ComparedQuantity]:
    """Outputs of a batch of one that differ, which those of a larger batch did not.

    A ``squeeze`` without an axis drops the batch, too. What was wrong before, or has no batch,
    tells nothing here.

    Args:
        comparison: the two models, with the larger batch.
        recorded: both on one sample.
        batch: of the comparison.
    """
    parts = []
    for i, (mine, theirs, move) in enumerate(comparison.outputs()):
        single = None if move is None else move.first_sample()
        if single is None or mine.shape[0] != batch or theirs.shape[0] != batch:
            continue
        arrays = recorded.key_arrays(f"outputs/{i}", f"outputs/{i}", single)
        if arrays.left32 is None or arrays.right32 is None:
            continue
        if single.right not in (arrays.left32.shape, arrays.right32.shape):
            continue
        name = "the output" if len(comparison.torch.outputs) == 1 else f"output {i}"
        finding = compare(Finding(name, LEVEL, "identical"), arrays, exact=comparison.exact)
        if not finding.agrees and finding.status != "nonfinite":
            names = (
                value_name(comparison.torch, mine.value),
                value_name(comparison.keras, theirs.value),
            )
            parts.append(ComparedQuantity("outputs", *names, finding))
    return parts


def judge_training(
    comparison: ModelComparison,
    findings: CheckFindings,
    recorded: RecordedRuns,
    *,
    before: Sequence[ComparedQuantity] = (),
    learnt: Callable[[], Sequence[ComparedQuantity]] | None = None,
    doubtful: Sequence[ComparedQuantity] = (),
) -> CheckFindings:
    """Compare a run in training mode: layers, running statistics, steps, outputs afterwards.

    Args:
        comparison: the two models.
        findings: what was found in evaluation mode.
        recorded: the run.
        before: what was found without running anything.
        learnt: judges the user's own loss and optimizer, where there is one.
        doubtful: what was found without running anything, and counts where numbers differ.
    """
    training = judge_layers(comparison, recorded, guarded=False)
    parts = [*findings.parts]
    forward = [
        *before,
        *_outputs(comparison, recorded, "training"),
        *_statistics(comparison, recorded),
    ]
    if not all(p.finding.agrees for p in forward):
        forward = [*doubtful, *forward]
    parts += forward
    own: Sequence[ComparedQuantity] = []
    if learnt is not None and all(p.finding.agrees for p in forward):
        own = learnt()
        parts += own
    if all(p.finding.agrees for p in (*forward, *own)):
        parts += _steps(comparison, recorded)
    return replace(findings, training=training, parts=tuple(parts))


def judge_layers(
    comparison: ModelComparison, recorded: RecordedRuns, *, guarded: bool
) -> dict[str, Finding]:
    """Every matched pair's value: left node id → finding.

    Guarded in evaluation mode, as outputs are: a layer that computes in bfloat16 on one side would
    widen its own noise until it agrees. Gradients are not: they jump in an honest model where
    rounding carries an activation across a kink.
    """
    blunt, halved = comparison.blunt(), comparison.halved()
    layers: dict[str, Finding] = {}
    for match in comparison.matches:
        if not match.left.values or not match.right.values:
            continue
        mine, theirs = match.left.values[0], match.right.values[0]
        move = comparison.axis_maps.values.get(mine.id)
        arrays = recorded.key_arrays(f"values/{mine.id}", f"values/{theirs.id}", move)
        base = Finding(match.left.name, LEVEL, "identical")
        arrays = unmasked(arrays, masked_below(comparison, match))
        exact = theirs.id not in blunt and match.right.id not in comparison.remade
        layers[match.left.id] = compare(
            base, arrays, guarded=guarded, exact=exact, unit=halved.get(theirs.id, U32)
        )
    return layers


def _outputs(
    comparison: ModelComparison, recorded: RecordedRuns, stage: Stage, guarded: bool = False
) -> list[ComparedQuantity]:
    held, prefix = comparison.held, "after" if stage == "evaluation" else "outputs"
    parts = []
    for i, (mine, theirs, move) in enumerate(comparison.outputs()):
        name = f"output {i}" if len(comparison.torch.outputs) > 1 else "the output"
        arrays = recorded.key_arrays(f"{prefix}/{i}", f"{prefix}/{i}", move)
        base = Finding(name, LEVEL, "identical")
        finding = compare(base, arrays, guarded=guarded, **held)
        names = value_name(comparison.torch, mine.value), value_name(comparison.keras, theirs.value)
        parts.append(ComparedQuantity(stage, *names, finding))
    return parts


def _constants(comparison: ModelComparison) -> list[ComparedQuantity]:
    """Numbers that belong to the models' code, and with kept weights all of them."""
    left, right = comparison.weights
    parts = []
    for one in unique_mappings(comparison.axis_maps.weight_mappings):
        if one.index is None or one.left.id not in left or one.right.id not in right:
            continue
        a = np.asarray(one.to_right(kept(left, one.left.id)))
        b = one.of_right(np.asarray(kept(right, one.right.id)))
        if a.shape != b.shape or blockwise.identical(a, b, equal_nan=False):
            continue
        a, b = (x.astype(np.float64) if x.dtype == np.float32 else x for x in (a, b))
        base = Finding(one.left.id, LEVEL, "identical")
        single = (a.astype(np.float32), b.astype(np.float32))
        # Weights are copied, not computed, but two files may hold them in other precisions; so
        # they are judged as numbers of float32, and not by float64's equation.
        if np.array_equal(*single):
            continue
        finding = judge_once(base, KeyArrays(single[0], a, single[1], b), exact=False)
        names = [p.id for p in (one.left, one.right)]
        if one.left.computed and one.right.computed:  # of a layer's own making, which has no name
            names = [f"{n.name}/{one.role}" for n in (one.pair.left, one.pair.right)]
        parts.append(ComparedQuantity("weights", names[0], names[1], finding))
    return [p for p in parts if not p.finding.agrees]


def _loss(comparison: ModelComparison, recorded: RecordedRuns) -> list[ComparedQuantity]:
    loss = recorded.key_arrays("loss", "loss", None)
    if not loss.four:
        return []  # without noise to measure it says no more than the outputs
    # The loss is a sum that cancels: what it may be off by goes by its terms, not by itself. Their
    # sum stands beside it as a second number, and sets the scale.
    terms = 0.0
    for i, projection in enumerate(projections(comparison, 0)[0]):
        output = recorded.runs["torch", "float64"].get(f"outputs/{i}")
        if output is not None and output.dtype.kind == "f":
            terms += float(np.sum(np.abs(output * projection)))
    arrays = (loss.left32, loss.left64, loss.right32, loss.right64)
    nudged = [a for a in (loss.left_nudged, loss.right_nudged) if a is not None]
    four = [np.array([float(np.asarray(a)), terms], np.asarray(a).dtype) for a in arrays]
    four += [np.array([float(np.asarray(a)), terms]) for a in nudged]
    finding = compare(Finding("the loss", LEVEL, "identical"), KeyArrays(*four), **comparison.held)
    return [ComparedQuantity("loss", "loss", "loss", finding)]


def gradients(comparison: ModelComparison, recorded: RecordedRuns) -> list[ComparedQuantity]:
    """Of the inputs and of every weight."""
    parts = []
    held = comparison.held
    for i, _ in enumerate(recorded.left_inputs):
        key = f"gradients/input:{i}"
        move = comparison.axis_maps.values.get(f"input:{i}")
        arrays = recorded.key_arrays(key, key, move)
        if arrays.left32 is None and arrays.right32 is None:
            continue
        finding = compare(Finding(f"the gradient of input {i}", LEVEL, "identical"), arrays, **held)
        parts.append(ComparedQuantity("gradients", f"input {i}", f"input {i}", finding))
    for one in unique_mappings(comparison.axis_maps.weight_mappings):
        parts += _gradient(one, recorded, held)
    return parts


def slope(one: WeightMapping) -> Finding:
    """What is to be found of a weight's gradient."""
    return Finding(f"the gradient of {one.left.id}", LEVEL, "identical")


def _gradient(
    one: WeightMapping, recorded: RecordedRuns, held: Mapping[str, Any]
) -> list[ComparedQuantity]:
    base = slope(one)
    # A frozen weight has no gradient to compare, and a right output: without this the port would
    # pass, and train another model (port `frozen` is the right one).
    if one.left.trainable != one.right.trainable and is_transferred(one):
        words = {True: "trainable", False: "frozen"}
        finding = replace(
            base,
            status="different",
            rule="frozen",
            left=words[one.left.trainable],
            right=words[one.right.trainable],
            distance64=float("nan"),
        )
        return [ComparedQuantity("gradients", one.left.id, one.right.id, finding)]
    if one.index is None or not (one.left.trainable and one.right.trainable):
        return []
    if one.left.computed or one.right.computed:
        return []  # of what a model computes no gradient is kept
    if one.left.id in recorded.settled:
        finding = recorded.settled[one.left.id]
        return [ComparedQuantity("gradients", one.left.id, one.right.id, finding)]
    arrays = weight_arrays(one, recorded, "gradients")
    if arrays.left32 is None and arrays.right32 is None:
        return []
    return [ComparedQuantity("gradients", one.left.id, one.right.id, compare(base, arrays, **held))]


def weight_arrays(one: WeightMapping, recorded: RecordedRuns, stage: str) -> KeyArrays:
    """What was recorded of a weight on both sides, in the right's arrangement."""

    def get(side: Side, precision: str) -> Array | None:
        name = one.left.id if side == "torch" else one.right.id
        run = recorded.runs.get((side, precision))
        array = None if run is None else run.get(f"{stage}/{name}")
        if array is None:
            return None
        return one.of_right(array) if side == "keras" else one.to_right(array)

    a, b = SIDES
    return KeyArrays(
        get(a, "float32"),
        get(a, "float64"),
        get(b, "float32"),
        get(b, "float64"),
        get(a, "nudged"),
        get(b, "nudged"),
    )


def _statistics(comparison: ModelComparison, recorded: RecordedRuns) -> list[ComparedQuantity]:
    parts = []
    for one in unique_mappings(comparison.axis_maps.weight_mappings):
        if not one.role.endswith(STATISTICS) or one.index is None:
            continue
        arrays = weight_arrays(one, recorded, "state")
        if arrays.left32 is None and arrays.right32 is None:
            continue
        base = Finding(f"{one.left.id} after one pass", LEVEL, "identical")
        parts.append(ComparedQuantity("state", one.left.id, one.right.id, compare(base, arrays)))
    return parts


def _steps(comparison: ModelComparison, recorded: RecordedRuns) -> list[ComparedQuantity]:
    """Losses and weights of a few steps, and the outputs in evaluation mode afterwards."""
    parts = []
    if comparison.remade:
        return []  # a weight that is made of others learns in other steps
    for one in unique_mappings(comparison.axis_maps.weight_mappings):
        if one.index is None or not is_transferred(one):
            continue
        arrays = weight_arrays(one, recorded, "steps")
        if arrays.left32 is None and arrays.right32 is None:
            continue
        base = Finding(f"{one.left.id} after the steps", LEVEL, "identical")
        parts.append(ComparedQuantity("steps", one.left.id, one.right.id, compare(base, arrays)))
    return _bounded([*parts, *_outputs(comparison, recorded, "evaluation")])


def _bounded(parts: list[ComparedQuantity]) -> list[ComparedQuantity]:
    """Undecided where float32's steps lead as far from float64's as they lead at all.

    Rounding has grown as large as the weights then and grows no further, so that it bounds nothing
    in float64 (case ``train_noise``: right, and up to 1,400 times beyond).
    """
    measured = [p.finding for p in parts if p.finding.noise and p.finding.scale]
    if not any((f.noise or 0.0) >= CEILING * (f.scale or 0.0) for f in measured):
        return parts
    return [
        replace(part, finding=replace(part.finding, status="undecided"))
        if part.finding.rounded and (part.finding.ratio or 0.0) <= NOISY**2
        else part
        for part in parts
    ]
