"""Spec of the perceptron with batch normalisation on Iris."""

from shared.spec import (
    ONES,
    ZEROS,
    ExampleSpec,
    Initial,
    Pair,
    Parameter,
    Reference,
    Size,
    Training,
    Way,
)

_SIZES = (4, 128, 64, 32, 16, 3)
_BIAS = Initial("uniform", 0.1)


def _dense(name: str, inputs: int, outputs: int) -> tuple[Parameter, ...]:
    return (
        Parameter(
            f"{name}/kernel", (inputs, outputs), Initial("normal", 1.0 if outputs > 16 else 0.2)
        ),
        Parameter(f"{name}/bias", (outputs,), _BIAS),
    )


def _norm(name: str, size: int) -> tuple[Parameter, ...]:
    return (
        Parameter(f"{name}/gamma", (size,), ONES),
        Parameter(f"{name}/beta", (size,), ZEROS),
        Parameter(f"{name}/moving_mean", (size,), ZEROS, trainable=False),
        Parameter(f"{name}/moving_variance", (size,), ONES, trainable=False),
    )


IRIS_MLP = ExampleSpec(
    name="iris_mlp",
    title="Iris with a deep perceptron and batch normalisation",
    part="Training",
    summary=(
        "Five dense layers, batch normalisation after the first three, plain SGD at batch 4. "
        "Batch normalisation has three settings that differ by default, epsilon, momentum and "
        "which variance is averaged, and so small a batch shows all of them."
    ),
    training=Training(
        dataset="iris",
        batch_size=4,
        scaling="none",
        parameters=(
            *_dense("dense1", 4, 128),
            *_norm("norm1", 128),
            *_dense("dense2", 128, 64),
            *_norm("norm2", 64),
            *_dense("dense3", 64, 32),
            *_norm("norm3", 32),
            *_dense("dense4", 32, 16),
            *_dense("logits", 16, 3),
        ),
        layers=(
            "dense1", "norm1", "relu1", "dense2", "norm2", "relu2", "dense3", "norm3", "relu3",
            "dense4", "relu4", "logits",
        ),
        default=Size("full", epochs=20),
        full=Size("full", epochs=20),
        ways=(
            Way("torch", "loop", "train", "sgd", "loop"),
            Way("keras", "tape", "train", "sgd", "GradientTape"),
            Way("keras", "fit", "fit", "sgd", "compile/fit"),
        ),
        pairs=(
            Pair(
                "matched", "PyTorch loop ~ Keras GradientTape", "torch/loop", "keras/tape"
            ),
            Pair("fit", "Keras GradientTape ~ Keras compile/fit", "keras/tape", "keras/fit"),
        ),
        references=(
            Reference("test_accuracy", 0.92, 0.08, "a published run with its own initial weights"),
        ),
    ),
)  # fmt: skip
