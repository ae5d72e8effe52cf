"""Spec of the question how long two equal programs stay equal."""

from parity.spec.example import (
    GLOROT,
    ONES,
    ZEROS,
    ComparedPair,
    ExampleSpec,
    Fast,
    ParameterSpec,
    Published,
    Size,
    Training,
    TrainingVariant,
    tape_pair,
)

_BLOCKS = ((3, 32), (32, 64), (64, 128), (128, 256))


def _block(number: int, inputs: int, outputs: int) -> tuple[ParameterSpec, ...]:
    return (
        ParameterSpec(f"conv{number}/kernel", (3, 3, inputs, outputs), GLOROT),
        ParameterSpec(f"norm{number}/gamma", (outputs,), ONES),
        ParameterSpec(f"norm{number}/beta", (outputs,), ZEROS),
        ParameterSpec(f"norm{number}/moving_mean", (outputs,), ZEROS, trainable=False),
        ParameterSpec(f"norm{number}/moving_variance", (outputs,), ONES, trainable=False),
    )


DIVERGENCE = ExampleSpec(
    name="divergence",
    title="How long do two equal programs stay equal?",
    part="Training",
    summary=(
        "A [published study](https://github.com/a38200-pixel/cnn-keras-vs-pytorch) trained the "
        "same network in both frameworks from the same weights, on the same batches: four blocks "
        "of convolution and batch normalisation, Adam, CIFAR-10. The weights parted. The study "
        "could not say whether the programs or the rounding did it. Here both sides run in float32 "
        "and in float64. Each runs once more from weights that are moved by one ulp of its "
        "precision: what two runs of one program do to each other is what rounding does."
    ),
    training=Training(
        dataset="cifar10",
        batch_size=32,
        input_shape=(32, 32, 3),
        scaling="standard",
        mean=(0.4914, 0.48216, 0.44653),
        deviation=(0.24703, 0.24349, 0.26159),
        parameters=(
            *(p for n, sizes in enumerate(_BLOCKS, 1) for p in _block(n, *sizes)),
            ParameterSpec("hidden/kernel", (256, 128), GLOROT),
            ParameterSpec("hidden/bias", (128,), ZEROS),
            ParameterSpec("logits/kernel", (128, 10), GLOROT),
            ParameterSpec("logits/bias", (10,), ZEROS),
        ),
        layers=(
            "conv1",
            "norm1",
            "relu1",
            "pool1",
            "conv2",
            "norm2",
            "relu2",
            "pool2",
            "conv3",
            "norm3",
            "relu3",
            "pool3",
            "conv4",
            "norm4",
            "relu4",
            "average",
            "flatten",
            "hidden",
            "relu",
            "logits",
        ),
        default=Size("full", epochs=1, train=318, test=200),
        full=Size("full", epochs=10, train=10_272, test=2000),
        watched="steps",
        nudged32=True,
        marks=(321, 1605, 3210),
        published=(
            Published(321, 0.17),
            Published(1605, 0.45),
            Published(3210, 0.63),
            Published(42_210, 1.16),
        ),
        fast=(Fast("torch/loop", channels_last=True, traced=True), Fast("keras/fit")),
        ways=(
            TrainingVariant(
                "torch", "loop", "loop, Keras' Adam", optimizer_as="keras", batch_norm_as="keras"
            ),
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
