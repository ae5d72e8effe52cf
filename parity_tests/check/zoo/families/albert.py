"""ALBERT: `AlbertModel` and `AlbertBackbone`; one layer, used twice."""

from parity_tests.check.zoo.building import SIZES, backbone, transformer
from parity_tests.check.zoo.families.bert import INPUTS, embeddings
from parity_tests.check.zoo.pair import Pair


def torch_model(matched=False, **settings):
    return transformer(
        "Albert",
        {**SIZES, "embedding_size": 12, "max_position_embeddings": 20, **settings},
        ("input_ids", "token_type_ids", "attention_mask"),
        ("last_hidden_state", "pooler_output"),
        every_row_learns=matched,
    )


def keras_model():
    return backbone("Albert", 50, 2, 4, 12, 16, 24, max_sequence_length=20)


def port(p):
    embeddings(p)
    p.dense("embedding_projection", "model.encoder.embedding_hidden_mapping_in")
    k, t = "group_0_inner_layer_0", "model.encoder.albert_layer_groups.0.albert_layers.0"
    for name in ("query", "key", "value"):
        p.dense(f"{k}/self_attention_layer/{name}", f"{t}.attention.{name}")
    p.dense(f"{k}/self_attention_layer/attention_output", f"{t}.attention.dense")
    p.norm(f"{k}/self_attention_layer_norm", f"{t}.attention.LayerNorm")
    p.dense(f"{k}/feedforward_intermediate_dense", f"{t}.ffn")
    p.dense(f"{k}/feedforward_output_dense", f"{t}.ffn_output")
    p.norm(f"{k}/feedforward_layer_norm", f"{t}.full_layer_layer_norm")
    p.dense("pooled_dense", "model.pooler")


PAIRS = (
    Pair(
        "albert",
        INPUTS,
        kinds=("mask_zero",),
        why="Row 0 of PyTorch's words (pad_token_id) never learns; outputs agree.",
    ),
    Pair("albert-matched", INPUTS, {"matched": True}),
)
