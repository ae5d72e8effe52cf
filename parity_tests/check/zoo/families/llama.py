"""Llama, Mistral, Qwen2, Qwen3, Mixtral: one layout of layers."""

import numpy as np

from parity_tests.check.zoo.building import SIZES, TOKENS, backbone, transformer
from parity_tests.check.zoo.pair import Pair

_KERAS = {"Qwen2": "Qwen"}


def torch_model(kind="Llama", **settings):
    config = {**SIZES, "num_key_value_heads": 2, **settings}
    return transformer(kind, config, fixed={"use_cache": False})


def keras_model(kind="Llama", **settings):
    return backbone(
        _KERAS.get(kind, kind),
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
    p.alone("token_embedding/reverse_embeddings")  # of the head, which a backbone has not
    for i in range(2):
        k, t = f"transformer_layer_{i}", f"model.layers.{i}"
        p.scale(f"{k}/self_attention_layernorm", f"{t}.input_layernorm")
        for keras, torch in (
            ("query", "q"),
            ("key", "k"),
            ("value", "v"),
            ("attention_output", "o"),
        ):
            p.dense(f"{k}/self_attention/{keras}", f"{t}.self_attn.{torch}_proj")
            if f"{t}.self_attn.{torch}_norm.weight" in p:
                name = f"self_attention/{keras}_dense_layernorm"
                p.scale(f"{k}/{name}", f"{t}.self_attn.{torch}_norm")
        p.scale(f"{k}/feedforward_layernorm", f"{t}.post_attention_layernorm")
        if f"{t}.mlp.gate.weight" in p:
            name = "mixtral_sparse_moe_block" + (f"_{i}" if i else "")
            _experts(p, f"{k}/{name}", f"{t}.mlp")
            continue
        p.dense(f"{k}/feedforward_intermediate_dense", f"{t}.mlp.up_proj")
        p.dense(f"{k}/feedforward_gate_dense", f"{t}.mlp.gate_proj")
        p.dense(f"{k}/feedforward_output_dense", f"{t}.mlp.down_proj")
    p.scale("sequence_output_layernorm", "model.norm")


def _experts(p, k, t):
    p.dense(f"{k}/sparse_feedforward_gate_dense", f"{t}.gate")
    gate, up = np.split(p[f"{t}.experts.gate_up_proj"].swapaxes(1, 2), 2, axis=2)
    p.put(f"{k}/experts/expert_feedforward_gate_dense", gate)
    p.put(f"{k}/experts/expert_feedforward_intermediate_dense", up)
    down = p[f"{t}.experts.down_proj"].swapaxes(1, 2)
    p.put(f"{k}/experts/expert_feedforward_output_dense", down)


def _pair(kind, name=None, torch=(), keras=(), **more):
    settings = {"kind": kind, **dict(torch)}, {"kind": kind, **dict(keras)}
    return Pair(name or kind.lower(), TOKENS, *settings, **more)


_NORM = ("*input_layernorm*", "*self_attention_layernorm*")

PAIRS = (
    _pair("Llama"),
    _pair(
        "Llama",
        "llama-epsilon",
        {"rms_norm_eps": 1e-5},
        kinds=("epsilon",),
        layer=_NORM,
        why="Epsilon 1e-5 in PyTorch (as Llama 2 and 3 have it), 1e-6 in keras_hub by default.",
    ),
    _pair(
        "Llama",
        "llama-rope",
        {},
        {"rope_max_wavelength": 500000},
        kinds=("constant", "scale", "operation"),
        why="The longest wave of the rotary embedding: 10000 in PyTorch, 500000 in Keras.",
    ),
    _pair("Mistral"),
    _pair(
        "Mistral",
        "mistral-window",
        {"sliding_window": 4},
        {"sliding_window": 6},
        kinds=("mask", "constant"),
        why="Sliding windows of 4 and 6 tokens.",
    ),
    _pair("Qwen2"),
    _pair(
        "Qwen3",
        None,
        {"head_dim": 4},
        {"head_dim": 4},
        kinds=("epsilon",),
        layer=("*q_norm*", "*k_norm*", "*dense_layernorm*"),
        why="keras_hub's Qwen3Attention has 1e-5 for its norms of queries and keys whatever the "
        "backbone is given; transformers has rms_norm_eps, 1e-6, for all.",
    ),
    _pair(
        "Qwen3",
        "qwen3-matched",
        {"head_dim": 4, "rms_norm_eps": 1e-5},
        {"head_dim": 4, "layer_norm_epsilon": 1e-5},
    ),
    _pair(
        "Mixtral",
        None,
        {"num_local_experts": 4},
        {"num_experts": 4},
        kinds=("epsilon", "constant", "scale", "operation"),
        layer=_NORM,
        why="Epsilon 1e-5 in MixtralConfig, 1e-6 in keras_hub; the longest wave of the rotary "
        "embedding 1000000 here, 10000 there.",
    ),
    _pair(
        "Mixtral",
        "mixtral-matched",
        {"num_local_experts": 4, "rms_norm_eps": 1e-6},
        {"num_experts": 4, "rope_max_wavelength": 1000000},
    ),
)
