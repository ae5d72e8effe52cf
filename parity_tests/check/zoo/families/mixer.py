"""MLP-Mixer and ResMLP: timm's against zeromodels' and keras_cv_attention_models'."""

from parity_tests.check.zoo.pair import Pair

_SIZES = {
    "num_classes": 0,
    "global_pool": "",
    "img_size": 16,
    "patch_size": 8,
    "num_blocks": 2,
    "embed_dim": 16,
}


def torch_model(kind="mixer", **settings):
    from timm.models.mlp_mixer import Affine, MlpMixer, ResBlock

    if kind == "resmlp":
        settings |= {"mlp_ratio": 4, "block_layer": ResBlock, "norm_layer": Affine}
    return MlpMixer(**_SIZES, **settings)


def keras_model(kind="mixer", package="zeromodels"):
    if package == "zeromodels":
        from zeromodels.models.mlp_mixer import MLPMixerImageClassify

        return MLPMixerImageClassify(
            patch_size=8, embed_dim=16, depths=2, image_size=16, num_classes=7
        )
    from keras_cv_attention_models import mlp_family

    sizes = {
        "num_blocks": 2,
        "patch_size": 8,
        "stem_width": 16,
        "channels_mlp_dim": 64,
        "input_shape": (16, 16, 3),
        "num_classes": 0,
        "pretrained": None,
    }
    if kind == "resmlp":
        return mlp_family.ResMLP(**sizes)
    return mlp_family.MLPMixer(tokens_mlp_dim=8, **sizes)


def port(p):
    if "blocks.0.ls1" in p:
        _resmlp(p)


def _resmlp(p):
    p.conv("stem", "stem.proj")
    for i in range(2):
        k, t = f"ResMlpBlock_{i + 1}", f"blocks.{i}"
        for n in (1, 2):
            _affine(p, f"{k}_norm_{n}", f"{t}.norm{n}")
            p.put(f"{k}_gamma_{n}/weight", p[f"{t}.ls{n}"])
            p.dense(f"{k}_channel_mixing_{n}", f"{t}.mlp_channels.fc{n}")
        p.dense(f"{k}_token_mixing", f"{t}.linear_tokens")
    _affine(p, "pre_head_norm", "norm")


def _affine(p, k, t):
    p.put(f"{k}/weight", p[f"{t}.alpha"])
    p.put(f"{k}/bias", p[f"{t}.beta"])


PAIRS = (
    Pair(
        "resmlp",
        ("2,3,16,16",),
        {"kind": "resmlp"},
        {"kind": "resmlp", "package": "kecam"},
        packages=("timm", "keras_cv_attention_models"),
    ),
)
