"""OPT: `OPTModel` and `OPTBackbone`."""

from parity_tests.check.zoo.building import TOKENS, backbone, positions, transformer
from parity_tests.check.zoo.pair import Pair

_SIZES = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "ffn_dim": 24,
    "max_position_embeddings": 20,
    "word_embed_proj_dim": 16,
}


def torch_model(matched=False):
    fixed = {"use_cache": False} | (positions() if matched else {})
    return transformer("OPT", _SIZES, every_row_learns=matched, fixed=fixed)


def keras_model():
    return backbone("OPT", 50, 2, 4, 16, 24, max_sequence_length=20)


def port(p):
    t = "model.decoder"
    p.table("embeddings/token_embedding", f"{t}.embed_tokens")
    p.put("embeddings/position_embedding/embeddings", p[f"{t}.embed_positions.weight"][2:])
    for i in range(2):
        k, t = f"transformer_layer_{i}", f"model.decoder.layers.{i}"
        attention(p, f"{k}/self_attention", f"{t}.self_attn")
        p.norm(f"{k}/self_attention_layer_norm", f"{t}.self_attn_layer_norm")
        feedforward(p, k, t)
    p.norm("layer_norm", "model.decoder.final_layer_norm")


def attention(p, keras, torch):
    """Of OPT, BART and Whisper."""
    for name in ("query", "key", "value"):
        p.dense(f"{keras}/{name}", f"{torch}.{name[0]}_proj")
    p.dense(f"{keras}/attention_output", f"{torch}.out_proj")


def feedforward(p, keras, torch):
    """Of OPT, BART and Whisper."""
    p.dense(f"{keras}/feedforward_intermediate_dense", f"{torch}.fc1")
    p.dense(f"{keras}/feedforward_output_dense", f"{torch}.fc2")
    p.norm(f"{keras}/feedforward_layer_norm", f"{torch}.final_layer_norm")


PAIRS = (
    Pair(
        "opt",
        TOKENS,
        kinds=("mask_zero", "operation", "constant", "wiring", "missing_layer", "mask"),
        why="transformers counts positions over the mask, keras_hub over all tokens; row 1 of "
        "PyTorch's words (pad_token_id) never learns.",
    ),
    Pair("opt-matched", TOKENS, {"matched": True}),
)
