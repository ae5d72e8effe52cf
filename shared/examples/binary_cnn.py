"""Spec of the two-class convolutional network on the zeros and ones of MNIST."""

from parity.core.sides import Side
from parity.spec.example import (
    GLOROT,
    ZEROS,
    ComparedPair,
    ExampleSpec,
    Fast,
    ParameterSpec,
    Reference,
    Size,
    Training,
    TrainingVariant,
    tape_pair,
)


def _whole(side: Side) -> TrainingVariant:
    """Everything in one batch, for ten times the epochs."""
    return TrainingVariant(
        side,
        "whole",
        "one batch of everything",
        optimizer_as="keras" if side == "torch" else "",
        batch_size=0,
        repeat=10,
        loop="" if side == "torch" else "fit",
    )


BINARY_CNN = ExampleSpec(
    name="binary_cnn",
    title="Zero or one: a convolutional network with one output",
    part="Training",
    summary=(
        "One convolution, one dense unit, a sigmoid: is this MNIST digit a zero or a one? Trained "
        "in mini-batches, and with the whole set as one batch, where every step sees everything."
    ),
    training=Training(
        dataset="mnist",
        batch_size=128,
        input_shape=(28, 28, 1),
        parameters=(
            ParameterSpec("conv/kernel", (5, 5, 1, 16), GLOROT),
            ParameterSpec("conv/bias", (16,), ZEROS),
            ParameterSpec("logit/kernel", (2304, 1), GLOROT, flattened=(12, 12, 16)),
            ParameterSpec("logit/bias", (1,), ZEROS),
        ),
        layers=("conv", "relu", "pool", "flatten", "logit"),
        default=Size("embedded", epochs=1, train=630, test=2115),
        full=Size("embedded", epochs=5),
        fast=(Fast("torch/loop", channels_last=True, traced=True), Fast("keras/fit")),
        ways=(
            TrainingVariant("torch", "loop", "mini-batches of 128", optimizer_as="keras"),
            TrainingVariant("keras", "fit", "compile/fit, mini-batches of 128", loop="fit"),
            TrainingVariant("keras", "tape", "GradientTape, mini-batches of 128"),
            _whole("torch"),
            _whole("keras"),
        ),
        pairs=(
            ComparedPair(
                "matched",
                "PyTorch loop ~ Keras compile/fit, mini-batches of 128",
                "torch/loop",
                "keras/fit",
            ),
            tape_pair(),
            ComparedPair(
                "whole_set",
                "PyTorch loop ~ Keras compile/fit, the whole set as one batch",
                "torch/whole",
                "keras/whole",
            ),
        ),
        references=(
            Reference("test_accuracy", 0.995, None, "expected of such a network; not a citation"),
        ),
    ),
)
