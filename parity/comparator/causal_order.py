"""Cause and effect between a recording's keys: what is computed from what.

A quantity is *guilty* when it differs although everything it was computed from agrees. With that,
one run names several independent faults, and never blames an effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parity.core import recording_keys
from parity.core.recording_keys import RecordingKey

_STAGES = {
    ("inputs", ""): 0,
    ("weights", "initial"): 1,
    ("activations", "step0"): 2,
    ("loss", "step0"): 3,
    ("gradients", "step0"): 4,
    ("state", "step1"): 5,
    ("weights", "step1"): 6,
}
_TRAINING, _FINAL, _PREDICTIONS, _METRICS = 7, 8, 9, 10
_WITHIN_STEP = {"activations": 0, "loss": 0, "gradients": 1, "state": 2, "weights": 3}


def order(key: RecordingKey, step: int | None) -> tuple[int, int, int]:
    """Sort key: causes first. `step` is the training step that a finding is about."""
    if (rank := _STAGES.get((key.stage, key.when))) is not None:
        return rank, 0, 0
    if key.stage == recording_keys.VALUES:
        return 0, 0, 0
    if key.level == "L1" and key.stage != "activations":
        return _STAGES["activations", "step0"], 1, key.stage == "metrics"
    if key.text == "loss/curve" and step == 1:
        return _STAGES["loss", "step0"], 1, 0  # the first loss comes before the first update
    if key.stage == "predictions":
        return _PREDICTIONS, 0, 0
    if key.stage == "metrics":
        return _METRICS, 0, 0
    if key.when == "final":
        return _FINAL, 0, 0
    return _TRAINING, step or 1, _WITHIN_STEP[key.stage]


def affects(
    cause: RecordingKey,
    effect: RecordingKey,
    layers: Sequence[str],
    steps: Mapping[str, int | None] | None = None,
) -> bool:
    """Whether `effect` is computed from `cause`, directly or not.

    Args:
        cause: a key of an earlier stage, or of the same.
        effect: a key.
        layers: names of the layers in forward order; unknown layers count as one place.
        steps: key → the step at which it fails, where the key does not say (``loss/curve``).
    """
    steps = steps or {}
    first, second = (order(k, steps.get(k.text) or k.step) for k in (cause, effect))
    within_stage = first == second and cause.stage in ("activations", "gradients")
    if first >= second and not within_stage:
        return False
    # Each number of an example of values is computed from its own inputs.
    if cause.stage == recording_keys.VALUES:
        return False
    # `inputs/batches` is one array of all steps; what is fed at step 7 has not changed step 1.
    later_batch = cause.text == "inputs/batches" and (steps.get(cause.text) or 1) > 1
    if later_batch and second[0] < _TRAINING:
        return False
    evaluations = ("predictions", "metrics")
    if cause.stage in evaluations and effect.stage not in evaluations:
        return False  # what is evaluated is not what is trained on
    # The predictions before training come from test samples, not from the batches.
    if effect.stage in evaluations and second[0] < _TRAINING and cause.stage == "inputs":
        return False
    # From the first update on every weight comes from every gradient, over the loss.
    if second[0] >= _TRAINING:
        return first < second
    here, there = _place(cause, layers), _place(effect, layers)
    match cause.stage, effect.stage:
        case _, "weights" if effect.when == "initial":
            return False  # drawn, not computed
        case "inputs", "activations":
            # The first forward pass takes the images, and knows neither labels nor later batches.
            return not cause.rest.startswith(("labels", "batches"))
        case ("weights", "activations") if cause.when == "initial":
            return here <= there
        case "activations", "activations":
            return here < there
        case "gradients", "gradients":
            return here > there  # backwards: the later layer's gradient comes first
        # The first step moves each parameter by its own gradient and state: two layers whose rates
        # are wrong are two faults (`test_independent_faults_are_both_guilty`).
        case (("gradients" | "state"), ("state" | "weights")):
            own = cause.rest if cause.stage == "gradients" else cause.rest.rpartition("/")[0]
            return not own or f"{effect.rest}/".startswith(f"{own}/")
        case "weights", "weights":
            return cause.rest == effect.rest
        case _:
            return first < second


def _place(key: RecordingKey, layers: Sequence[str]) -> int:
    # An unknown layer stands first: it may be the cause of any other and no other is its cause, so
    # that it is named itself and not explained away.
    name = key.rest.split("/")[0]
    return layers.index(name) if name in layers else 0


def guilty(
    failing: Mapping[str, int | None], keys: Sequence[str], layers: Sequence[str]
) -> set[str]:
    """The failing keys that no other failing key affects.

    Args:
        failing: keys that do not agree → the training step at which they fail, where one does.
        keys: all keys in causal order.
        layers: names of the layers in forward order.
    """
    parsed = [recording_keys.parse_key(key) for key in keys if key in failing]
    return {
        effect.text
        for at, effect in enumerate(parsed)
        if not any(
            affects(cause, effect, layers, failing)
            for position, cause in enumerate(parsed)
            if position != at
        )
    }
