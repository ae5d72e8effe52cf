"""ELECTRA: `ElectraModel` and `ElectraBackbone`."""

from parity_tests.check.zoo.building import SIZES, transformer
from parity_tests.check.zoo.families.bert import INPUTS, embeddings, encoder
from parity_tests.check.zoo.pair import Pair


def torch_model(matched=False, **settings):
    return transformer(
        "Electra",
        {**SIZES, "embedding_size": 12, "max_position_embeddings": 20, **settings},
        ("input_ids", "token_type_ids", "attention_mask"),
        every_row_learns=matched,
    )


def keras_model():
    import keras
    from keras_hub.src.models.electra.electra_backbone import ElectraBackbone

    model = ElectraBackbone(50, 2, 4, 16, 12, 24, max_sequence_length=20)
    return keras.Model(model.input, model.output["sequence_output"])


def port(p):
    embeddings(p)
    p.dense("embeddings_projection", "model.embeddings_project")
    encoder(p)


PAIRS = (
    Pair(
        "electra",
        INPUTS,
        kinds=("activation", "mask_zero"),
        layer=("*intermediate_act_fn*", "*gelu*", "*intermediate_dense*"),
        why="keras_hub takes GELU by its tanh formula, transformers by erf; row 0 of PyTorch's "
        "words (pad_token_id) never learns.",
    ),
    Pair("electra-matched", INPUTS, {"matched": True, "hidden_act": "gelu_pytorch_tanh"}),
)
