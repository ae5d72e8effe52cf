"""Spec of the convolutional network on Fashion-MNIST."""

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

FASHION_CNN = ExampleSpec(
    name="fashion_cnn",
    title="Fashion-MNIST with a convolutional network",
    part="Training",
    summary=(
        "Two convolutions with pooling, then two dense layers. Images lie channels first in "
        "PyTorch and channels last in Keras, so a flattened image has its numbers in another "
        "order, and the dense kernel behind it needs its rows permuted."
    ),
    training=Training(
        dataset="fashion_mnist",
        batch_size=64,
        input_shape=(28, 28, 1),
        parameters=(
            ParameterSpec("conv1/kernel", (3, 3, 1, 32), GLOROT),
            ParameterSpec("conv1/bias", (32,), ZEROS),
            ParameterSpec("conv2/kernel", (3, 3, 32, 64), GLOROT),
            ParameterSpec("conv2/bias", (64,), ZEROS),
            ParameterSpec("hidden/kernel", (1600, 128), GLOROT, flattened=(5, 5, 64)),
            ParameterSpec("hidden/bias", (128,), ZEROS),
            ParameterSpec("logits/kernel", (128, 10), GLOROT),
            ParameterSpec("logits/bias", (10,), ZEROS),
        ),
        layers=(
            "conv1",
            "relu1",
            "pool1",
            "conv2",
            "relu2",
            "pool2",
            "flatten",
            "hidden",
            "relu3",
            "logits",
        ),
        default=Size("embedded", epochs=1, train=1270, test=1000),
        full=Size("full", epochs=5),
        fast=(
            Fast("torch/loop", channels_last=True, traced=True),
            Fast("keras/fit", fused=True, parts=2),
        ),
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
        references=(
            Reference(
                "test_accuracy",
                0.90,
                None,
                "expected of such a network after 5 epochs; not a citation",
            ),
        ),
    ),
)
