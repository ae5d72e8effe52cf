"""GPT-NeoX: `GPTNeoXModel` and `GPTNeoXBackbone`."""

from parity_tests.check.zoo.building import SIZES, TOKENS, backbone, transformer
from parity_tests.check.zoo.pair import Pair

_SIZES = {**SIZES, "hidden_size": 32, "num_attention_heads": 2}


def torch_model(**settings):
    return transformer("GPTNeoX", {**_SIZES, **settings}, fixed={"use_cache": False})


def keras_model():
    return backbone(
        "GPTNeoX",
        vocabulary_size=50,
        num_layers=2,
        num_heads=2,
        hidden_dim=32,
        intermediate_dim=24,
    )


def port(p):
    p.table("token_embedding", "model.embed_in")
    for i in range(2):
        k, t = f"transformer_layer_{i}", f"model.layers.{i}"
        p.norm(f"{k}/self_attention_layer_norm", f"{t}.input_layernorm")
        p.dense(f"{k}/self_attention/query_key_value", f"{t}.attention.query_key_value")
        p.dense(f"{k}/self_attention/attention_output", f"{t}.attention.dense")
        p.norm(f"{k}/feedforward_layer_norm", f"{t}.post_attention_layernorm")
        p.dense(f"{k}/feedforward_intermediate_dense", f"{t}.mlp.dense_h_to_4h")
        p.dense(f"{k}/feedforward_output_dense", f"{t}.mlp.dense_4h_to_h")
    p.norm("layer_norm", "model.final_layer_norm")


PAIRS = (
    Pair(
        "neox",
        TOKENS,
        kinds=("activation",),
        layer=("*mlp.act*", "*gelu*", "*intermediate_dense*"),
        why="keras_hub takes GELU by its tanh formula, transformers by erf.",
    ),
    Pair("neox-matched", TOKENS, {"hidden_act": "gelu_pytorch_tanh"}),
)
