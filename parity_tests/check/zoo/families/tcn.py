"""Temporal convolutions: pytorch-tcn's and keras-tcn's."""

from parity_tests.check.zoo.pair import Pair


def torch_model(**settings):
    from pytorch_tcn import TCN

    return TCN(6, [8, 8], 3, dilations=[1, 2], input_shape="NLC", **settings)


def keras_model(**settings):
    import keras
    from tcn import TCN

    x = keras.Input((20, 6))
    return keras.Model(x, TCN(8, 3, dilations=(1, 2), return_sequences=True, **settings)(x))


def port(p):
    for i in (0, 1):
        for n in (1, 2):
            k, t = f"tcn/residual_block_{i}/conv1D_{n - 1}", f"network.{i}.conv{n}"
            p.conv(k, t)
            p.ignore(f"{t}.padder.buffer")  # zeros before the first step
    p.conv("tcn/residual_block_0/matching_conv1D", "network.0.downsample")


_PACKAGES = ("pytorch_tcn", "tcn")
_PLAIN = {"use_norm": None}

PAIRS = (
    Pair(
        "tcn",
        ("2,20,6",),
        _PLAIN,
        packages=_PACKAGES,
        kinds=("operation", "missing_layer", "extra_layer", "wiring"),
        why="keras-tcn adds up what its blocks yield by default, pytorch-tcn hands on the last.",
    ),
    Pair("tcn-matched", ("2,20,6",), _PLAIN, {"use_skip_connections": False}, packages=_PACKAGES),
    Pair(
        "tcn-skip",
        ("2,20,6",),
        {**_PLAIN, "use_skip_connections": True},
        packages=_PACKAGES,
        kinds=("wiring", "missing_layer"),
        why="Of the last block pytorch-tcn adds what it hands on, keras-tcn what stands before its "
        "residual connection.",
    ),
)
