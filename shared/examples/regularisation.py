"""Spec of over-fitting on a small part of Fashion-MNIST, and of what is done against it."""

from dataclasses import replace
from typing import Any

import numpy as np

from parity.core.recording_keys import LADDER, VALUES
from parity.core.sides import SIDES, Side
from parity.spec.cases import Case, Known
from parity.spec.example import (
    GLOROT,
    ONES,
    ZEROS,
    ComparedPair,
    ExampleSpec,
    Fast,
    Mask,
    ParameterSpec,
    Size,
    Training,
    TrainingVariant,
    tape_pair,
)
from shared.initial_weights import drawn

_BOTH = (VALUES, *LADDER)
_DENSE = (
    ParameterSpec("hidden/kernel", (784, 128), GLOROT),
    ParameterSpec("hidden/bias", (128,), ZEROS),
    ParameterSpec("logits/kernel", (128, 10), GLOROT),
    ParameterSpec("logits/bias", (10,), ZEROS),
)
_NORM = (
    _DENSE[0],
    ParameterSpec("norm/gamma", (128,), ONES),
    ParameterSpec("norm/beta", (128,), ZEROS),
    ParameterSpec("norm/moving_mean", (128,), ZEROS, trainable=False),
    ParameterSpec("norm/moving_variance", (128,), ONES, trainable=False),
    *_DENSE[2:],
)
_WITH_NORM = {
    "parameters": _NORM,
    "layers": ("flatten", "hidden", "norm", "relu", "logits"),
}
_WITH_DROPOUT = {
    "layers": ("flatten", "hidden", "relu", "dropout", "logits"),
    "masks": (Mask("dropout", (128,), 0.5),),
}


def _ways(side: Side) -> tuple[TrainingVariant, ...]:
    keras = side == "keras"
    plain = TrainingVariant(
        side,
        "plain",
        "nothing against over-fitting",
        optimizer_as="torch" if keras else "",
        loop="fit" if keras else "",
    )
    coupled = replace(plain, name="coupled", title="weight_decay of Adam", optimizer="make_adam_l2")
    return (
        plain,
        replace(
            plain,
            name="l2",
            title="L2 in the loss",
            model="build_l2_model" if keras else "build_model",
            step="train_step" if keras else "l2_train_step",
        ),
        *(() if keras else (coupled,)),
        replace(
            plain,
            name="decoupled",
            title="decoupled decay",
            optimizer="compile_adamw" if keras else "make_adamw",
        ),
        replace(
            plain,
            name="dropout",
            title="dropout",
            model="build_dropout_model",
            changes=_WITH_DROPOUT,
        ),
        replace(
            plain,
            name="biased",
            title="BatchNorm, biased running variance",
            model="build_norm_model",
            batch_norm_as="keras",
            changes=_WITH_NORM,
        ),
        replace(
            plain,
            name="unbiased",
            title="BatchNorm, unbiased running variance",
            model="build_norm_model",
            batch_norm_as="torch",
            changes=_WITH_NORM,
        ),
        replace(
            plain,
            name="stopped",
            title="early stopping",
            optimizer="compile_faster" if keras else "make_faster_adam",
            loop=plain.loop or "train_until_it_stops",
            callbacks="make_callbacks" if keras else "",
            changes={"stops": True},
        ),
    )


_BY_HAND = {"l2": "L2", "dropout": "Dropout", "biased": "BatchNorm"}
"""Of which a `GradientTape` loop is recorded too: penalties, masks and moving statistics, which a
loop may forget. Without them it is that of every other example."""


def _dropout(x: Any, mask: Any) -> dict[str, Any]:
    return {"masked": x * mask, "possible": np.array([0.0, 2.0]), "evaluated": x}


def _batch_norm(x: Any) -> dict[str, Any]:
    """y = (x - mean) / √(variance + 1e-5); running mean 0.1 · 0 + 0.9 · mean."""
    y = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
    return {"y": y, "moving_mean": 0.9 * x.mean(axis=0)}


def _l2(w: Any) -> dict[str, Any]:
    return {"penalty": np.sum(w**2) / 4, "gradient": w / 2}


_BATCH_NORM_DOCS = "https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html"
_BIASED, _UNBIASED = (0.1 + 0.9 * 14 / 3,), (0.1 + 0.9 * 7,)

REGULARISATION = ExampleSpec(
    name="regularisation",
    seed=3,
    title="Regularisation",
    part="Training",
    summary=(
        "A perceptron with 100,000 weights learns 500 images, the default size, by heart, so what "
        "it is worth is measured on others; the full set, 55,000 images, leaves little room for "
        "it. Then the same with L2, with decoupled decay, with dropout, with batch normalisation, "
        "and stopped in time. Dropout narrows the gap, a decay of 0.0001 is too little to. Each "
        "is one line of code with a trap in it: the same words stand for other equations on the "
        "other side."
    ),
    cases=(
        Case(
            "dropout",
            {"x": drawn("regularisation/x", (3, 5)), "mask": ((0.0, 2.0, 2.0, 0.0, 2.0),) * 3},
            reference=_dropout,
        ),
        Case("batch_norm", {"x": ((1.0,), (2.0,), (6.0,))}, reference=_batch_norm),
        Case("l2", {"w": drawn("regularisation/w", (4, 3))}, reference=_l2),
    ),
    known=(
        Known(
            "values/batch_norm/moving_variance",
            _UNBIASED,
            _BIASED,
            "PyTorch's running variance divides by n - 1, Keras' by n",
            _BATCH_NORM_DOCS,
        ),
    ),
    training=Training(
        dataset="fashion_mnist",
        batch_size=50,
        parameters=_DENSE,
        layers=("flatten", "hidden", "relu", "logits"),
        default=Size("embedded", epochs=30, train=1000, test=500, validation=500),
        full=Size("full", epochs=10),
        validation=5000,
        watched="epochs",
        fast=tuple(
            Fast(f"{side}/{way}", jit=True, traced=True)
            for side in SIDES
            for way in ("plain", "dropout", "biased")
        ),
        ways=(
            *_ways("torch"),
            *_ways("keras"),
            *(way.by_hand for way in _ways("keras") if way.name in _BY_HAND),
        ),
        pairs=(
            ComparedPair(
                "plain", "Nothing against over-fitting", "torch/plain", "keras/plain", _BOTH
            ),
            ComparedPair("l2", "L2: a penalty in the loss", "torch/l2", "keras/l2"),
            ComparedPair(
                "decoupled", "Decay beside the gradient", "torch/decoupled", "keras/decoupled"
            ),
            ComparedPair("dropout", "Dropout, the same masks", "torch/dropout", "keras/dropout"),
            ComparedPair("biased", "BatchNorm, Keras' statistics", "torch/biased", "keras/biased"),
            ComparedPair(
                "unbiased", "BatchNorm, PyTorch's statistics", "torch/unbiased", "keras/unbiased"
            ),
            ComparedPair("stopped", "Early stopping", "torch/stopped", "keras/stopped"),
            *(tape_pair(name, title) for name, title in _BY_HAND.items()),
            ComparedPair(
                "two_decays",
                "weight_decay in Adam ~ weight_decay in Keras",
                "torch/coupled",
                "keras/decoupled",
                differs_at="state/step1/",
                reason="`weight_decay` is part of the gradient in `torch.optim.Adam`, and is "
                "averaged and divided as the gradient is, so that a weight whose pixel is always "
                "black, and which has no other gradient, goes to 0 in full steps of 0.0003; in "
                "every optimizer of Keras, and in `torch.optim.AdamW`, it shrinks the weight "
                "itself, by 0.00000004 of it a step",
            ),
            ComparedPair(
                "two_variances",
                "nn.BatchNorm1d ~ layers.BatchNormalization",
                "torch/unbiased",
                "keras/biased",
                differs_at="weights/step1/norm/moving_variance",
                reason="both normalise with the biased variance of the batch, so they train "
                "alike, but PyTorch's running variance is n / (n - 1) times as large, and that "
                "is what evaluation divides by",
            ),
        ),
    ),
)
