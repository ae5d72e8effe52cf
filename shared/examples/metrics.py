"""Spec of the metric examples: accuracy in every way, over an epoch and at its end."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.spec.cases import Case
from parity.spec.example import ExampleSpec
from shared.initial_weights import drawn

Array = NDArray[Any]
Arrays = dict[str, Any]
_BATCH, _RATE = 4, 0.5
_LABELS = (1, 1, 2, 1, 0, 2, 2, 1, 2, 0)


def _right(logits: Array, labels: Array) -> Array:
    return np.asarray(logits.argmax(axis=1) == labels)


def _by_hand(logits: Array, labels: Array) -> Arrays:
    right = _right(logits, labels)
    share = right.mean()
    return {
        "predicted": logits.argmax(axis=1),
        "right": int(right.sum()),
        "accuracy": share,
        "of_probabilities": share,
        "in_numpy": share,
    }


def _accumulated(logits: Array, labels: Array) -> Arrays:
    right = _right(logits, labels)
    means = [right[at : at + _BATCH].mean() for at in range(0, len(right), _BATCH)]
    return {
        "accuracy": right.mean(),
        "mean_of_means": np.mean(means),
        "samples": len(right),
    }


def _metric_object(logits: Array, labels: Array) -> Arrays:
    right = _right(logits, labels)
    ends = [min(at + _BATCH, len(right)) for at in range(0, len(right), _BATCH)]
    return {"running": np.array([right[:end].mean() for end in ends]), "after_reset": 0.0}


def _cross_entropy(logits: Array, labels: Array) -> Array:
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return np.asarray(-logs[np.arange(len(labels)), labels])


def _epoch_and_evaluation(x: Array, kernel: Array, labels: Array) -> Arrays:
    losses, right = [], []
    for at in range(0, len(x), _BATCH):
        some, truth = x[at : at + _BATCH], labels[at : at + _BATCH]
        logits = some @ kernel
        losses.append(_cross_entropy(logits, truth))
        right.append(_right(logits, truth))
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        slopes = powers / powers.sum(axis=1, keepdims=True) - np.eye(kernel.shape[1])[truth]
        kernel = kernel - _RATE * some.T @ slopes / len(truth)
    logits = x @ kernel
    return {
        "first_batch": losses[0].mean(),
        "epoch_loss": np.concatenate(losses).mean(),
        "epoch_accuracy": np.concatenate(right).mean(),
        "evaluated_loss": _cross_entropy(logits, labels).mean(),
        "evaluated_accuracy": _right(logits, labels).mean(),
    }


_LOGITS = drawn("metrics/logits", (10, 3))

METRICS = ExampleSpec(
    name="metrics",
    title="Metrics: what is counted, and when",
    part="Training",
    summary=(
        "Accuracy by hand, by sums over batches and by a metric object, on logits and on "
        "probabilities. What `fit` shows at the end of an epoch is the mean over the epoch, while "
        "the weights moved; `evaluate` counts with the weights of the end."
    ),
    cases=(
        Case("by_hand", {"logits": _LOGITS}, integers={"labels": _LABELS}, reference=_by_hand),
        Case(
            "accumulated",
            {"logits": _LOGITS},
            integers={"labels": _LABELS},
            reference=_accumulated,
        ),
        Case(
            "metric_object",
            {"logits": _LOGITS},
            integers={"labels": _LABELS},
            reference=_metric_object,
        ),
        Case(
            "one_logit",
            {"logits": (-1.0, 0.25, 0.375, 2.0)},
            {"above_zero": 1.0, "above_half": 0.5, "of_probabilities": 1.0},
            integers={"labels": (0, 1, 1, 1)},
        ),
        Case(
            "epoch_and_evaluation",
            {"x": drawn("metrics/x", (10, 5)), "kernel": drawn("metrics/kernel", (5, 3))},
            integers={"labels": _LABELS},
            roles={"kernel": "dense/kernel"},
            reference=_epoch_and_evaluation,
            witness=(_cross_entropy,),
        ),
    ),
)
