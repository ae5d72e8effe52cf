"""Phi-3: `Phi3Model` and `Phi3Backbone`; projections in one on PyTorch's side."""

import numpy as np

from parity_tests.check.zoo.building import SIZES, TOKENS, backbone, transformer
from parity_tests.check.zoo.pair import Pair


def torch_model(**settings):
    config = {**SIZES, "num_key_value_heads": 2, "pad_token_id": None, **settings}
    return transformer("Phi3", config, fixed={"use_cache": False})


def keras_model(**settings):
    return backbone(
        "Phi3",
        vocabulary_size=50,
        num_layers=2,
        num_query_heads=4,
        hidden_dim=16,
        intermediate_dim=24,
        num_key_value_heads=2,
        **settings,
    )


def port(p):
    p.table("token_embedding", "model.embed_tokens")
    p.alone("token_embedding/reverse_embeddings")
    for i in range(2):
        k, t = f"transformer_layer_{i}", f"model.layers.{i}"
        p.scale(f"{k}/pre_attention_layernorm", f"{t}.input_layernorm")
        kernels = np.split(p[f"{t}.self_attn.qkv_proj.weight"].T, (16, 24), axis=1)
        for name, kernel in zip(("query", "key", "value"), kernels, strict=True):
            p.put(f"{k}/attention/{name}/kernel", kernel)
        p.dense(f"{k}/attention/attention_output", f"{t}.self_attn.o_proj")
        p.scale(f"{k}/post_attention_layernorm", f"{t}.post_attention_layernorm")
        gate, up = np.split(p[f"{t}.mlp.gate_up_proj.weight"].T, 2, axis=1)
        p.put(f"{k}/feedforward_gate_dense/kernel", gate)
        p.put(f"{k}/feedforward_intermediate_dense/kernel", up)
        p.dense(f"{k}/feedforward_output_dense", f"{t}.mlp.down_proj")
    p.scale("sequence_output_layernorm", "model.norm")


PAIRS = (
    Pair(
        "phi3",
        TOKENS,
        kinds=("epsilon",),
        layer=("*input_layernorm*", "*pre_attention_layernorm*"),
        why="Epsilon 1e-5 in Phi3Config, 1e-6 in keras_hub.",
    ),
    Pair("phi3-matched", TOKENS, {"rms_norm_eps": 1e-6}),
)
