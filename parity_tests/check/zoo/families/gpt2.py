"""GPT-2: `GPT2Model` and `GPT2Backbone`."""

import numpy as np

from parity_tests.check.zoo.building import TOKENS, backbone, transformer
from parity_tests.check.zoo.pair import Pair

_SIZES = {
    "vocab_size": 50,
    "n_embd": 16,
    "n_layer": 2,
    "n_head": 4,
    "n_inner": 24,
    "n_positions": 20,
    "bos_token_id": 0,
    "eos_token_id": 0,
}


def torch_model(**settings):
    return transformer("GPT2", {**_SIZES, **settings}, fixed={"use_cache": False})


def keras_model():
    return backbone("GPT2", 50, 2, 4, 16, 24, max_sequence_length=20)


def port(p):
    p.table("token_embedding", "model.wte")
    p.table("position_embedding", "model.wpe")
    for i in range(2):
        k, t = f"transformer_layer_{i}", f"model.h.{i}"
        p.norm(f"{k}/self_attention_layer_norm", f"{t}.ln_1")
        for part in ("weight", "bias"):
            arrays = np.split(p[f"{t}.attn.c_attn.{part}"], 3, axis=-1)
            for name, array in zip(("query", "key", "value"), arrays, strict=True):
                p.put(f"{k}/self_attention/{name}/{part.replace('weight', 'kernel')}", array)
        for keras, torch in (
            ("self_attention/attention_output", "attn.c_proj"),
            ("feedforward_intermediate_dense", "mlp.c_fc"),
            ("feedforward_output_dense", "mlp.c_proj"),
        ):
            p.put(f"{k}/{keras}/kernel", p[f"{t}.{torch}.weight"])
            p.bias(f"{k}/{keras}", f"{t}.{torch}")
        p.norm(f"{k}/feedforward_layer_norm", f"{t}.ln_2")
    p.norm("layer_norm", "model.ln_f")


PAIRS = (
    Pair("gpt2", TOKENS),
    Pair(
        "gpt2-erf",
        TOKENS,
        {"activation_function": "gelu"},
        kinds=("activation",),
        layer=("*mlp.act*", "*gelu*", "*intermediate_dense*"),
        why="GELU by erf in PyTorch, by tanh in keras_hub.",
    ),
    Pair(
        "gpt2-epsilon",
        TOKENS,
        {"layer_norm_epsilon": 1e-6},
        kinds=("epsilon",),
        layer=("*ln_1*", "*layer_norm*"),
        why="Epsilon 1e-6 in PyTorch, 1e-5 in keras_hub.",
    ),
)
