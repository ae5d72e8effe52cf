"""Spec of the losses: values, gradients, and what the two frameworks divide by."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.spec.cases import Case, Known, Numbers
from parity.spec.example import ExampleSpec
from parity.spec.expected import as_numbers
from shared.initial_weights import drawn

Array = NDArray[Any]
Named = Mapping[str, Any]


def _softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _each(logits: Array, labels: Array) -> Array:
    """Cross-entropy of every sample."""
    return np.asarray(-np.log(_softmax(logits)[np.arange(len(labels)), labels]))


def _onehot(labels: Array, classes: int) -> Array:
    return np.eye(classes)[labels]


def _sigmoid(logits: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-logits)))


def _squared_error(output: Array, target: Array) -> Named:
    error = output - target
    return {
        "half_mean_norm": (error**2).sum() / len(output) / 2,
        "d_half_d_output": error / len(output),
        "mean": (error**2).mean(),
        "sum": (error**2).sum(),
        "each": error**2,
    }


def _cross_entropy(logits: Array, label: Array) -> Named:
    softmax = _softmax(logits)
    return {"gradient": softmax - _onehot(label, 3), "softmax": softmax}


def _reductions(logits: Array, labels: Array) -> Named:
    each = _each(logits, labels)
    return {"each": each, "sum": each.sum(), "mean": each.mean()}


def _as_objects(logits: Array, one_logits: Array, targets: Array, labels: Array) -> Named:
    cross_entropy = _each(logits, labels).mean()
    binary = _binary(one_logits, targets)["from_logits"]
    return {
        "cross_entropy": cross_entropy,
        "cross_entropy_function": cross_entropy,
        "sigmoid_and_binary": binary,
        "binary_from_logits": binary,
        "binary_function": binary,
    }


def _no_probabilities(logits: Array) -> Named:
    return {
        "sum_of_logits": logits.sum(),
        "smallest_logit": logits.min(),
        "probabilities": _softmax(logits),
        "sum_of_probabilities": 1.0,
        "of_logits_plus_100": _softmax(logits),
    }


def _soft_labels(logits: Array, soft: Array) -> Named:
    softmax = _softmax(logits)
    return {
        "loss": -(soft * np.log(softmax)).sum(),
        "gradient": softmax - soft,
        "smallest": -(soft * np.log(soft)).sum(),
    }


def _logits_or_probabilities(logits: Array, labels: Array) -> Named:
    right = _each(logits, labels).mean()
    clipped = np.log(np.clip(logits, 1e-7, 1 - 1e-7))
    return {
        "from_logits": right,
        "from_probabilities": right,
        "softmax_twice": _each(_softmax(logits), labels).mean(),
        "logits_as_probabilities": _each(clipped, labels).mean(),
    }


def _binary(logits: Array, targets: Array) -> Named:
    p = _sigmoid(logits)
    loss = -(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean()
    gradient = (p - targets) / p.size
    return {
        "from_logits": loss,
        "gradient": gradient,
        "from_probabilities": loss,
        "gradient_through_sigmoid": gradient,
    }


def _certain(logits: Array, targets: Array, zero: Array) -> Named:
    exact = np.log1p(np.exp(-np.abs(logits))) + np.maximum(-logits, 0)
    return {
        "from_logits": exact,
        "through_layer": exact,
        "from_logits_gradient": _sigmoid(logits) - targets,
    }


def _smoothing(logits: Array, labels: Array) -> Named:
    classes = logits.shape[-1]
    soft = 0.9 * _onehot(labels, classes) + 0.1 / classes
    loss = -(soft * np.log(_softmax(logits))).sum(axis=-1).mean()
    return {"loss": loss, "gradient": (_softmax(logits) - soft) / len(labels)}


def _weighted(logits: Array, weights: Array, labels: Array) -> dict[str, Any]:
    each = weights[labels] * _each(logits, labels)
    return {
        "over_sum_of_weights": each.sum() / weights[labels].sum(),
        "over_batch_size": each.mean(),
    }


def _ignoring(logits: Array, labels: Array) -> Named:
    counts = labels != -100
    kept = np.where(counts, labels, 0)
    gradient = (_softmax(logits) - _onehot(kept, logits.shape[-1])) * counts[:, None]
    loss = (_each(logits, kept) * counts).sum() / counts.sum()
    return {"loss": loss, "gradient": gradient / counts.sum()}


def _kl(p: Array, q: Array) -> dict[str, Any]:
    total = (p * np.log(p / q)).sum()
    return {
        "per_sample": total / len(p),
        "gradient": -p / q / len(p),
        "per_element": total / p.size,
    }


def _huber(output: Array, target: Array) -> Named:
    error = output - target

    def huber(delta: float) -> float:
        far = np.abs(error) > delta
        line = delta * np.abs(error) - delta**2 / 2
        return float(np.where(far, line, error**2 / 2).mean())

    return {
        "huber": huber(1.0),
        "gradient": np.clip(error, -1, 1) / error.size,
        "huber_half": huber(0.5),
        "smooth_l1_half": huber(0.5) / 0.5,
    }


def _array(name: str, *shape: int, scale: float = 1.0) -> Numbers:
    return drawn(f"losses/{name}", shape, scale)


def _probabilities(name: str, *shape: int) -> Numbers:
    single = _softmax(np.array(_array(name, *shape))).astype(np.float32)
    return as_numbers(single)


_LOGITS = _array("logits", 5, 4, scale=3.0)
_LABELS = (2, 0, 3, 3, 1)
_WEIGHTS = (0.5, 2.0, 1.0, 4.0)
_P, _Q = _probabilities("p", 2, 3), _probabilities("q", 2, 3)
_WEIGHTED = _weighted(np.array(_LOGITS), np.array(_WEIGHTS), np.array(_LABELS))
_DIVERGENCE = _kl(np.array(_P), np.array(_Q))
_WRONG = "values/certain_and_wrong/"
_SURE = float(_sigmoid(np.array(-40.0)))
_HALF = float(_sigmoid(np.array(0.5)))
# The least p(1 − p) that PyTorch divides by: 1e-12, as a float32 constant.
_LEAST = float(np.float32(1e-12))
_BCE = "https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html"
_PROBABILISTIC = "https://keras.io/api/losses/probabilistic_losses/"

LOSSES = ExampleSpec(
    name="losses",
    title="Losses",
    part="Neurons, activations, losses",
    summary=(
        "Squared error, cross-entropy in all its spellings, soft labels, KL divergence and Huber, "
        "with their gradients, against NumPy. From logits the two frameworks agree. They part over "
        "probabilities, which Keras clips and normalises, and over what a mean divides by."
    ),
    cases=(
        Case(
            "squared_error",
            {"output": _array("output", 2, 3), "target": _array("target", 2, 3)},
            reference=_squared_error,
        ),
        Case(
            "huber",
            {"output": (-0.25, 0.75, 1.0, 3.5), "target": (0.0, 0.0, 0.0, 1.0)},
            reference=_huber,
        ),
        Case(
            "cross_entropy",
            {"logits": ((3.2, 5.1, -1.7),)},
            {"loss": "2.0404"},
            integers={"label": (0,)},
            reference=_cross_entropy,
        ),
        Case(
            "as_objects",
            {"logits": _LOGITS, "one_logits": (-1.5, 0.25, 2.0), "targets": (0.0, 1.0, 1.0)},
            integers={"labels": _LABELS},
            reference=_as_objects,
        ),
        Case(
            "logits_are_no_probabilities",
            {"logits": ((3.2, 5.1, -1.7),)},
            {
                "sum_of_logits": 6.6,
                "smallest_logit": -1.7,
                "same_winner": True,
                "every_logarithm_exists": False,
            },
            reference=_no_probabilities,
        ),
        Case(
            "logits_or_probabilities",
            {"logits": _LOGITS},
            integers={"labels": _LABELS},
            reference=_logits_or_probabilities,
        ),
        Case(
            "not_normalised",
            {"probabilities": ((0.25, 0.25),)},
            {"normalised": "0.6931"},
            integers={"label": (0,)},
        ),
        Case(
            "reductions", {"logits": _LOGITS}, integers={"labels": _LABELS}, reference=_reductions
        ),
        Case(
            "soft_labels",
            {"logits": ((3.2, 5.1, -1.7),), "soft": ((0.1, 0.2, 0.7),)},
            {"smallest": "0.8018"},
            reference=_soft_labels,
        ),
        Case(
            "label_smoothing",
            {"logits": _LOGITS},
            integers={"labels": _LABELS},
            reference=_smoothing,
        ),
        Case(
            "class_weights",
            {"logits": _LOGITS, "weights": _WEIGHTS},
            integers={"labels": _LABELS},
            reference=_weighted,
        ),
        Case(
            "ignore_index",
            {"logits": _LOGITS},
            integers={"labels": (2, -100, 3, -100, 1)},
            reference=_ignoring,
        ),
        Case(
            "binary_cross_entropy",
            {"logits": (-1.5, 0.25, 2.0), "targets": (0.0, 1.0, 1.0)},
            reference=_binary,
        ),
        Case(
            "certain_and_wrong",
            {"logits": (-40.0, 0.5), "targets": (1.0, 1.0), "zero": (0.0,)},
            reference=_certain,
        ),
        Case("kl_divergence", {"p": _P, "q": _Q}, reference=_kl),
    ),
    known=(
        Known(
            "values/not_normalised/default",
            torch=math.log(4),
            keras=math.log(2),
            reason="Keras divides probabilities by their sum: (¼, ¼) counts as (½, ½). PyTorch has "
            "no loss of probabilities but takes any logarithm",
            link=_PROBABILISTIC + "#categoricalcrossentropy-class",
        ),
        Known(
            _WRONG + "through_sigmoid",
            torch=(40.0, -math.log(_HALF)),
            keras=(-math.log(1e-7), -math.log(_HALF)),
            reason="σ(−40) = 4·10⁻¹⁸ is clipped to 10⁻⁷ by Keras: no loss of a probability is "
            "above 16.118 (a Keras layer's sigmoid escapes by handing on its logits). PyTorch "
            "clamps only the logarithm, at −100",
            link=_PROBABILISTIC + "#binarycrossentropy-class",
        ),
        Known(
            _WRONG + "through_sigmoid_gradient",
            torch=(-_SURE / _LEAST, _HALF - 1),
            keras=(0.0, _HALF - 1),
            reason="should be −1. Clipping cuts the gradient off in Keras; PyTorch divides by "
            "p(1 − p), but by no less than 10⁻¹², and is left with 4·10⁻⁶. From logits both are "
            "right",
            link=_BCE,
        ),
        Known(
            _WRONG + "at_zero",
            torch=100.0,
            keras=-math.log(1e-7),
            reason="p = 0 for a true 1: PyTorch clamps log 0 to −100, Keras clips p to 10⁻⁷",
            link=_BCE,
        ),
        Known(
            _WRONG + "at_zero_gradient",
            torch=(-1 / _LEAST,),
            keras=(0.0,),
            reason="the same place: a huge gradient in PyTorch, none in Keras",
            link=_BCE,
        ),
        Known(
            "values/class_weights/default",
            torch=float(_WEIGHTED["over_sum_of_weights"]),
            keras=float(_WEIGHTED["over_batch_size"]),
            reason="the weighted mean: divided by the sum of the weights in PyTorch, by the number "
            "of samples in Keras, whose reduction 'mean_with_sample_weight' does as PyTorch does",
            link="https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html",
        ),
        Known(
            "values/kl_divergence/default",
            torch=float(_DIVERGENCE["per_element"]),
            keras=float(_DIVERGENCE["per_sample"]),
            reason="the default mean goes over all elements in PyTorch and over the samples in "
            "Keras; 'batchmean' is what the formula means",
            link="https://pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html",
        ),
    ),
)
