"""DeiT: `DeiTModel` and `DeiTBackbone`."""

from parity_tests.check.zoo.building import backbone, transformer
from parity_tests.check.zoo.families.vit import IMAGES, SIZES, blocks
from parity_tests.check.zoo.pair import Pair


def torch_model(**settings):
    config = {**SIZES, "intermediate_size": 24, **settings}
    return transformer("DeiT", config, ("pixel_values",), add_pooling_layer=False)


def keras_model():
    return backbone("DeiT", (16, 16, 3), 8, 2, 4, 16, 24)


def port(p):
    k, t = "deit_patching_and_embedding", "model.embeddings"
    p.put(f"{k}/class_token", p[f"{t}.cls_token"])
    p.put(f"{k}/distillation_token", p[f"{t}.distillation_token"])
    p.put(f"{k}/position_embedding", p[f"{t}.position_embeddings"])
    p.conv(f"{k}/patch_embedding", f"{t}.patch_embeddings.projection")
    blocks(p, "deit_encoder", ("mlp/dense", "output_layer/output"))
    p.norm("deit_encoder/ln", "model.layernorm")


PAIRS = (
    Pair(
        "deit",
        IMAGES,
        kinds=("epsilon",),
        layer=("*layernorm_before*", "*ln_1*"),
        why="Epsilon 1e-12 in DeiTConfig, 1e-6 in keras_hub.",
    ),
    Pair("deit-matched", IMAGES, {"layer_norm_eps": 1e-6}),
)
