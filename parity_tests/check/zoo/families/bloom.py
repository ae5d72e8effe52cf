"""BLOOM, Falcon and GPT-NeoX: queries, keys and values in one projection on PyTorch's side."""

import numpy as np

from parity_tests.check.zoo.building import TOKENS, backbone, transformer
from parity_tests.check.zoo.pair import Pair

_SIZES = {"vocab_size": 50, "hidden_size": 16, "n_layer": 2, "n_head": 4}


def torch_model(masked=True, **settings):
    names = ("input_ids", "attention_mask") if masked else ("input_ids",)
    return transformer("Bloom", {**_SIZES, **settings}, names, fixed={"use_cache": False})


def keras_model(masked=True):
    from keras import Model, ops

    model = backbone(
        "Bloom",
        vocabulary_size=50,
        num_layers=2,
        num_heads=4,
        hidden_dim=16,
        intermediate_dim=64,
    )
    if masked:
        return model
    ids = model.input["token_ids"]
    return Model(ids, model({"token_ids": ids, "padding_mask": ops.ones_like(ids)}))


def port(p):
    p.table("token_embedding", "model.word_embeddings")
    p.norm("embedding_layernorm", "model.word_embeddings_layernorm")
    for i in range(2):
        k, t = f"transformer_layer_{i}", f"model.h.{i}"
        p.norm(f"{k}/pre_attention_layernorm", f"{t}.input_layernorm")
        fused(p, f"{k}/self_attention", f"{t}.self_attention.query_key_value", 4)
        p.dense(f"{k}/self_attention/output_dense", f"{t}.self_attention.dense")
        p.norm(f"{k}/post_attention_layernorm", f"{t}.post_attention_layernorm")
        p.dense(f"{k}/mlp_intermediate_dense", f"{t}.mlp.dense_h_to_4h")
        p.dense(f"{k}/mlp_output_dense", f"{t}.mlp.dense_4h_to_h")
    p.norm("final_layernorm", "model.ln_f")


def fused(p, keras, torch, heads):
    """Heads × (query, key, value) × size, as BLOOM and Falcon lay them out."""
    kernel, bias = p[f"{torch}.weight"], p[f"{torch}.bias"]
    kernels = kernel.reshape(heads, 3, -1, kernel.shape[1])
    for n, name in enumerate(("query", "key", "value")):
        p.put(f"{keras}/{name}_dense/kernel", np.moveaxis(kernels[:, n], 2, 0))
        p.put(f"{keras}/{name}_dense/bias", bias.reshape(heads, 3, -1)[:, n])


PAIRS = (
    Pair(
        "bloom",
        TOKENS,
        kinds=("operation", "constant", "wiring", "missing_layer", "mask"),
        why="transformers counts ALiBi's positions over the mask, keras_hub over all tokens.",
    ),
    Pair(
        "bloom-unmasked",
        ("2,11:int<50",),
        {"masked": False},
        {"masked": False},
        shortened="BloomGelu has 0.79788456 for √(2/π)",
    ),
)
