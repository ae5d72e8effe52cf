"""ResNet: timm's and torchvision's against keras_hub's and keras.applications'."""

from functools import partial

from parity_tests.check.zoo.pair import Pair


def torch_model(package="timm", eps=1e-5):
    from torch import nn

    norm = partial(nn.BatchNorm2d, eps=eps)
    if package == "timm":
        from timm.models.resnet import Bottleneck, ResNet

        return ResNet(Bottleneck, [1, 2, 1, 1], num_classes=0, global_pool="", norm_layer=norm)
    from torchvision.models.resnet import Bottleneck, ResNet

    return ResNet(Bottleneck, [1, 2, 1, 1], num_classes=10, norm_layer=norm)


def keras_model(package="keras_hub"):
    if package == "keras_hub":
        from keras_hub.models import ResNetBackbone

        return ResNetBackbone(
            [64],
            [7],
            [64, 128, 256, 512],
            [1, 2, 1, 1],
            [1, 2, 2, 2],
            "bottleneck_block",
            image_shape=(64, 64, 3),
        )
    from keras.src.applications.resnet import ResNet, stack_residual_blocks_v1

    def stacks(x):
        x = stack_residual_blocks_v1(x, 64, 1, stride1=1, name="conv2")
        x = stack_residual_blocks_v1(x, 128, 2, name="conv3")
        x = stack_residual_blocks_v1(x, 256, 1, name="conv4")
        return stack_residual_blocks_v1(x, 512, 1, name="conv5")

    return ResNet(
        stacks,
        preact=False,
        use_bias=True,
        weights=None,
        input_shape=(64, 64, 3),
        classes=10,
        classifier_activation=None,
    )


def port(p):
    applications = "fc.weight" in p
    p.conv("conv1_conv", "conv1")
    p.norm("conv1_bn", "bn1")
    for layer, blocks in enumerate((1, 2, 1, 1)):
        for block in range(blocks):
            k = f"stack{layer}_block{block}"
            if applications:
                k = f"conv{layer + 2}_block{block + 1}"
            t = f"layer{layer + 1}.{block}"
            if block == 0:
                p.conv(f"{k}_0_conv", f"{t}.downsample.0")
                p.norm(f"{k}_0_bn", f"{t}.downsample.1")
            for step in (1, 2, 3):
                p.conv(f"{k}_{step}_conv", f"{t}.conv{step}")
                p.norm(f"{k}_{step}_bn", f"{t}.bn{step}")
    if applications:
        p.dense("predictions", "fc")
        p.fill("*_conv/bias", 0.0)  # PyTorch's convolutions have none


_INPUTS = ("2,3,64,64",)

PAIRS = (
    Pair("resnet", _INPUTS, packages=("timm", "keras_hub")),
    Pair(
        "resnet-applications",
        _INPUTS,
        {"package": "torchvision"},
        {"package": "keras"},
        packages=("torchvision", "keras"),
        kinds=("stride", "epsilon", "bias"),
        why="keras.applications has the stride in a block's first convolution, torchvision in its "
        "second; epsilon is 1.001e-5 there, 1e-5 here; convolutions have biases there.",
    ),
    Pair(
        "resnet-epsilon",
        _INPUTS,
        {"eps": 1.001e-5},
        packages=("timm", "keras_hub"),
        kinds=("epsilon",),
        layer=("*bn1*", "*conv1_bn*"),
        why="Epsilon 1.001e-5 here, 1e-5 there.",
    ),
)
