"""Falcon: `FalconModel` and `FalconBackbone`, which is Falcon RW's architecture."""

from parity_tests.check.zoo.building import TOKENS, backbone, transformer
from parity_tests.check.zoo.families.bloom import fused
from parity_tests.check.zoo.pair import Pair

_SIZES = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4}
_RW = {"alibi": True, "multi_query": False, "parallel_attn": False, "bias": True}


def torch_model(masked=True, **settings):
    names = ("input_ids", "attention_mask") if masked else ("input_ids",)
    return transformer("Falcon", {**_SIZES, **_RW, **settings}, names, fixed={"use_cache": False})


def keras_model(masked=True):
    from keras import Model, ops

    model = backbone(
        "Falcon",
        vocabulary_size=50,
        num_layers=2,
        num_attention_heads=4,
        hidden_dim=16,
        intermediate_dim=64,
    )
    if masked:
        return model
    ids = model.input["token_ids"]
    return Model(ids, model({"token_ids": ids, "padding_mask": ops.ones_like(ids)}))


def port(p):
    p.table("token_embedding", "model.word_embeddings")
    for i in range(2):
        k, t = f"transformer_layer_{i}", f"model.h.{i}"
        p.norm(f"{k}/input_layernorm", f"{t}.input_layernorm")
        fused(p, f"{k}/attention", f"{t}.self_attention.query_key_value", 4)
        p.dense(f"{k}/attention/output_dense", f"{t}.self_attention.dense")
        p.norm(f"{k}/post_attention_layernorm", f"{t}.post_attention_layernorm")
        p.dense(f"{k}/dense_h_to_4h", f"{t}.mlp.dense_h_to_4h")
        p.dense(f"{k}/dense_4h_to_h", f"{t}.mlp.dense_4h_to_h")
    p.norm("final_layernorm", "model.ln_f")


PAIRS = (
    Pair("falcon", TOKENS),
    Pair("falcon-unmasked", ("2,11:int<50",), {"masked": False}, {"masked": False}),
)
