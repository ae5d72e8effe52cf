"""BART: `BartModel` and `BartBackbone`."""

from parity_tests.check.zoo.building import backbone, transformer
from parity_tests.check.zoo.families.opt import attention, feedforward
from parity_tests.check.zoo.pair import Pair

_SIZES = {
    "vocab_size": 50,
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "max_position_embeddings": 20,
}


def torch_model(matched=False, **settings):
    return transformer(
        "Bart",
        {**_SIZES, **settings},
        ("input_ids", "attention_mask", "decoder_input_ids", "decoder_attention_mask"),
        ("encoder_last_hidden_state", "last_hidden_state"),
        every_row_learns=matched,
        fixed={"use_cache": False},
    )


def keras_model():
    return backbone("Bart", 50, 2, 4, 16, 24, max_sequence_length=20)


def port(p):
    p.table("token_embedding", "model.shared")
    p.ignore("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight")
    for side in ("encoder", "decoder"):
        t = f"model.{side}"
        p.put(f"{side}_position_embedding/embeddings", p[f"{t}.embed_positions.weight"][2:])
        p.norm(f"{side}_embeddings_layer_norm", f"{t}.layernorm_embedding")
        layers(p, side)


def layers(p, side):
    """Of BART and Whisper."""
    for i in range(2):
        k, t = f"transformer_{side}_layer_{i}", f"model.{side}.layers.{i}"
        layer = "self_attention_layer" if side == "encoder" else "self_attention"
        attention(p, f"{k}/{layer}", f"{t}.self_attn")
        p.norm(f"{k}/self_attention_layer_norm", f"{t}.self_attn_layer_norm")
        if side == "decoder":
            attention(p, f"{k}/cross_attention", f"{t}.encoder_attn")
            p.norm(f"{k}/cross_attention_layer_norm", f"{t}.encoder_attn_layer_norm")
        feedforward(p, k, t)


_INPUTS = ("2,11:int<50", "2,11:bool", "2,9:int<50", "2,9:bool")

PAIRS = (
    Pair(
        "bart",
        _INPUTS,
        kinds=("mask_zero",),
        why="Row 1 of PyTorch's words (pad_token_id) never learns; outputs agree.",
    ),
    Pair("bart-matched", _INPUTS, {"matched": True}),
)
