"""Training with the user's own loss and optimizer: targets, findings, and why two differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.checker.canonical.canonical_graph import CanonicalGraph
from parity.checker.graph import model_inputs as feeding
from parity.checker.graph.model_interface import Array
from parity.checker.judge.comparing import compare
from parity.checker.judge.judging import LEVEL, RecordedRuns, gradients, weight_arrays
from parity.checker.result.check_result import ComparedQuantity
from parity.checker.training import losses, optimizers
from parity.checker.transfer.comparison import ModelComparison, unique_mappings
from parity.checker.transfer.mapping import WeightMapping, is_transferred
from parity.comparator.noise import Finding
from parity.core.errors import UsageError
from parity.core.sides import SIDES, Side
from parity.diagnosis.causes import Cause

_IGNORED = 4
"""Every so many targets is a class that both losses ignore."""


@dataclass(frozen=True)
class UserTraining:
    """How the two are trained.

    Attributes:
        settings: what each side's `Model.learn` told.
        targets: of each side, in its layout.
        steps: of the optimizer.
        has_loss, has_optimizer: whether the user gave one.
    """

    settings: tuple[Mapping[str, Any], Mapping[str, Any]]
    targets: tuple[Sequence[Array], Sequence[Array]]
    steps: int
    has_loss: bool
    has_optimizer: bool

    @property
    def titles(self) -> tuple[str, str]:
        """What people call the losses."""
        left, right = (str(s["loss"].get("title", "loss")) for s in self.settings)
        return left, right


def targets(
    wanted: Sequence[feeding.Input],
    comparison: ModelComparison,
    settings: Sequence[Mapping[str, Any]],
    seed: int,
) -> tuple[list[Array], list[Array]]:
    """Random targets in each side's layout: those of an output's shape go across as it does."""
    outputs = list(comparison.outputs())
    left: list[Array] = []
    right: list[Array] = []
    for i, one in enumerate(wanted):
        mine = outputs[min(i, len(outputs) - 1)][0].shape
        if one.shape[:1] != mine[:1]:
            raise UsageError(
                f"--target has a batch of {one.shape[0]}, the model's output one of {mine[:1]}. "
                "Expected as many targets as samples."
            )
        classes = one.high or _classes(one.shape, mine)
        (drawn,) = feeding.draw([one], seed + 7919 * (i + 1), classes)
        if one.kind == "int" and classes <= drawn.size:  # one that is not drawn hides its weight
            order = np.random.default_rng(seed + i).permutation(drawn.size)
            drawn.reshape(-1)[order[:classes]] = np.arange(classes)
        ignored = [s["loss"].get("ignore") for s in settings]
        if one.kind == "int" and ignored[0] is not None and ignored[0] == ignored[1]:
            drawn.reshape(-1)[1::_IGNORED] = ignored[0]
        left.append(drawn)
        fitting = [
            move
            for source, _, move in (outputs[i:] + outputs)
            if source.shape == one.shape and move is not None
        ]
        right.append(fitting[0](drawn) if fitting else drawn)
    return left, right


def _classes(shape: Sequence[int], output: Sequence[int]) -> int:
    if tuple(shape) == (*output[:1], *output[2:]) and len(output) > 1:
        return output[1]
    if tuple(shape) == tuple(output[:-1]):
        return output[-1]
    return 2


def judge_user_training(
    comparison: ModelComparison, trained: RecordedRuns, training: UserTraining
) -> list[ComparedQuantity]:
    """The loss, its gradients, and the optimizer's first step; what follows a difference is not."""
    parts: list[ComparedQuantity] = []
    if training.has_loss:
        parts.append(_loss(comparison, trained, training))
        if parts[0].finding.agrees:
            # By the outputs it may differ in a right port: what a log_softmax yields is shifted
            # by another one without effect. It tells where, if weights or inputs feel it.
            felt = gradients(comparison, trained)
            agree = all(p.finding.agrees for p in felt)
            parts += [*(() if agree else _by_outputs(comparison, trained, training)), *felt]
    if training.has_optimizer and all(p.finding.agrees for p in parts):
        parts += _first_step(comparison, trained)
    return parts


def _loss(
    comparison: ModelComparison, trained: RecordedRuns, training: UserTraining
) -> ComparedQuantity:
    base = Finding("the loss", LEVEL, "identical")
    arrays = trained.key_arrays("loss", "loss", None)
    finding = compare(base, arrays, exact=not comparison.blunt())
    return ComparedQuantity("loss", *training.titles, finding)


def _by_outputs(
    comparison: ModelComparison, trained: RecordedRuns, training: UserTraining
) -> Iterator[ComparedQuantity]:
    for i, (_, _, move) in enumerate(comparison.outputs()):
        key = f"gradients/output:{i}"
        arrays = trained.key_arrays(key, key, move)
        if arrays.left32 is None and arrays.right32 is None:
            continue
        base = Finding("the gradient of the loss by the output", LEVEL, "identical")
        finding = compare(base, arrays, exact=not comparison.blunt())
        yield ComparedQuantity("loss", *training.titles, finding)


def _moved(comparison: ModelComparison) -> list[WeightMapping]:
    return [
        one
        for one in unique_mappings(comparison.axis_maps.weight_mappings)
        if one.index is not None
        and is_transferred(one)
        and one.left.trainable
        and one.right.trainable
    ]


def _first_step(comparison: ModelComparison, trained: RecordedRuns) -> Iterator[ComparedQuantity]:
    for one in _moved(comparison):
        arrays = weight_arrays(one, trained, "weights-1")
        if arrays.left32 is None and arrays.right32 is None:
            continue
        base = Finding(f"{one.left.id} after the optimizer's first step", LEVEL, "identical")
        yield ComparedQuantity("optimizer", one.left.id, one.right.id, compare(base, arrays))


def training_causes(
    comparison: ModelComparison,
    parts: Sequence[ComparedQuantity],
    trained: RecordedRuns,
    training: UserTraining,
) -> list[Cause]:
    """Why losses or optimizers diverge; an optimizer also behind a loss that does."""
    failing = {p.stage for p in parts if not p.finding.agrees}
    found: list[Cause] = []
    if training.has_loss and "loss" in failing:
        found += _of_losses(comparison, trained, training)
    if training.has_optimizer and failing & {"loss", "optimizer", "steps", "evaluation"}:
        walks = list(_walks(comparison, trained, training))
        direct = bool(failing & {"optimizer", "steps"})
        told = optimizers.optimizer_causes(walks) if walks else []
        found += told if direct else [c for c in told if c.confirmed]
    return found


def _of_losses(
    comparison: ModelComparison, trained: RecordedRuns, training: UserTraining
) -> list[Cause]:
    cases = []
    for side, told, given in zip(SIDES, training.settings, training.targets, strict=True):
        run = trained.runs[side, trained.best]
        if "outputs/0" not in run or "loss" not in run:
            return []
        several = "outputs/1" in run
        settings = (
            {"name": "custom", "title": told["loss"].get("title")} if several else told["loss"]
        )
        target = given[0] if given and not several else None
        value, slope = float(np.asarray(run["loss"])), run.get("gradients/output:0")
        slope = None if several else slope
        cases.append(losses.LossCase(settings, run["outputs/0"], target, value, slope))
    slopes = _slopes(comparison, trained)
    return losses.loss_causes(cases[0], cases[1], training.titles, slopes)


def _slopes(comparison: ModelComparison, trained: RecordedRuns) -> tuple[Array, Array] | None:
    """Gradients of both losses by all outputs, the left's arranged as the right's, as one array."""
    parts: tuple[list[Array], list[Array]] = ([], [])
    for i, (_, _, move) in enumerate(comparison.outputs()):
        key = f"gradients/output:{i}"
        arrays = trained.key_arrays(key, key, move).pairs
        if arrays and arrays[-1][0].shape == arrays[-1][1].shape:
            for side, array in zip(parts, arrays[-1], strict=True):
                side.append(array.reshape(-1))
    return (np.concatenate(parts[0]), np.concatenate(parts[1])) if parts[0] else None


def _walks(
    comparison: ModelComparison, trained: RecordedRuns, training: UserTraining
) -> Iterator[optimizers.Walk]:
    runs = trained.runs["torch", trained.best], trained.runs["keras", trained.best]
    norms = (_norms(runs[0], training.steps), _norms(runs[1], training.steps))
    for one in _moved(comparison):
        mine, theirs = (
            _settings(graph, told["optimizer"], name)
            for graph, told, name in zip(
                (comparison.torch, comparison.keras),
                training.settings,
                (one.left.id, one.right.id),
                strict=True,
            )
        )
        left, right = (
            _way(one, side, run, comparison, training.steps)
            for side, run in zip(SIDES, runs, strict=True)
        )
        if mine is None or theirs is None or left is None or right is None:
            continue
        if "rates" in runs[1]:
            rates = [float(r) for r in np.asarray(runs[1]["rates"])]
            same = len(set(rates)) == 1
            theirs = {**theirs, "rate": rates[0] if same else rates}
        yield optimizers.Walk(
            (one.left.id, one.right.id),
            (mine, theirs),
            (left[0], right[0]),
            (left[1], right[1]),
            norms,
        )


def _settings(
    graph: CanonicalGraph, told: Mapping[str, Any], name: str
) -> Mapping[str, Any] | None:
    source = graph.pieces.get(f"parameter:{name}")
    whole = source.value.removeprefix("parameter:") if source is not None else name
    found: Mapping[str, Any] | None = told.get(name, told.get(whole))
    return found


def _way(
    one: WeightMapping,
    side: Side,
    run: Mapping[str, Array],
    comparison: ModelComparison,
    steps: int,
) -> tuple[list[Array], list[Array]] | None:
    """Weights before and after each step, and the gradient before each, as the right has them."""
    at = SIDES.index(side)
    name = one.left.id if at == 0 else one.right.id
    keys = [f"weights-{t}/{name}" for t in range(1, steps + 1)]
    slopes = [f"slopes-{t}/{name}" for t in range(1, steps + 1)]
    if any(key not in run for key in (*keys, *slopes)) or name not in comparison.weights[at]:
        return None

    def arranged(array: Array) -> Array:
        whole = np.asarray(array, np.float64)
        return one.to_right(whole) if at == 0 else one.of_right(whole)

    weights = [arranged(comparison.weights[at][name]), *(arranged(run[key]) for key in keys)]
    return weights, [arranged(run[key]) for key in slopes]


def _norms(run: Mapping[str, Array], steps: int) -> list[float]:
    found = []
    for t in range(1, steps + 1):
        squares = [
            float(np.sum(np.asarray(run[key], np.float64) ** 2))
            for key in run
            if key.startswith(f"slopes-{t}/")
        ]
        found.append(float(np.sqrt(sum(squares))))
    return found
