"""DistilBERT: `DistilBertModel` and `DistilBertBackbone`."""

from parity_tests.check.zoo.building import TOKENS, backbone, transformer
from parity_tests.check.zoo.pair import Pair

_SIZES = {
    "vocab_size": 50,
    "dim": 16,
    "n_layers": 2,
    "n_heads": 4,
    "hidden_dim": 24,
    "max_position_embeddings": 20,
}


def torch_model(matched=False):
    return transformer("DistilBert", _SIZES, every_row_learns=matched)


def keras_model():
    return backbone("DistilBert", 50, 2, 4, 16, 24, max_sequence_length=20)


def port(p):
    k, t = "token_and_position_embedding", "model.embeddings"
    p.table(f"{k}/token_embedding", f"{t}.word_embeddings")
    p.table(f"{k}/position_embedding", f"{t}.position_embeddings")
    p.norm("embeddings_layer_norm", f"{t}.LayerNorm")
    for i in range(2):
        k, t = f"transformer_layer_{i}", f"model.transformer.layer.{i}"
        for name in ("query", "key", "value"):
            p.dense(f"{k}/self_attention_layer/{name}", f"{t}.attention.{name[0]}_lin")
        p.dense(f"{k}/self_attention_layer/attention_output", f"{t}.attention.out_lin")
        p.norm(f"{k}/self_attention_layer_norm", f"{t}.sa_layer_norm")
        p.dense(f"{k}/feedforward_intermediate_dense", f"{t}.ffn.lin1")
        p.dense(f"{k}/feedforward_output_dense", f"{t}.ffn.lin2")
        p.norm(f"{k}/feedforward_layer_norm", f"{t}.output_layer_norm")


PAIRS = (
    Pair(
        "distilbert",
        TOKENS,
        kinds=("mask_zero",),
        why="Row 0 of PyTorch's words (pad_token_id) never learns; outputs agree.",
    ),
    Pair("distilbert-matched", TOKENS, {"matched": True}),
)
