"""ConvMixer: timm's and zeromodels'."""

from parity_tests.check.zoo.pair import Pair


def torch_model(**settings):
    from timm.models.convmixer import ConvMixer

    return ConvMixer(dim=16, depth=2, kernel_size=5, patch_size=4, num_classes=7, **settings)


def keras_model():
    from zeromodels.models.convmixer import ConvMixerImageClassify

    return ConvMixerImageClassify(
        embed_dim=16, depth=2, kernel_size=5, patch_size=4, image_size=16, num_classes=7
    )


def port(p):
    p.conv("stem_conv2d", "stem.0")
    p.norm("stem_batchnorm", "stem.2")
    for i in range(2):
        k, t = f"mixer_block_{i}", f"blocks.{i}"
        p.conv(f"{k}_depthwise", f"{t}.0.fn.0", depthwise=True)
        p.norm(f"{k}_batchnorm_1", f"{t}.0.fn.2")
        p.conv(f"{k}_conv2d", f"{t}.1")
        p.norm(f"{k}_batchnorm_2", f"{t}.3")
    p.dense("predictions", "head")


PAIRS = (Pair("convmixer", ("2,3,16,16",), packages=("timm", "zeromodels")),)
