"""Pairs that are right: `CORRECT` with weights transferred, `KEPT_CORRECT` with their own."""

from __future__ import annotations

import re
from typing import Any

from .rows import Pair, place


def _pair(torch: str, keras: str, *inputs: str, name: str = "", **more: Any) -> Pair:
    topic = torch.split(":", maxsplit=1)[0]
    return Pair(
        name or re.sub("(?<!^)(?=[A-Z])", "_", keras).lower(),
        place("torch", torch),
        place("keras", f"{topic}:{keras}"),
        inputs,
        **more,
    )


CORRECT: tuple[Pair, ...] = (
    # Vectors, several inputs and outputs
    _pair("basics:mlp", "mlp", "4,13"),
    _pair("basics:Classifier", "classifier", "6,11", train=True),
    _pair("basics:ImageAndTable", "image_and_table", "2,3,13,11", "2,7"),
    _pair("basics:Detector", "detector", "2,3,12,14"),
    _pair("basics:Encoding", "Encoding", "3,14"),
    _pair("basics:Siamese", "siamese", "3,9", "3,9", train=True),
    _pair("basics:Nested", "nested", "3,8"),
    _pair("basics:Gated", "Gated", "4,9"),
    _pair("basics:Steps", "Steps", "3,7", train=True),
    _pair("basics:Experts", "experts", "3,10"),
    _pair("basics:WideAndDeep", "wide_and_deep", "3,12"),
    _pair("basics:TiedAutoencoder", "TiedAutoencoder", "3,11", train=True, name="tied_autoencoder"),
    _pair("basics:Frozen", "frozen", "3,10", train=True),
    _pair(
        "basics:sized",
        "sized",
        "3,6",
        torch_arguments={"width": 10, "activation": "selu"},
        keras_arguments={"units": 10, "active": "selu"},
    ),
    _pair("basics:PerStep", "per_step", "2,9,6"),
    _pair("basics:Difference", "difference", "3,10"),
    _pair("basics:Swapped", "swapped", "3,9", name="two_heads"),
    _pair("basics:ready", "ready", "3,5"),
    # Images
    _pair("images:SmallCnn", "small_cnn", "3,3,12,10", train=True),
    _pair("images:SmallCnn", "small_cnn_permuted", "2,3,12,10"),
    _pair("images:SmallCnn", "small_cnn_channels_first", "2,3,12,10", keras_inputs=("2,3,12,10",)),
    _pair("images:ResNet", "resnet", "2,3,30,22", train=True),
    _pair("images:ResNet", "ResNet", "2,3,30,22", name="resnet_subclassed"),
    _pair("images:DenseNet", "densenet", "2,3,13,11"),
    _pair("images:Inception", "inception", "2,5,9,10"),
    _pair("images:UNet", "unet", "2,3,16,12"),
    _pair("images:Mobile", "mobile", "2,3,13,15", train=True),
    _pair("images:ResNeXt", "resnext", "2,8,9,7"),
    _pair("images:Aspp", "Aspp", "2,4,11,9"),
    _pair("images:Volume", "volume", "2,2,5,8,6"),
    _pair("images:PaddedByHand", "padded_by_hand", "2,3,18,14"),
    _pair("images:AveragePadded", "average_padded", "2,3,9,12"),
    _pair("images:Style", "style", "2,3,14,12"),
    _pair("images:Espcn", "espcn", "2,1,9,7"),
    _pair("images:Segmenter", "Segmenter", "2,3,14,10"),
    _pair("images:Xception", "xception", "2,4,9,11"),
    _pair("images:ConvNext", "convnext", "2,8,10,9"),
    _pair("images:Generator", "generator", "3,7", train=True),
    _pair("images:Denoiser", "denoiser", "2,2,11,9"),
    _pair("images:Preactivated", "preactivated", "2,6,8,9"),
    _pair("images:RawPixels", "raw_pixels", "2,3,11,13"),
    _pair("images:FrozenNorm", "frozen_norm", "3,3,9,8", train=True),
    _pair("images:Columns", "columns", "2,1,16,13"),
    # Sequences
    _pair("sequences:LastOfLstm", "last_of_lstm", "2,11,6"),
    _pair("sequences:Tagger", "tagger", "2,9:int<23", train=True),
    _pair("sequences:Gru", "Gru", "2,8,5"),
    _pair("sequences:BiLstm", "bi_lstm", "2,9,6"),
    _pair("sequences:BiGruSequence", "bi_gru_sequence", "2,8,5"),
    _pair("sequences:Stacked", "stacked", "2,7,6"),
    _pair("sequences:Simple", "simple", "2,10,4"),
    _pair("sequences:Bag", "bag", "2,12:int<6"),
    _pair("sequences:TextCnn", "text_cnn", "2,13:int<31"),
    _pair("sequences:Tcn", "tcn", "2,4,14", keras_inputs=("2,14,4",)),
    _pair("sequences:Signal", "Signal", "3,3,21", keras_inputs=("3,21,3",)),
    _pair("sequences:Seq2Seq", "seq2seq", "2,9:int<19", "2,7:int<17"),
    _pair(
        "sequences:TiedLanguageModel",
        "TiedLanguageModel",
        "2,8:int<21",
        train=True,
        name="tied_language_model",
    ),
    _pair("sequences:Recommender", "recommender", "2,4:int<12", "2,4:int<15"),
    # Attention
    _pair("attention:EncoderBlock", "encoder_block", "2,7,12"),
    _pair("attention:BuiltIn", "BuiltIn", "2,6,12", name="built_in_encoder"),
    _pair("attention:HandWritten", "hand_written", "2,9,12", name="by_hand_and_built_in"),
    _pair("attention:HandWritten", "HandWritten", "2,9,12", name="by_hand"),
    # The next two say float32 in their own lines.
    _pair("attention:HandWritten", "tutorial", "2,9,12", name="tensorflow_attention"),
    _pair("attention:FusedQkv", "FusedQkv", "2,8,10", name="fused_qkv"),
    _pair("attention:FusedQkv", "separate_qkv", "2,8,10"),
    _pair("attention:Gpt", "gpt", "2,10:int<27"),
    _pair("attention:PaddingMask", "PaddingMask", "2,9,8", "2,9:bool", name="padding_mask"),
    _pair("attention:Cross", "cross", "2,6,7", "2,9,9"),
    _pair("attention:Vit", "vit", "2,3,16,12"),
    _pair("attention:NormByHand", "norm_by_hand", "3,6"),
    _pair("attention:Llama", "Llama", "2,6,10"),
    _pair("attention:AttentionPool", "attention_pool", "2,9,7"),
    _pair("attention:ScaledEmbedding", "ScaledEmbedding", "2,7:int<25", name="scaled_embedding"),
    # Right, though they look different
    _pair("tricks:OddSizes", "odd_sizes", "2,3,17,13"),
    _pair("tricks:InPlace", "InPlace", "2,4,8,7", name="in_place"),
    _pair("tricks:HardOnes", "hard_ones", "3,8"),
    _pair("tricks:AdaptivePools", "adaptive_pools", "2,3,8,12"),
    _pair("tricks:OneByOne", "one_by_one", "2,5,7,8"),
    _pair("tricks:PoolBeforeRelu", "pool_after_relu", "2,2,12,10"),
    _pair("tricks:DepthMultiplier", "depth_multiplier", "2,4,9,10"),
    _pair("tricks:Identities", "identities", "3,9"),
    _pair("tricks:PlaneNorm", "plane_norm", "2,7,6"),
    _pair("tricks:ScaledQueries", "scaled_keys", "2,6,8"),
    _pair("tricks:Cropped", "cropped", "2,5,15", keras_inputs=("2,15,5",)),
    _pair("tricks:TransposedSame", "transposed_same", "2,3,5,7"),
    _pair("tricks:SwishByHand", "swish_by_hand", "3,10"),
    _pair("tricks:MomentumWords", "momentum_words", "3,3,10,8", train=True),
)

KEPT_CORRECT: tuple[Pair, ...] = (
    _pair("kept:convolutions", "convolutions", "2,2,10,8"),
    _pair("kept:squares", "squares", "3,8"),
    _pair("kept:recurrent", "recurrent", "2,9,5"),
    _pair("kept:depthwise", "depthwise", "2,4,8,9"),
)
