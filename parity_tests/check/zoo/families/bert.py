"""BERT: `BertModel` and `BertBackbone`."""

from parity_tests.check.zoo.building import SIZES, backbone, transformer
from parity_tests.check.zoo.pair import Pair


def torch_model(matched=False, **settings):
    return transformer(
        "Bert",
        {**SIZES, "max_position_embeddings": 20, **settings},
        ("input_ids", "token_type_ids", "attention_mask"),
        ("last_hidden_state", "pooler_output"),
        every_row_learns=matched,
    )


def keras_model():
    return backbone("Bert", 50, 2, 4, 16, 24, max_sequence_length=20)


def port(p):
    embeddings(p)
    encoder(p)
    p.dense("pooled_dense", "model.pooler.dense")


def embeddings(p):
    """Of BERT, ALBERT and ELECTRA."""
    p.table("token_embedding", "model.embeddings.word_embeddings")
    p.table("position_embedding", "model.embeddings.position_embeddings")
    p.table("segment_embedding", "model.embeddings.token_type_embeddings")
    p.norm("embeddings_layer_norm", "model.embeddings.LayerNorm")


def encoder(p):
    """Of BERT, RoBERTa and ELECTRA."""
    for i in range(2):
        k, t = f"transformer_layer_{i}", f"model.encoder.layer.{i}"
        for name in ("query", "key", "value"):
            p.dense(f"{k}/self_attention_layer/{name}", f"{t}.attention.self.{name}")
        p.dense(f"{k}/self_attention_layer/attention_output", f"{t}.attention.output.dense")
        p.norm(f"{k}/self_attention_layer_norm", f"{t}.attention.output.LayerNorm")
        p.dense(f"{k}/feedforward_intermediate_dense", f"{t}.intermediate.dense")
        p.dense(f"{k}/feedforward_output_dense", f"{t}.output.dense")
        p.norm(f"{k}/feedforward_layer_norm", f"{t}.output.LayerNorm")


INPUTS = ("2,11:int<50", "2,11:int<2", "2,11:bool")
_GELU = ("*intermediate_act_fn*", "*gelu*", "*intermediate_dense*")

PAIRS = (
    Pair(
        "bert",
        INPUTS,
        kinds=("activation", "mask_zero"),
        layer=_GELU,
        why="keras_hub takes GELU by its tanh formula, transformers by erf; row 0 of PyTorch's "
        "words (pad_token_id) never learns.",
    ),
    Pair("bert-matched", INPUTS, {"matched": True, "hidden_act": "gelu_pytorch_tanh"}),
    Pair("bert-gelu-new", INPUTS, {"matched": True, "hidden_act": "gelu_new"}),
    Pair(
        "bert-relu",
        INPUTS,
        {"matched": True, "hidden_act": "relu"},
        kinds=("activation",),
        layer=_GELU,
        why="ReLU here, GELU there.",
    ),
)
