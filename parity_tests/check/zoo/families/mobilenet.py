"""MobileNetV2: timm's and keras.applications'."""

from parity_tests.check.zoo.pair import Pair

_REPEATS = (1, 2, 3, 4, 3, 3, 1)


def torch_model(**settings):
    import timm

    return timm.create_model("mobilenetv2_035", num_classes=0, global_pool="", **settings)


def keras_model():
    from keras.applications import MobileNetV2

    return MobileNetV2(alpha=0.35, weights=None, include_top=False, input_shape=(64, 64, 3))


def port(p):
    p.conv("Conv1", "conv_stem")
    p.norm("bn_Conv1", "bn1")
    number = 0
    for stage, repeats in enumerate(_REPEATS):
        for repeat in range(repeats):
            k, t = f"block_{number}" if number else "expanded_conv", f"blocks.{stage}.{repeat}"
            steps = ("expand", "depthwise", "project") if number else ("depthwise", "project")
            convs = ("conv_pw", "conv_dw", "conv_pwl") if number else ("conv_dw", "conv_pw")
            for n, (keras, torch) in enumerate(zip(steps, convs, strict=True), 1):
                p.conv(f"{k}_{keras}", f"{t}.{torch}", depthwise=keras == "depthwise")
                p.norm(f"{k}_{keras}_BN", f"{t}.bn{n}")
            number += 1
    p.conv("Conv_1", "conv_head")
    p.norm("Conv_1_bn", "bn2")


_PACKAGES = ("timm", "keras")

PAIRS = (
    Pair(
        "mobilenetv2",
        ("2,3,64,64",),
        packages=_PACKAGES,
        kinds=("padding", "epsilon"),
        layer=("conv_stem", "Conv1*"),
        why="Padding of even images and epsilon: on both sides and 1e-5 in timm, at the end and "
        "1e-3 in keras.applications.",
    ),
    Pair(
        "mobilenetv2-matched",
        ("2,3,64,64",),
        {"pad_type": "same", "bn_eps": 1e-3},
        packages=_PACKAGES,
    ),
)
