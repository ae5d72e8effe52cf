"""Swin: `SwinModel` and `SwinTransformerBackbone`."""

import numpy as np

from parity_tests.check.zoo.building import backbone, transformer
from parity_tests.check.zoo.pair import Pair

_SIZES = {
    "image_size": 32,
    "patch_size": 2,
    "embed_dim": 8,
    "depths": [2, 2],
    "num_heads": [2, 4],
    "window_size": 4,
}


def torch_model(**settings):
    config = {**_SIZES, **settings}
    return transformer("Swin", config, ("pixel_values",), add_pooling_layer=False)


def keras_model(**settings):
    return backbone("SwinTransformer", (32, 32, 3), 8, (2, 2), (2, 4), 4, patch_size=2, **settings)


def port(p):
    p.conv("patch_embedding/conv_projection", "model.embeddings.patch_embeddings.projection")
    p.norm("patch_embedding/norm", "model.embeddings.norm")
    for stage in (0, 1):
        for block in (0, 1):
            k, t = f"stage_{stage}/blocks_{block}", f"model.encoder.layers.{stage}.blocks.{block}"
            p.norm(f"{k}/norm1", f"{t}.layernorm_before")
            p.norm(f"{k}/norm2", f"{t}.layernorm_after")
            table = f"{t}.attention.relative_position_bias.relative_position_bias_table"
            p.put(f"{k}/attn/relative_position_bias_table", p[table])
            for part in ("weight", "bias"):
                arrays = [p[f"{t}.attention.{name}_proj.{part}"].T for name in "qkv"]
                name = part.replace("weight", "kernel")
                p.put(f"{k}/attn/attention_qkv/{name}", np.concatenate(arrays, axis=-1))
            p.dense(f"{k}/attn/attention_projection", f"{t}.attention.o_proj")
            p.dense(f"{k}/mlp/fc1", f"{t}.mlp.fc1")
            p.dense(f"{k}/mlp/fc2", f"{t}.mlp.fc2")
    p.dense("stage_0/downsample/reduction", "model.encoder.layers.0.downsample.reduction")
    p.norm("stage_0/downsample/norm", "model.encoder.layers.0.downsample.norm")
    p.norm("norm", "model.layernorm")


PAIRS = (Pair("swin", ("2,3,32,32",)),)
