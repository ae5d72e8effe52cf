"""T5: `T5Model` and `T5Backbone`."""

from parity_tests.check.zoo.building import backbone, transformer
from parity_tests.check.zoo.pair import Pair

_SIZES = {"vocab_size": 50, "d_model": 16, "d_kv": 4, "d_ff": 24, "num_layers": 2, "num_heads": 4}


def torch_model(**settings):
    return transformer(
        "T5",
        {**_SIZES, **settings},
        ("input_ids", "attention_mask", "decoder_input_ids", "decoder_attention_mask"),
        ("encoder_last_hidden_state", "last_hidden_state"),
        fixed={"use_cache": False},
    )


def keras_model(tanh_gelu=False, **settings):
    from keras_hub.src.utils.keras_utils import gelu_approximate

    if tanh_gelu:
        settings["activation"] = gelu_approximate
    return backbone("T5", 50, 2, 4, 16, 24, **settings)


def port(p):
    p.table("token_embedding", "model.shared")
    p.ignore("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight")
    _stack(p, "encoder", 2)
    _stack(p, "decoder", 3)


def _stack(p, side, steps):
    count = 0 if side == "encoder" else 4  # Keras numbers its norms on
    for i in range(2):
        k = f"transformer_{side}_layer_{i}"
        for step in range(steps):
            t = f"model.{side}.block.{i}.layer.{step}"
            p.put(
                f"{k}/t5_layer_norm{f'_{count}' if count else ''}/weight",
                p[f"{t}.layer_norm.weight"],
            )
            count += 1
            if step == steps - 1:
                t += ".DenseReluDense"
                if f"{t}.wi_1.weight" in p:
                    p.dense(f"{k}/gate_projector", f"{t}.wi_1")
                    p.dense(f"{k}/input_projector", f"{t}.wi_0")
                else:
                    p.dense(f"{k}/input_projector", f"{t}.wi")
                p.dense(f"{k}/output_projector", f"{t}.wo")
                continue
            name = ("self_attention", "cross_attention")[step]
            t += (".SelfAttention", ".EncDecAttention")[step]
            for keras, torch in (("query", "q"), ("key", "k"), ("value", "v"), ("output", "o")):
                p.dense(f"{k}/{name}/{keras}_projector", f"{t}.{torch}")
            if f"{t}.relative_attention_bias.weight" in p:
                p.table("self_attention", f"{t}.relative_attention_bias")
    p.put(f"{side}_output_layer_norm/weight", p[f"model.{side}.final_layer_norm.weight"])


_INPUTS = ("2,11:int<50", "2,11:bool", "2,9:int<50", "2,9:bool")

PAIRS = (
    Pair(
        "t5",
        _INPUTS,
        {"feed_forward_proj": "gated-gelu"},
        kinds=("activation",),
        layer=("*act*", "*relu*", "*gelu*"),
        why="T5 1.1's gate is GELU; keras_hub's default activation is ReLU.",
    ),
    Pair("t5-matched", _INPUTS, {}, {"use_gated_activation": False}),
    Pair(
        "t5-gated-matched",
        _INPUTS,
        {"feed_forward_proj": "gated-gelu"},
        {"tanh_gelu": True},
    ),
)
