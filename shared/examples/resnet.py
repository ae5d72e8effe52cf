"""Spec of ResNet-18, up to its first optimizer step."""

from collections.abc import Iterator

from parity.spec.example import (
    GLOROT,
    HE,
    ONES,
    ZEROS,
    ComparedPair,
    ExampleSpec,
    ParameterSpec,
    Size,
    Training,
    TrainingVariant,
)

_STAGES = ((1, 64, 64, 1), (2, 64, 128, 2), (3, 128, 256, 2), (4, 256, 512, 2))
"""Number, channels in, channels out, stride of the first block."""


def _convolution(name: str, norm: str, *shape: int) -> Iterator[ParameterSpec]:
    """A convolution without bias and the batch normalisation behind it."""
    yield ParameterSpec(f"{name}/kernel", shape, HE)
    channels = shape[-1:]
    yield ParameterSpec(f"{norm}/gamma", channels, ONES)
    yield ParameterSpec(f"{norm}/beta", channels, ZEROS)
    yield ParameterSpec(f"{norm}/moving_mean", channels, ZEROS, trainable=False)
    yield ParameterSpec(f"{norm}/moving_variance", channels, ONES, trainable=False)


def _parameters() -> Iterator[ParameterSpec]:
    yield from _convolution("conv1", "bn1", 7, 7, 3, 64)
    for stage, taken, given, stride in _STAGES:
        for block, channels in enumerate((taken, given)):
            name = f"layer{stage}_{block}"
            yield from _convolution(f"{name}_conv1", f"{name}_bn1", 3, 3, channels, given)
            yield from _convolution(f"{name}_conv2", f"{name}_bn2", 3, 3, given, given)
            if block == 0 and stride != 1:
                short = f"{name}_downsample"
                yield from _convolution(f"{short}_0", f"{short}_1", 1, 1, channels, given)
    yield ParameterSpec("fc/kernel", (512, 10), GLOROT)
    yield ParameterSpec("fc/bias", (10,), ZEROS)


def _layers() -> Iterator[str]:
    """Names of the layers in forward order; each block's one ReLU runs twice."""
    yield from ("conv1", "bn1", "relu", "maxpool")
    for stage, _, _, stride in _STAGES:
        for block in (0, 1):
            own = ["conv1", "bn1", "relu", "conv2", "bn2"]
            if block == 0 and stride != 1:
                own += ["downsample_0", "downsample_1"]
            yield from (f"layer{stage}_{block}_{layer}" for layer in (*own, "relu_2"))
    yield from ("avgpool", "fc")


_SIZE = Size("full", epochs=1, train=8, test=8)

RESNET = ExampleSpec(
    name="resnet",
    title="ResNet-18, its weights taken across",
    part="Training",
    summary=(
        "torchvision's ResNet-18 with a new head, and its twin written in Keras: 11 million "
        "weights, 62 arrays that train and 40 running statistics, one batch of 8 CIFAR-10 "
        "images, every layer's output, every gradient and one step of SGD with momentum. "
        "Pretrained weights go across in either direction."
    ),
    # With this one no number that goes into a ReLU is near enough to 0 for rounding to change its
    # sign: the nearest is 17 × its layer's noise away. A sign that changes is no difference between
    # the programs, but switches a gradient on or off, which the verdict would call noise.
    seed=23,
    training=Training(
        dataset="cifar10",
        batch_size=8,
        input_shape=(32, 32, 3),
        scaling="standard",
        mean=(0.4914, 0.48216, 0.44653),
        deviation=(0.24703, 0.24349, 0.26159),
        parameters=tuple(_parameters()),
        layers=tuple(_layers()),
        default=_SIZE,
        full=_SIZE,
        ways=(
            TrainingVariant(
                "torch",
                "loop",
                "torchvision's model, Keras' SGD",
                optimizer_as="keras",
                batch_norm_as="keras",
            ),
            TrainingVariant("keras", "fit", "compile/fit, Keras' SGD", loop="fit"),
        ),
        pairs=(
            ComparedPair(
                "matched",
                "torchvision's ResNet-18 ~ its Keras twin",
                "torch/loop",
                "keras/fit",
                levels=("L0", "L1", "L2", "L3"),
            ),
        ),
    ),
)
