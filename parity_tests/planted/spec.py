"""A small trained example with two square layers, so that a transposed kernel fits by shape."""

import dataclasses

from shared.examples.fashion_mlp import FASHION_MLP
from shared.spec import GLOROT, Initial, Pair, Parameter, Size, Training, Way

SIZE = Size("embedded", epochs=1, train=640, test=200)
_SMALL = Initial("normal", 0.05)  # biases that are not zero, so that nothing hides behind one

_TRAINING: Training = dataclasses.replace(
    FASHION_MLP.training,
    parameters=(
        Parameter("hidden/kernel", (784, 16), GLOROT),
        Parameter("hidden/bias", (16,), _SMALL),
        Parameter("first/kernel", (16, 16), GLOROT),
        Parameter("first/bias", (16,), _SMALL),
        Parameter("second/kernel", (16, 16), GLOROT),
        Parameter("second/bias", (16,), _SMALL),
        Parameter("logits/kernel", (16, 10), GLOROT),
        Parameter("logits/bias", (10,), _SMALL),
    ),
    layers=("flatten", "hidden", "relu", "first", "second", "logits"),
    default=SIZE,
    ways=(
        Way("torch", "loop", "train", "keras_adam", "loop"),
        Way("keras", "tape", "train", "keras_adam", "GradientTape"),
    ),
    pairs=(Pair("matched", "PyTorch ~ Keras", "torch/loop", "keras/tape"),),
)
SPEC = dataclasses.replace(FASHION_MLP, name="planted", training=_TRAINING)
