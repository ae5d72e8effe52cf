"""Whisper: `WhisperModel` and `WhisperBackbone`."""

from parity_tests.check.zoo.building import backbone, transformer
from parity_tests.check.zoo.families.bart import layers
from parity_tests.check.zoo.pair import Pair

_SIZES = {
    "vocab_size": 50,
    "num_mel_bins": 8,
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "max_source_positions": 12,
    "max_target_positions": 20,
    "pad_token_id": 0,
}


def torch_model(matched=False):
    return transformer(
        "Whisper",
        _SIZES,
        ("input_features", "decoder_input_ids", "decoder_attention_mask"),
        ("encoder_last_hidden_state", "last_hidden_state"),
        every_row_learns=matched,
        fixed={"use_cache": False},
    )


def keras_model():
    return backbone(
        "Whisper",
        50,
        2,
        4,
        16,
        24,
        num_mels=8,
        max_encoder_sequence_length=24,
        max_decoder_sequence_length=20,
    )


def port(p):
    for n in (1, 2):
        p.conv(f"encoder_token_embedding_conv_layer_{n}", f"model.encoder.conv{n}")
    p.table("encoder_position_embedding", "model.encoder.embed_positions")
    k, t = "decoder_token_and_position_embedding", "model.decoder"
    p.table(f"{k}/token_embedding", f"{t}.embed_tokens")
    p.table(f"{k}/position_embedding", f"{t}.embed_positions")
    for side in ("encoder", "decoder"):
        layers(p, side)
        p.norm(f"{side}_layer_norm", f"model.{side}.layer_norm")


_INPUTS = ("2,8,24", "2,9:int<50", "2,9:bool")

PAIRS = (
    Pair(
        "whisper",
        _INPUTS,
        kinds=("mask_zero",),
        why="Row 0 of PyTorch's words (pad_token_id) never learns; outputs agree.",
    ),
    Pair("whisper-matched", _INPUTS, {"matched": True}),
)
