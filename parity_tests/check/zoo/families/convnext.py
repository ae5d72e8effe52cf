"""ConvNeXt: timm's and keras.applications'."""

from parity_tests.check.zoo.pair import Pair


def torch_model(**settings):
    from timm.models.convnext import ConvNeXt

    return ConvNeXt(depths=(1, 1, 1, 1), dims=(8, 16, 24, 32), num_classes=10, **settings)


def keras_model(**settings):
    from keras.src.applications.convnext import ConvNeXt

    return ConvNeXt(
        depths=[1, 1, 1, 1],
        projection_dims=[8, 16, 24, 32],
        weights=None,
        input_shape=(64, 64, 3),
        classes=10,
        classifier_activation=None,
        **settings,
    )


def port(p):
    p.conv("convnext_stem/convnext_stem_conv", "stem.0")
    p.norm("convnext_stem/convnext_stem_layernorm", "stem.1")
    for i in range(4):
        k, t = f"convnext_stage_{i}_block_0", f"stages.{i}.blocks.0"
        if i:
            down = f"convnext_downsampling_block_{i - 1}/convnext_downsampling"
            p.norm(f"{down}_layernorm_{i - 1}", f"stages.{i}.downsample.0")
            p.conv(f"{down}_conv_{i - 1}", f"stages.{i}.downsample.1")
        p.conv(f"{k}_depthwise_conv", f"{t}.conv_dw")  # a grouped convolution in Keras, too
        p.norm(f"{k}_layernorm", f"{t}.norm")
        p.dense(f"{k}_pointwise_conv_1", f"{t}.mlp.fc1")
        p.dense(f"{k}_pointwise_conv_2", f"{t}.mlp.fc2")
        name = "variable" + (f"_{i}" if i else "")
        p.put(f"{k}_layer_scale/{name}", p[f"{t}.gamma"])
    p.norm("convnext_head_layernorm", "head.norm")
    p.dense("convnext_head_dense", "head.fc")


_PACKAGES = ("timm", "keras")

PAIRS = (
    Pair(
        "convnext",
        ("2,3,64,64",),
        packages=_PACKAGES,
        kinds=("extra_layer",),
        layer=("*prestem*", "stem.0"),
        why="keras.applications normalises images within the model.",
    ),
    Pair(
        "convnext-matched",
        ("2,3,64,64",),
        {},
        {"include_preprocessing": False},
        packages=_PACKAGES,
    ),
)
