"""Spec of the perceptron examples; its rule and its two-layer sequel by hand in NumPy."""

from typing import Any

import numpy as np

from parity.spec.cases import Case
from parity.spec.example import ExampleSpec
from shared.initial_weights import drawn

Values = dict[str, Any]

_POINTS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
_WEIGHTS = ((0.5, -0.5, 0.5), (0.5, -0.5, 0.5))
"""Columns AND, NAND, OR, here and below."""
_BIASES = (-0.7, 0.7, -0.2)
_TRUTH = ((0.0, 1.0, 0.0), (0.0, 1.0, 1.0), (0.0, 1.0, 1.0), (1.0, 0.0, 1.0))
_LABELS = ((-1.0, 1.0, -1.0), (-1.0, 1.0, 1.0), (-1.0, 1.0, 1.0), (1.0, -1.0, 1.0))
_XOR = (0.0, 1.0, 1.0, 0.0)


def _gates_as_vectors(points: Any, weights: Any, biases: Any) -> Values:
    weighted = points @ weights + biases
    return {"weighted": weighted, "truth": np.where(weighted > 0, 1, 0)}


def _decision_line(points: Any, weights: Any, biases: Any) -> Values:
    weighted = points @ weights + biases
    return {
        "slope": -weights[0] / weights[1],
        "intercept": -biases / weights[1],
        "weights_times_direction": np.zeros(3),
        "distances": weighted / np.sqrt((weights**2).sum(axis=0)),
    }


def _perceptron_loss(points: Any, labels: Any, weights: Any) -> Values:
    samples = np.column_stack([np.ones(len(points)), points])
    shortfall = -labels * (samples @ weights)
    wrong = shortfall > 0
    return {
        "loss": shortfall[wrong].sum(),
        "gradient": -samples.T @ np.where(wrong, labels, 0),
    }


def _perceptron_rule(points: Any, labels: Any, weights: Any, most: int = 100) -> Values:
    samples = np.column_stack([np.ones(len(points)), points])
    history, mistakes = [weights], []
    for _ in range(most):
        wrong = labels * (samples @ weights) <= 0
        mistakes.append(wrong.sum(axis=0))
        if not wrong.any():
            break
        weights = weights + 0.25 * samples.T @ np.where(wrong, labels, 0)
        history.append(weights)
    return {
        "weights": np.array(history),
        "mistakes": np.array(mistakes),
        "learnt": weights,
        "truth": np.where(samples @ weights > 0, 1, 0),
    }


def _learning_rates(points: Any, targets: Any, weights: Any, rates: Any) -> Values:
    samples = np.column_stack([np.ones(len(points)), points])
    weights, losses = np.tile(weights, len(rates)), []
    for _ in range(12):
        errors = samples @ weights - targets
        losses.append((errors**2).mean(axis=0) / 2)
        weights = weights - rates * (samples.T @ errors) / len(points)
    curvatures = np.linalg.svd(samples, compute_uv=False) ** 2 / len(points)
    return {"losses": np.array(losses), "weights": weights, "largest_rate": 2 / curvatures[0]}


def _xor_by_one_layer(points: Any, labels: Any, weights: Any) -> Values:
    found = _perceptron_rule(points, labels, weights, most=12)
    del found["learnt"]
    return found


def _xor_learnt(  # noqa: PLR0917
    points: Any,
    targets: Any,
    hidden_kernel: Any,
    hidden_bias: Any,
    output_kernel: Any,
    output_bias: Any,
) -> Values:
    losses, probabilities = [], []
    for _ in range(100):
        hidden = np.tanh(points @ hidden_kernel + hidden_bias)
        logits = hidden @ output_kernel + output_bias
        probability = 1 / (1 + np.exp(-logits))
        likelihood = np.where(targets == 1, probability, 1 - probability)
        losses.append(-np.log(likelihood).mean())
        probabilities.append(probability[:, 0])

        d_logits = (probability - targets) / len(points)
        d_hidden = d_logits @ output_kernel.T * (1 - hidden**2)
        output_kernel = output_kernel - hidden.T @ d_logits
        output_bias = output_bias - d_logits.sum(axis=0)
        hidden_kernel = hidden_kernel - points.T @ d_hidden
        hidden_bias = hidden_bias - d_hidden.sum(axis=0)
    return {
        "losses": np.array(losses),
        "probabilities": np.array(probabilities),
        "at_the_end": probabilities[-1],
        "truth": np.where(logits[:, 0] > 0, 1, 0),
        "hidden_kernel": hidden_kernel,
        "hidden_bias": hidden_bias,
        "output_kernel": output_kernel,
        "output_bias": output_bias,
    }


PERCEPTRON = ExampleSpec(
    name="perceptron",
    title="The perceptron",
    part="Neurons, activations, losses",
    summary=(
        "One neuron is AND, NAND or OR, with weights given or learnt by the perceptron rule, and "
        "draws a line. None is XOR: one layer comes back to weights it has had before, two layers "
        "learn it, for in the space of the hidden units there is such a line."
    ),
    cases=(
        Case(
            "gates_with_constants",
            {"points": _POINTS},
            {
                "weighted": (0.0, 0.5, 0.5, 1.0),
                "and": (0.0, 0.0, 0.0, 1.0),
                "nand": (1.0, 1.0, 1.0, 0.0),
                "or": (0.0, 1.0, 1.0, 1.0),
            },
        ),
        Case(
            "gates_as_vectors",
            {"points": _POINTS, "weights": _WEIGHTS, "biases": _BIASES},
            {"truth": _TRUTH},
            reference=_gates_as_vectors,
        ),
        Case(
            "decision_line",
            {"points": _POINTS, "weights": _WEIGHTS, "biases": _BIASES},
            {"slope": (-1.0, -1.0, -1.0), "intercept": (1.4, 1.4, 0.4)},
            reference=_decision_line,
        ),
        Case(
            "perceptron_loss",
            {
                "points": drawn("perceptron/points", (7, 2)),
                "labels": ((-1.0,), (-1.0,), (1.0,), (-1.0,), (-1.0,), (1.0,), (1.0,)),
                "weights": drawn("perceptron/weights", (3, 1)),
            },
            reference=_perceptron_loss,
        ),
        Case(
            "perceptron_rule",
            {
                "points": _POINTS,
                "labels": _LABELS,
                "weights": ((0.25, -0.5, 0.125), (-0.5, 0.25, -0.75), (0.125, 0.75, -0.25)),
            },
            {"truth": _TRUTH, "learnt_after": "12"},
            reference=_perceptron_rule,
        ),
        Case(
            "learning_rates",
            {
                "points": _POINTS,
                "targets": ((-1.0,), (1.0,), (1.0,), (1.0,)),
                "weights": ((0.0,), (0.0,), (0.0,)),
                "rates": (0.01, 0.5, 1.5),
            },
            {"largest_rate": "1.2554"},
            reference=_learning_rates,
        ),
        Case(
            "xor_by_one_layer",
            {
                "points": _POINTS,
                "labels": ((-1.0,), (1.0,), (1.0,), (-1.0,)),
                "weights": ((0.25,), (-0.5,), (0.125,)),
            },
            {"weights_of_step": "3", "come_back_at_step": "5"},
            reference=_xor_by_one_layer,
        ),
        Case(
            "xor_by_two_layers",
            {
                "points": _POINTS,
                "hidden_weights": ((0.5, -0.5), (0.5, -0.5)),
                "hidden_biases": (-0.2, 0.7),
                "output_weights": (0.5, 0.5),
                "output_bias": -0.7,
            },
            {"hidden": ((0.0, 1.0), (1.0, 1.0), (1.0, 1.0), (1.0, 0.0)), "truth": _XOR},
        ),
        Case(
            "hidden_space",
            {
                "points": _POINTS,
                "hidden_weights": ((0.5, -0.5, 0.5), (0.5, -0.5, 0.5)),
                "hidden_biases": (-0.2, 0.7, -0.7),
                "output_weights": (1.0, 1.0, -1.0),
                "output_bias": -1.5,
            },
            {
                "hidden": ((0.0, 1.0, 0.0), (1.0, 1.0, 0.0), (1.0, 1.0, 0.0), (1.0, 0.0, 1.0)),
                "points_dimensions": "(4, 3)",
                "distances": ("-0.2887", "0.2887", "0.2887", "-0.8660"),
                "truth": _XOR,
            },
        ),
        Case(
            "xor_learnt",
            {
                "points": _POINTS,
                "targets": ((0.0,), (1.0,), (1.0,), (0.0,)),
                "hidden_kernel": drawn("xor/d0", (2, 3)),
                "hidden_bias": drawn("xor/d1", (3,)),
                "output_kernel": drawn("xor/d2", (3, 1)),
                "output_bias": drawn("xor/d3", (1,)),
            },
            {"truth": _XOR},
            roles={"hidden_kernel": "dense/kernel", "output_kernel": "dense/kernel"},
            reference=_xor_learnt,
        ),
    ),
)
