"""DenseNet: torchvision's and keras.applications'."""

from parity_tests.check.zoo.pair import Pair

_BLOCKS = (1, 2, 1, 1)


def torch_model(eps=1e-5):
    from torch import nn
    from torchvision.models import DenseNet

    model = DenseNet(growth_rate=32, block_config=_BLOCKS, num_classes=10)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = eps
    return model


def keras_model():
    from keras.src.applications.densenet import DenseNet

    return DenseNet(
        list(_BLOCKS),
        weights=None,
        input_shape=(64, 64, 3),
        classes=10,
        classifier_activation=None,
    )


def port(p):
    p.conv("conv1_conv", "features.conv0")
    p.norm("conv1_bn", "features.norm0")
    for n, layers in enumerate(_BLOCKS, 1):
        for layer in range(1, layers + 1):
            k, t = f"conv{n + 1}_block{layer}", f"features.denseblock{n}.denselayer{layer}"
            p.norm(f"{k}_0_bn", f"{t}.norm1")
            p.conv(f"{k}_1_conv", f"{t}.conv1")
            p.norm(f"{k}_1_bn", f"{t}.norm2")
            p.conv(f"{k}_2_conv", f"{t}.conv2")
        if n < len(_BLOCKS):
            p.norm(f"pool{n + 1}_bn", f"features.transition{n}.norm")
            p.conv(f"pool{n + 1}_conv", f"features.transition{n}.conv")
    p.norm("bn", "features.norm5")
    p.dense("predictions", "classifier")


_PACKAGES = ("torchvision", "keras")

PAIRS = (
    Pair(
        "densenet",
        ("2,3,64,64",),
        packages=_PACKAGES,
        kinds=("epsilon",),
        layer=("features.norm0", "conv1_bn"),
        why="Epsilon 1e-5 in torchvision, 1.001e-5 in keras.applications.",
    ),
    Pair("densenet-matched", ("2,3,64,64",), {"eps": 1.001e-5}, packages=_PACKAGES),
)
