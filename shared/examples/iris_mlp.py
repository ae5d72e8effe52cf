"""Spec of the perceptron with batch normalisation on Iris."""

from parity.core.recording_keys import LADDER, VALUES
from parity.spec.cases import Case, Known
from parity.spec.example import (
    ONES,
    ZEROS,
    ComparedPair,
    ExampleSpec,
    Fast,
    Initial,
    ParameterSpec,
    Reference,
    Size,
    Training,
    TrainingVariant,
    tape_pair,
)


def _dense(name: str, inputs: int, outputs: int) -> tuple[ParameterSpec, ...]:
    # As nn.Linear starts. From Glorot's wider weights this training is chaotic at batch 4: one
    # ulp grows to a millionth of the weights within 300 of its 560 steps, in float64.
    within = Initial("uniform", inputs**-0.5)
    return (
        ParameterSpec(f"{name}/kernel", (inputs, outputs), within),
        ParameterSpec(f"{name}/bias", (outputs,), within),
    )


def _norm(name: str, size: int) -> tuple[ParameterSpec, ...]:
    return (
        ParameterSpec(f"{name}/gamma", (size,), ONES),
        ParameterSpec(f"{name}/beta", (size,), ZEROS),
        ParameterSpec(f"{name}/moving_mean", (size,), ZEROS, trainable=False),
        ParameterSpec(f"{name}/moving_variance", (size,), ONES, trainable=False),
    )


IRIS_MLP = ExampleSpec(
    name="iris_mlp",
    seed=2,
    title="Iris with a deep perceptron and batch normalisation",
    part="Training",
    summary=(
        "Five dense layers, batch normalisation after the first three, plain SGD at batch 4. "
        "Batch normalisation has three settings that differ by default, epsilon, momentum and "
        "which variance is averaged, and so small a batch shows all of them. The weights start as "
        "those of `nn.Linear` do, uniform within 1/√(inputs)."
    ),
    cases=(
        Case(
            "count_parameters",
            {},
            {
                "tensors": 16,
                "numbers": 4 * 128
                + 128
                + 128 * 64
                + 64
                + 64 * 32
                + 32
                + 32 * 16
                + 16
                + 16 * 3
                + 3
                + 2 * (128 + 64 + 32),
            },
        ),
    ),
    known=(
        Known(
            "values/count_parameters/first",
            torch="(128, 4)",
            keras="(4, 128)",
            reason="PyTorch keeps a dense kernel as (outputs, inputs), Keras as (inputs, outputs).",
            link="https://pytorch.org/docs/stable/generated/torch.nn.Linear.html",
        ),
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
            "dense1",
            "norm1",
            "relu1",
            "dense2",
            "norm2",
            "relu2",
            "dense3",
            "norm3",
            "relu3",
            "dense4",
            "relu4",
            "logits",
        ),
        watched="epochs",
        default=Size("full", epochs=20),
        full=Size("full", epochs=20),
        fast=(Fast("torch/loop", traced=True), Fast("keras/fit", jit=True)),
        ways=(
            TrainingVariant("torch", "loop", "loop", batch_norm_as="keras"),
            TrainingVariant("keras", "fit", "compile/fit", loop="fit"),
            TrainingVariant("keras", "tape", "GradientTape"),
        ),
        pairs=(
            ComparedPair(
                "matched",
                "PyTorch loop ~ Keras compile/fit",
                "torch/loop",
                "keras/fit",
                (VALUES, *LADDER),
            ),
            tape_pair(),
        ),
        references=(
            Reference(
                "test_accuracy",
                0.92,
                0.08,
                "expected of such a network with any initial weights; not a citation",
            ),
        ),
    ),
)
