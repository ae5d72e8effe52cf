"""CLIP's and SigLIP's two encoders: transformers' and keras_hub's."""

import numpy as np

from parity_tests.check.zoo.building import SIZES as TEXT
from parity_tests.check.zoo.building import transformer
from parity_tests.check.zoo.families.vit import IMAGES, SIZES
from parity_tests.check.zoo.pair import Pair

_VISION = {**SIZES, "intermediate_size": 24}


def torch_model(kind, output="pooler_output", last_epsilon=None):
    if kind.endswith("VisionModel"):
        return transformer(kind, _VISION, ("pixel_values",), (output,))
    model = transformer(kind, {**TEXT, "max_position_embeddings": 11}, ("input_ids",), (output,))
    if last_epsilon:
        model.model.final_layer_norm.eps = last_epsilon
    return model


def keras_model(kind, matched=False):
    import keras
    import keras_hub

    made = getattr(keras_hub.models, kind)
    if kind.endswith("TextEncoder"):
        return made(50, 16, 16, 2, 4, 24, max_sequence_length=11)
    model = made(8, 16, 2, 4, 24, image_shape=(16, 16, 3))
    if matched:
        model.embedding.position_ids.assign(np.arange(5)[None])
        return keras.Model(model.input, model.output[:, 0])
    return model


def port(p):
    siglip = "model.head.bias" in p or "model.head.probe" in p
    vision = "model.embeddings.patch_embedding.weight" in p
    t = "model.embeddings"
    if vision:
        p.conv("embedding/patch_embedding", f"{t}.patch_embedding")
    else:
        p.table("embedding/token_embedding", f"{t}.token_embedding")
    if vision and not siglip:
        p.put("embedding/class_embedding", p[f"{t}.class_embedding"])
        p.norm("pre_layer_norm", "model.pre_layrnorm")
        p.norm("layer_norm", "model.post_layernorm")
    p.table("embedding/position_embedding", f"{t}.position_embedding")
    for i in range(2):
        k, t = f"encoder_block_{i}", f"model.encoder.layers.{i}"
        for n in (1, 2):
            p.norm(f"{k}/layer_norm{n}" if siglip else f"{k}/layer_norm_{n}", f"{t}.layer_norm{n}")
            p.dense(f"{k}/mlp/fc{n}" if siglip else f"{k}/dense_{n}", f"{t}.mlp.fc{n}")
        attention = f"{k}/self_attn" if siglip else f"{k}/attention"
        for name in ("query", "key", "value"):
            p.dense(f"{attention}/{name}", f"{t}.self_attn.{name[0]}_proj")
        p.dense(f"{attention}/attention_output", f"{t}.self_attn.out_proj")
    if siglip:
        last = "model.post_layernorm" if vision else "model.final_layer_norm"
        p.norm("post_layer_norm", last)
        _pool(p) if vision else p.dense("head", "model.head")
    elif not vision:
        p.norm("layer_norm", "model.final_layer_norm")


def _pool(p):
    p.put("head/variable", p["model.head.probe"])
    kernels = np.split(p["model.head.attention.in_proj_weight"].T, 3, axis=1)
    biases = np.split(p["model.head.attention.in_proj_bias"], 3)
    for name, kernel, bias in zip(("query", "key", "value"), kernels, biases, strict=True):
        p.put(f"head/attention/{name}/kernel", kernel)
        p.put(f"head/attention/{name}/bias", bias)
    p.dense("head/attention/attention_output", "model.head.attention.out_proj")
    p.norm("head/layernorm", "model.head.layernorm")
    for n in (1, 2):
        p.dense(f"head/mlp/fc{n}", f"model.head.mlp.fc{n}")


_IDS = ("2,11:int<50",)
_VISIONS = {"kind": "CLIP:VisionModel"}, {"kind": "CLIPVisionEncoder"}
_TEXTS = {"kind": "CLIP:TextModel", "output": "last_hidden_state"}, {"kind": "CLIPTextEncoder"}

PAIRS = (
    Pair(
        "clip-vision",
        IMAGES,
        {**_VISIONS[0], "output": "last_hidden_state"},
        _VISIONS[1],
        kinds=("constant", "missing_layer", "extra_layer"),
        layer=("*position_embedding*",),
        why="keras_hub's position_ids are a weight that begins with zeros, so that a model that is "
        "not loaded adds one position to all; its sequence has gone through the last norm, which "
        "in transformers is for the pooled output alone.",
    ),
    Pair("clip-vision-matched", IMAGES, _VISIONS[0], {**_VISIONS[1], "matched": True}),
    Pair(
        "clip-text",
        _IDS,
        *_TEXTS,
        kinds=("epsilon",),
        layer=("*final_layer_norm*", "layer_norm"),
        why="The last norm's epsilon is 1e-6 in keras_hub's CLIPTextEncoder, 1e-5 in its other "
        "norms and in transformers; no argument reaches it.",
    ),
    Pair("clip-text-matched", _IDS, {**_TEXTS[0], "last_epsilon": 1e-6}, _TEXTS[1]),
    Pair(
        "siglip-vision",
        IMAGES,
        {"kind": "Siglip:VisionModel"},
        {"kind": "SigLIPVisionEncoder"},
    ),
    Pair("siglip-text", _IDS, {"kind": "Siglip:TextModel"}, {"kind": "SigLIPTextEncoder"}),
)
