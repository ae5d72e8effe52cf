"""Spec of the perceptron on CIFAR-10."""

from parity.spec.example import (
    GLOROT,
    ZEROS,
    ComparedPair,
    ExampleSpec,
    Fast,
    ParameterSpec,
    Size,
    Training,
    TrainingVariant,
    tape_pair,
)

CIFAR_MLP = ExampleSpec(
    name="cifar_mlp",
    title="CIFAR-10 with a perceptron",
    part="Training",
    summary=(
        "3072–500–10 on colour images, each channel normalised by its mean and "
        "deviation. A flattened "
        "colour image has its numbers in another order in each framework."
    ),
    training=Training(
        dataset="cifar10",
        batch_size=32,
        input_shape=(32, 32, 3),
        scaling="standard",
        mean=(0.4914, 0.48216, 0.44653),
        deviation=(0.24703, 0.24349, 0.26159),
        parameters=(
            ParameterSpec("hidden/kernel", (3072, 500), GLOROT, flattened=(32, 32, 3)),
            ParameterSpec("hidden/bias", (500,), ZEROS),
            ParameterSpec("logits/kernel", (500, 10), GLOROT),
            ParameterSpec("logits/bias", (10,), ZEROS),
        ),
        layers=("flatten", "hidden", "relu", "logits"),
        default=Size("full", epochs=1, train=1590, test=1000),
        full=Size("full", epochs=10),
        fast=(Fast("torch/loop", traced=True), Fast("keras/fit", jit=True)),
        ways=(
            TrainingVariant("torch", "loop", "loop, Keras' Adam", optimizer_as="keras"),
            TrainingVariant("keras", "fit", "compile/fit, Keras' Adam", loop="fit"),
            TrainingVariant("keras", "tape", "GradientTape, Keras' Adam"),
        ),
        pairs=(
            ComparedPair(
                "matched",
                "PyTorch loop with KerasAdam ~ Keras compile/fit",
                "torch/loop",
                "keras/fit",
            ),
            tape_pair(),
        ),
    ),
)
