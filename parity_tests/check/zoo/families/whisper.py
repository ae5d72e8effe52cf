"""Whisper: `WhisperModel` and `WhisperBackbone`."""

import numpy as np

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


def keras_model(matched=False):
    model = backbone(
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
    if matched:
        model.encoder_position_embedding.position_embeddings.assign(_sinusoids(12, 16))
    return model


def _sinusoids(steps, size):
    """What Whisper's encoder adds to its steps: sines beside cosines."""
    waves = 10000.0 ** (-np.arange(size // 2) / (size // 2 - 1))
    angles = np.arange(steps)[:, None] * waves
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


def port(p):
    for n in (1, 2):
        p.conv(f"encoder_token_embedding_conv_layer_{n}", f"model.encoder.conv{n}")
    p.alone("encoder_position_embedding/embeddings")  # neither side's learns: each has its own
    p.ignore("model.encoder.embed_positions.weight")
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
        kinds=("weights", "mask_zero"),
        layer=("model.encoder.*", "encoder_*"),
        why="The encoder's positions, which never learn, are sinusoids in transformers and random "
        "in keras_hub; row 0 of PyTorch's words (pad_token_id) never learns.",
    ),
    Pair("whisper-matched", _INPUTS, {"matched": True}, {"matched": True}),
)
