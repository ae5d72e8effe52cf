"""RoBERTa: `RobertaModel` and `RobertaBackbone`."""

from parity_tests.check.zoo.building import SIZES, TOKENS, backbone, positions, transformer
from parity_tests.check.zoo.families.bert import encoder
from parity_tests.check.zoo.pair import Pair


def torch_model(matched=False, **settings):
    return transformer(
        "Roberta",
        {**SIZES, "max_position_embeddings": 22, "type_vocab_size": 1, **settings},
        every_row_learns=matched,
        fixed=positions(2) if matched else None,
        add_pooling_layer=False,
    )


def keras_model():
    return backbone("Roberta", 50, 2, 4, 16, 24, max_sequence_length=20)


def port(p):
    t = "model.embeddings"
    p.table("embeddings/token_embedding", f"{t}.word_embeddings")
    rows, kind = p[f"{t}.position_embeddings.weight"][2:], p[f"{t}.token_type_embeddings.weight"]
    p.put("embeddings/position_embedding/embeddings", rows if p.gradients else rows + kind)
    p.norm("embeddings_layer_norm", f"{t}.LayerNorm")
    encoder(p)


PAIRS = (
    Pair(
        "roberta",
        TOKENS,
        kinds=("epsilon", "mask_zero", "constant", "wiring", "operation", "mask", "missing_layer"),
        why="Epsilon 1e-12 in RobertaConfig, 1e-5 in keras_hub; transformers counts positions over "
        "ids that are not 1, keras_hub over all; row 1 never learns in PyTorch.",
    ),
    Pair("roberta-matched", TOKENS, {"matched": True, "layer_norm_eps": 1e-5}),
)
