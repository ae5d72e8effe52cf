"""Gemma and Gemma 2: `GemmaModel`, `Gemma2Model` and `GemmaBackbone`."""

from parity_tests.check.zoo.building import SIZES, TOKENS, backbone, transformer
from parity_tests.check.zoo.pair import Pair


def torch_model(kind="Gemma", matched=False, **settings):
    config = {**SIZES, "num_key_value_heads": 2, "head_dim": 4, **settings}
    return transformer(kind, config, every_row_learns=matched, fixed={"use_cache": False})


def keras_model(**settings):
    return backbone(
        "Gemma",
        vocabulary_size=50,
        num_layers=2,
        num_query_heads=4,
        num_key_value_heads=2,
        hidden_dim=16,
        intermediate_dim=48,  # of both halves together
        head_dim=4,
        **settings,
    )


def port(p):
    p.table("token_embedding", "model.embed_tokens")
    for i in range(2):
        k, t = f"decoder_block_{i}", f"model.layers.{i}"
        second = f"{t}.pre_feedforward_layernorm.weight" in p
        p.scale(f"{k}/pre_attention_norm", f"{t}.input_layernorm")
        if second:
            p.scale(f"{k}/post_attention_norm", f"{t}.post_attention_layernorm")
            p.scale(f"{k}/pre_ffw_norm", f"{t}.pre_feedforward_layernorm")
            p.scale(f"{k}/post_ffw_norm", f"{t}.post_feedforward_layernorm")
        else:
            p.scale(f"{k}/pre_ffw_norm", f"{t}.post_attention_layernorm")
        for name in ("query", "key", "value"):  # heads, in, out
            kernel = p[f"{t}.self_attn.{name[0]}_proj.weight"].reshape(-1, 4, 16)
            p.put(f"{k}/attention/{name}/kernel", kernel.swapaxes(1, 2))
        p.dense(f"{k}/attention/attention_output", f"{t}.self_attn.o_proj")
        p.dense(f"{k}/ffw_gating", f"{t}.mlp.gate_proj")
        p.dense(f"{k}/ffw_gating_2", f"{t}.mlp.up_proj")
        p.dense(f"{k}/ffw_linear", f"{t}.mlp.down_proj")
    p.scale("final_normalization", "model.norm")


_SECOND = {
    "use_post_ffw_norm": True,
    "use_post_attention_norm": True,
    "attention_logit_soft_cap": 50,
    "use_sliding_window_attention": True,
    "sliding_window_size": 4,
}

PAIRS = (
    Pair(
        "gemma",
        TOKENS,
        kinds=("mask_zero",),
        why="Row 0 of PyTorch's words (pad_token_id) never learns; outputs agree.",
    ),
    Pair("gemma-matched", TOKENS, {"matched": True}),
    Pair(
        "gemma2-matched",
        TOKENS,
        {"kind": "Gemma2", "matched": True, "query_pre_attn_scalar": 4, "sliding_window": 4},
        _SECOND,
    ),
    Pair(
        "gemma2-cap",
        TOKENS,
        {
            "kind": "Gemma2",
            "matched": True,
            "query_pre_attn_scalar": 4,
            "sliding_window": 4,
            "attn_logit_softcapping": 2.0,
        },
        _SECOND,
        kinds=("constant", "scale", "operation"),
        why="Scores are capped at 2 in PyTorch, at 50 in Keras.",
    ),
)
