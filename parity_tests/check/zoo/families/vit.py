"""ViT: `ViTModel` and `ViTBackbone`."""

from parity_tests.check.zoo.building import backbone, transformer
from parity_tests.check.zoo.pair import Pair

SIZES = {
    "image_size": 16,
    "patch_size": 8,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
IMAGES = ("2,3,16,16",)


def torch_model(**settings):
    config = {**SIZES, "intermediate_size": 24, **settings}
    return transformer("ViT", config, ("pixel_values",), add_pooling_layer=False)


def keras_model(**settings):
    return backbone("ViT", (16, 16, 3), 8, 2, 4, 16, 24, **settings)


def port(p):
    k, t = "vit_patching_and_embedding", "model.embeddings"
    p.put(f"{k}/class_token", p[f"{t}.cls_token"])
    p.conv(f"{k}/patch_embedding", f"{t}.patch_embeddings.projection")
    p.put(f"{k}/position_embedding/embeddings", p[f"{t}.position_embeddings"])
    blocks(p, "vit_encoder")
    p.norm("vit_encoder/ln", "model.layernorm")


def blocks(p, encoder, names=("mlp/dense_1", "mlp/dense_2")):
    """Of ViT and DeiT."""
    for i in range(2):
        k, t = f"{encoder}/transformer_block_{i + 1}", f"model.layers.{i}"
        p.norm(f"{k}/ln_1", f"{t}.layernorm_before")
        for name in ("query", "key", "value"):
            p.dense(f"{k}/mha/{name}", f"{t}.attention.{name[0]}_proj")
        p.dense(f"{k}/mha/attention_output", f"{t}.attention.o_proj")
        p.norm(f"{k}/ln_2", f"{t}.layernorm_after")
        p.dense(f"{k}/{names[0]}", f"{t}.mlp.fc1")
        p.dense(f"{k}/{names[1]}", f"{t}.mlp.fc2")


PAIRS = (
    Pair(
        "vit",
        IMAGES,
        kinds=("epsilon",),
        layer=("*layernorm_before*", "*ln_1*"),
        why="Epsilon 1e-12 in ViTConfig, 1e-6 in keras_hub.",
    ),
    Pair("vit-matched", IMAGES, {"layer_norm_eps": 1e-6}),
)
