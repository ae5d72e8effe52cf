"""Spec of the multi-layer perceptron on Fashion-MNIST."""

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

FASHION_MLP = ExampleSpec(
    name="fashion_mlp",
    title="Fashion-MNIST with a multi-layer perceptron",
    part="Training",
    summary=(
        "The classic first classifier, 784–128–10 with ReLU and Adam, five epochs at batch 32. "
        "From equal initial weights and batches the two frameworks stay equal to rounding through "
        "the whole training, once their two Adams are made the same equation."
    ),
    training=Training(
        dataset="fashion_mnist",
        batch_size=32,
        parameters=(
            ParameterSpec("hidden/kernel", (784, 128), GLOROT),
            ParameterSpec("hidden/bias", (128,), ZEROS),
            ParameterSpec("logits/kernel", (128, 10), GLOROT),
            ParameterSpec("logits/bias", (10,), ZEROS),
        ),
        layers=("flatten", "hidden", "relu", "logits"),
        default=Size("embedded", epochs=2, train=11_990),
        full=Size("full", epochs=5),
        fast=(Fast("torch/loop", traced=True), Fast("keras/fit", jit=True)),
        ways=(
            TrainingVariant("torch", "loop", "loop, Keras' Adam", optimizer_as="keras"),
            TrainingVariant("torch", "loop_torch_adam", "loop, PyTorch's Adam"),
            TrainingVariant("keras", "fit", "compile/fit, Keras' Adam", loop="fit"),
            TrainingVariant(
                "keras",
                "fit_torch_adam",
                "compile/fit, PyTorch's Adam",
                loop="fit",
                optimizer_as="torch",
            ),
            TrainingVariant("keras", "tape", "GradientTape, Keras' Adam"),
        ),
        pairs=(
            ComparedPair(
                "matched",
                "PyTorch loop with KerasAdam ~ Keras compile/fit",
                "torch/loop",
                "keras/fit",
            ),
            ComparedPair(
                "torch_adam",
                "PyTorch loop ~ Keras compile/fit with TorchAdam",
                "torch/loop_torch_adam",
                "keras/fit_torch_adam",
            ),
            tape_pair(),
            ComparedPair(
                "default_adam",
                "PyTorch's default Adam ~ Keras' default Adam, no bridge",
                "torch/loop_torch_adam",
                "keras/fit",
                differs_at="weights/step1/",
                reason=(
                    "the two Adams are different equations: epsilon 1e-8 after the bias "
                    "correction in PyTorch, 1e-7 before it in Keras, whose betas are also "
                    "rounded to float32"
                ),
            ),
        ),
        references=(
            Reference(
                "test_accuracy",
                0.8763,
                0.015,
                "one run shown in TensorFlow's basic classification tutorial, with its own "
                "initial weights",
            ),
        ),
    ),
)
