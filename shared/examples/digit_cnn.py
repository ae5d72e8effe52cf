"""Spec of the small convolutional network on MNIST."""

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

DIGIT_CNN = ExampleSpec(
    name="digit_cnn",
    title="MNIST digits with a small convolutional network",
    part="Training",
    summary=(
        "Two padded convolutions with pooling and one dense layer, written as a "
        "subclass with `forward` "
        "in PyTorch and as a functional model in Keras, and compared layer by layer."
    ),
    training=Training(
        dataset="mnist",
        batch_size=64,
        input_shape=(28, 28, 1),
        parameters=(
            ParameterSpec("conv1/kernel", (3, 3, 1, 5), GLOROT),
            ParameterSpec("conv1/bias", (5,), ZEROS),
            ParameterSpec("conv2/kernel", (3, 3, 5, 10), GLOROT),
            ParameterSpec("conv2/bias", (10,), ZEROS),
            ParameterSpec("logits/kernel", (490, 10), GLOROT, flattened=(7, 7, 10)),
            ParameterSpec("logits/bias", (10,), ZEROS),
        ),
        layers=("conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "flatten", "logits"),
        default=Size("embedded", epochs=1, train=3190, test=2000),
        full=Size("full", epochs=3),
        fast=(Fast("torch/loop", channels_last=True, traced=True), Fast("keras/fit")),
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
