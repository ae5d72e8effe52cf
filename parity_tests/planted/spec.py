"""A small trained example with two square layers, so that a transposed kernel fits by shape."""

import dataclasses

from parity.spec.example import (
    GLOROT,
    ComparedPair,
    Initial,
    ParameterSpec,
    Size,
    Training,
    TrainingVariant,
)
from shared.examples.fashion_mlp import FASHION_MLP

SIZE = Size("embedded", epochs=1, train=640, test=200)
_SMALL = Initial("normal", 0.05)  # biases that are not zero, so that nothing hides behind one

_TRAINING: Training = dataclasses.replace(
    FASHION_MLP.training,
    parameters=(
        ParameterSpec("hidden/kernel", (784, 16), GLOROT),
        ParameterSpec("hidden/bias", (16,), _SMALL),
        ParameterSpec("first/kernel", (16, 16), GLOROT),
        ParameterSpec("first/bias", (16,), _SMALL),
        ParameterSpec("second/kernel", (16, 16), GLOROT),
        ParameterSpec("second/bias", (16,), _SMALL),
        ParameterSpec("logits/kernel", (16, 10), GLOROT),
        ParameterSpec("logits/bias", (10,), _SMALL),
    ),
    layers=("flatten", "hidden", "relu", "first", "second", "logits"),
    default=SIZE,
    ways=(
        TrainingVariant("torch", "loop", "loop", optimizer_as="keras"),
        TrainingVariant("keras", "tape", "GradientTape"),
    ),
    pairs=(ComparedPair("matched", "PyTorch ~ Keras", "torch/loop", "keras/tape"),),
    fast=(),
)
SPEC = dataclasses.replace(FASHION_MLP, name="planted", training=_TRAINING)
