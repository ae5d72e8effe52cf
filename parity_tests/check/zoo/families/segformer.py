"""SegFormer's encoder: `SegformerModel` and `MiTBackbone`."""

from parity_tests.check.zoo.building import backbone, transformer
from parity_tests.check.zoo.pair import Pair

_SIZES = {
    "num_encoder_blocks": 2,
    "depths": [1, 1],
    "sr_ratios": [2, 1],
    "hidden_sizes": [8, 16],
    "patch_sizes": [7, 3],
    "strides": [4, 2],
    "num_attention_heads": [1, 2],
    "mlp_ratios": [4, 4],
}


def torch_model(matched=False):
    act = {"hidden_act": "gelu_pytorch_tanh"} if matched else {}
    model = transformer("Segformer", {**_SIZES, **act}, ("pixel_values",))
    for name, module in model.named_modules():
        if matched and name.endswith(("layernorm_before", "layernorm_after")):
            module.eps = 1e-6
    return model


def keras_model():
    return backbone(
        "MiT",
        image_shape=(32, 32, 3),
        num_layers=2,
        layerwise_depths=[1, 1],
        hidden_dims=[8, 16],
        layerwise_num_heads=[1, 2],
        layerwise_sr_ratios=[2, 1],
        max_drop_path_rate=0.0,
        layerwise_patch_sizes=[7, 3],
        layerwise_strides=[4, 2],
    )


def port(p):
    names = _Numbered()
    for stage in (0, 1):
        k, t = f"patch_and_embed_{stage}", f"model.stages.{stage}.patch_embeddings"
        p.conv(f"{k}/{names('conv2d')}", f"{t}.proj")
        p.norm(f"{k}/{names('layer_normalization')}", f"{t}.layer_norm")
        k, t = f"hierarchical_encoder_{stage}_0", f"model.stages.{stage}.blocks.0"
        p.norm(f"{k}/{names('layer_normalization')}", f"{t}.layernorm_before")
        attention = f"{k}/{names('seg_former_multihead_attention')}"
        for name in "qkvo":
            p.dense(f"{attention}/{names('dense')}", f"{t}.attention.{name}_proj")
        reduction = f"{t}.attention.sequence_reduction"
        if f"{reduction}.layer_norm.weight" in p:
            p.conv(f"{attention}/{names('conv2d')}", f"{reduction}.sequence_reduction")
            p.norm(f"{attention}/{names('layer_normalization')}", f"{reduction}.layer_norm")
        p.norm(f"{k}/{names('layer_normalization')}", f"{t}.layernorm_after")
        mix = f"{k}/{names('mix_ffn')}"
        p.dense(f"{mix}/{names('dense')}", f"{t}.mlp.fc1")
        name = f"{mix}/{names('depthwise_conv2d')}"
        p.conv(name, f"{t}.mlp.dwconv.dwconv", depthwise=True)
        p.dense(f"{mix}/{names('dense')}", f"{t}.mlp.fc2")
        p.norm(names("layer_normalization"), f"model.stages.{stage}.layer_norm")


class _Numbered:
    """Names as Keras gives them by itself: dense, dense_1, dense_2 …"""

    def __init__(self):
        self.many = {}

    def __call__(self, name):
        number = self.many[name] = self.many.get(name, -1) + 1
        return f"{name}_{number}" if number else name


PAIRS = (
    Pair(
        "segformer",
        ("2,3,32,32",),
        kinds=("epsilon", "activation"),
        layer=("*layernorm_before*", "*layer_normalization_1*"),
        why="A block's norms have epsilon 1e-6 in keras_hub and 1e-5 in transformers, which reads "
        "its configuration's layer_norm_eps nowhere; GELU is by tanh there, by erf here.",
    ),
    Pair("segformer-matched", ("2,3,32,32",), {"matched": True}),
)
