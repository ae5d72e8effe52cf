"""The repaired twin of every wrong port: its own definition, with the mistake taken out of it.

Most faults are a model with an argument: the twin is the same model without it. Of the others
`REPAIRS` says what has to be written instead, in the fault's own lines.
"""

from __future__ import annotations

import ast
from pathlib import Path

from .pairs import CORRECT, KEPT_CORRECT
from .rows import Fault, Pair

ROOT = Path(__file__).parents[3]
_BASES = {pair.name: pair for pair in (*CORRECT, *KEPT_CORRECT)}

REPAIRS: dict[str, tuple[tuple[str, str], ...]] = {
    "padding_not_counted": ((", counted=False", ""),),
    "pixel_shuffle": (
        (
            """    shuffle = layers.Lambda(lambda x: tf.nn.depth_to_space(x, 2), name="shuffle")
    return keras.Model(image, shuffle(x))""",
            """    x = ops.transpose(ops.reshape(x, (-1, 9, 7, 3, 2, 2)), (0, 1, 4, 2, 5, 3))
    return keras.Model(image, ops.reshape(x, (-1, 18, 14, 3)))""",
        ),
    ),
    "prelu_one": (("[1, 2, 3]", "[1, 2]"),),
    "dense_order": (("([y, x])", "([x, y])"),),
    "residual_after_activation": (("([x, y])", "([image, y])"),),
    "norm_frozen": (
        (
            "    bn.trainable = False\n",
            "    bn.build((None, 7, 6, 7))\n    bn.gamma.trainable = bn.beta.trainable = False\n",
        ),
    ),
    "rows_for_columns": (
        (
            '    x = layers.Reshape((8, 8 * 4), name="reshape")(x)\n',
            '    x = layers.Permute((2, 1, 3), name="turn")(x)\n'
            '    x = layers.Reshape((8, 8 * 4), name="reshape")(x)\n',
        ),
    ),
    "aspp_undilated": (('name=f"stage{i}"', 'dilation_rate=i + 1, name=f"stage{i}"'),),
    "units_swapped": (("Dense(17", "Dense(0"), ("Dense(24", "Dense(17"), ("Dense(0", "Dense(24")),
    "tanh_forgotten": (("Dense(17, name", 'Dense(17, activation="tanh", name'),),
    "unshared": (('self.encoder("left"), self.encoder("right")', '[self.encoder("encoder")] * 2'),),
    "squared_difference": (("ops.square(", "ops.abs("),),
    "answers_swapped": (("log_variance, mean\n", "mean, log_variance\n"),),
    "two_blocks": (("range(2)", "range(3)"),),
    "four_blocks": (("range(4)", "range(3)"),),
    "scale_overlooked": (
        (
            "    def call(self, x):\n        return x + self.shift",
            '        self.scale = self.add_weight(shape=(14,), initializer="ones", name="scale")\n'
            "\n    def call(self, x):\n        return x * self.scale + self.shift",
        ),
    ),
    "gate_without_softmax": (
        ('Dense(3, name="gate")', 'Dense(3, activation="softmax", name="gate")'),
    ),
    "shifted": (("offset=-0.25", "offset=-0.125"),),
    "not_frozen": (('activation="relu", name', 'activation="relu", trainable=False, name'),),
    "mean_of_steps": (
        (
            'layers.GlobalAveragePooling1D(name="mean")(x)',
            "ops.sum(x, axis=1)",
        ),
    ),
    "decoder_untied": (
        (
            'x = layers.Dense(5, activation="sigmoid", name="encoder")(inputs)',
            'encoder = layers.Dense(5, activation="sigmoid", name="encoder")',
        ),
        (
            'layers.Dense(11, name="decoder")(x)',
            'Turned(encoder, name="decoder")(encoder(inputs))',
        ),
        (
            "\n\ndef decoder_untied",
            """

class Turned(layers.Layer):
    def __init__(self, encoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder

    def build(self, shape):
        self.bias = self.add_weight(shape=(11,), initializer="zeros", name="bias")

    def call(self, code):
        return ops.matmul(code, ops.transpose(self.encoder.kernel)) + self.bias


def decoder_untied""",
        ),
    ),
    "mean_for_last": (
        ('    y = layers.GlobalAveragePooling1D(name="mean")(y)\n', "    y = y[:, -1]\n"),
    ),
    "reset_before": (("reset_after=False, ", ""),),
    "averaged_directions": (('merge_mode="ave"', 'merge_mode="sum"'),),
    "last_step": (("7, return_sequences=True", "7"), ("[:, -1, :]", "")),
    "one_direction": (
        ('layers.LSTM(14, name="rnn")', 'layers.Bidirectional(layers.LSTM(7), name="rnn")'),
    ),
    "one_layer": (
        (
            "    return keras",
            '    y = layers.LSTM(8, return_sequences=True, name="lstm1")(y)\n    return keras',
        ),
    ),
    "tanh_for_relu": (("SimpleRNN(9, name", 'SimpleRNN(9, activation="relu", name'),),
    "untied": (
        (
            'y = layers.Embedding(21, 8, name="embedding")(tokens)',
            'embedding = layers.Embedding(21, 8, name="embedding")',
        ),
        ('name="rnn")(y)', 'name="rnn")(embedding(tokens))'),
        ('layers.Dense(21, use_bias=False, name="out")(y)', "Turned(embedding)(y)"),
        (
            "\n\ndef untied",
            """

class Turned(layers.Layer):
    def __init__(self, embedding, **kwargs):
        super().__init__(**kwargs)
        self.embedding = embedding

    def call(self, y):
        return ops.matmul(y, ops.transpose(self.embedding.embeddings))


def untied""",
        ),
    ),
    "mean_of_products": (("ops.mean(", "ops.sum("), ('Add(name="sum")', 'Add(name="total")')),
    "norm_last": (
        ('name="attn")(x, x)', 'name="attn")(*[layer_norm("norm1")(x)] * 2)'),
        ('layer_norm("norm1")(layers.Add(name="add1")', 'layers.Add(name="add1")'),
        ('name="drop1")(y)]))', 'name="drop1")(y)])'),
        ('name="fc1")(y)', 'name="fc1")(layer_norm("norm2")(y))'),
        (
            'layer_norm("norm2")(layers.Add(name="add2")([y, z])))',
            'layers.Add(name="add2")([y, z]))',
        ),
    ),
    "mask_extra": ((", use_causal_mask=True", ""),),
    "keys_and_values": (("v, k = ", "k, v = "),),
    "pool_axis": (("Softmax(name", "Softmax(axis=1, name"),),
    "align_corners": (("align_corners=True", "align_corners=False"),),
    "default_epsilon": (("momentum=0.01", "momentum=0.01, eps=1e-3"),),
    "time_first": (("nn.LSTM(6, 9)", "nn.LSTM(6, 9, batch_first=True)"),),
    "attention_time_first": (("(dim, heads)", "(dim, heads, batch_first=True)"),),
    "mask_unturned": (("~empty", "empty"),),
    "softmax_last": (("dim=-1", "dim=1"),),
    "sigmoid_for_hard": (("torch.sigmoid", "F.hardsigmoid"),),
    "depthwise_bias": (("padding=1, groups=4", "padding=1, groups=4, bias=False"),),
    "volume_mean": ((".mean(dim=(2, 3, 4))", ".amax(dim=(2, 3, 4))"),),
    "conv_next_tanh": ((', approximate="tanh"', ""),),
    "scale_forgotten": (("(q @ k", "(self.size**-0.5 * q @ k"),),
    "scaled_twice": (("q / math.sqrt(self.size)", "q"),),
    "odd_sizes_pooled": (("stride=2)\n\n", "stride=2, padding=1)\n\n"),),
}
"""Fault → (what is written, what should be) in its definition."""


def twin(fault: Fault, folder: Path) -> Pair:
    """The repaired port as a row, its file in this folder."""
    side, name = _wrong_side(fault)
    file = folder / f"{fault.name}.py"
    file.write_text(repaired_text(fault)[1], "utf-8")
    return Pair(
        f"{fault.name}_repaired",
        f"{file}:{name}" if side == "torch" else fault.torch,
        f"{file}:{name}" if side == "keras" else fault.keras,
        fault.inputs,
        fault.train,
        fault.keras_inputs,
    )


def repaired_text(fault: Fault) -> tuple[str, str]:
    """The file that defines a fault: as it is, and with the mistake taken out.

    Raises:
        ValueError: what should be repaired is not in its definition.
    """
    side, name = _wrong_side(fault)
    text = (ROOT / getattr(fault, side).rsplit(":", 1)[0]).read_text("utf-8")
    return text, _repaired(text, name, REPAIRS.get(fault.name))


def _wrong_side(fault: Fault) -> tuple[str, str]:
    """Whose port is wrong, and the name of its definition."""
    side = "torch" if fault.torch != _BASES[fault.base].torch else "keras"
    return side, getattr(fault, side).rsplit(":", 1)[1]


def _repaired(text: str, name: str, repairs: tuple[tuple[str, str], ...] | None) -> str:
    node = next(n for n in ast.parse(text).body if getattr(n, "name", "") == name)
    whole = ast.get_source_segment(text, node)
    assert whole is not None
    if repairs is None:
        return text.replace(whole, f"def {name}():\n    return {_model(node)}()")
    for written, wanted in repairs:
        if written in whole:
            changed = whole.replace(written, wanted)
            text, whole = text.replace(whole, changed), changed
        elif text.count(written) == 1:
            text = text.replace(written, wanted)
        else:
            raise ValueError(f"{name}: {written!r} is not in its definition.")
    return text


def _model(node: ast.stmt) -> str:
    """The function or class that the fault calls with its mistake as an argument."""
    returned = node.body[-1] if isinstance(node, ast.FunctionDef) else None
    call = returned.value if isinstance(returned, ast.Return) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
        return call.func.id
    raise ValueError(
        f"{getattr(node, 'name', node)} has no argument. Say in REPAIRS what to write."
    )
