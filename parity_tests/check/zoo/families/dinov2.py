"""DINOv2: `Dinov2Model` and `DINOV2Backbone`."""

from parity_tests.check.zoo.building import backbone, transformer
from parity_tests.check.zoo.families.vit import IMAGES, SIZES
from parity_tests.check.zoo.pair import Pair


def torch_model(**settings):
    return transformer("Dinov2", {**SIZES, "mlp_ratio": 2, **settings}, ("pixel_values",))


def keras_model(**settings):
    shapes = {"image_shape": (16, 16, 3), "position_embedding_shape": (16, 16, 3)}
    return backbone("DINOV2", 8, 2, 16, 4, 32, apply_layernorm=True, **shapes, **settings)


def port(p):
    k, t = "embeddings", "model.embeddings"
    p.put(f"{k}/cls_token", p[f"{t}.cls_token"])
    p.put(f"{k}/mask_token", p[f"{t}.mask_token"])
    p.put(f"{k}/interpolated_position_embeddings", p[f"{t}.position_embeddings"])
    p.alone(f"{k}/position_embeddings")  # what the former are interpolated from when loaded
    p.conv(f"{k}/patch_embeddings/projection", f"{t}.patch_embeddings.projection")
    for i in range(2):
        k, t = f"encoder/layers_{i}", f"model.encoder.layer.{i}"
        p.norm(f"{k}/norm1", f"{t}.norm1")
        for name in ("query", "key", "value"):
            p.dense(f"{k}/attention/attention/{name}", f"{t}.attention.{name[0]}_proj")
        p.dense(f"{k}/attention/attention/attention_output", f"{t}.attention.o_proj")
        p.norm(f"{k}/norm2", f"{t}.norm2")
        p.dense(f"{k}/mlp/fc1", f"{t}.mlp.fc1")
        p.dense(f"{k}/mlp/fc2", f"{t}.mlp.fc2")
        for n in (1, 2):
            p.put(f"{k}/layer_scale{n}/lambda1", p[f"{t}.layer_scale{n}.lambda1"])
    p.norm("layernorm", "model.layernorm")


PAIRS = (
    Pair("dinov2", IMAGES),
    Pair(
        "dinov2-relu",
        IMAGES,
        {"hidden_act": "relu"},
        kinds=("activation",),
        layer=("*mlp*",),
        why="ReLU here, GELU there.",
    ),
)
