"""Every kind of the reference as the frameworks say it: a table, and the child that asks them.

Run as a program: ``python reference_cases.py torch|keras FOLDER``. It evaluates each case's
expression on the arrays of the case and writes what comes out.
"""

import itertools
import json
import sys
import zlib
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Case:
    """One operation.

    Attributes:
        name: of the test.
        side: whose expression it is.
        kind, settings: as in the graph.
        shapes: of the sources.
        roles: role → canonical shape of a parameter.
        expression: what the framework computes; ``x``, ``y``, ``z`` are the sources, roles are
            the parameters by their names, ``t(array, *axes)`` permutes.
        relative: allowed distance over the largest value.
        mode: of the reference.
    """

    name: str
    side: str
    kind: str
    settings: dict
    shapes: tuple
    expression: str
    roles: dict = field(default_factory=dict)
    relative: float = 1e-12
    mode: str = "evaluate"

    def arrays(self):
        """Sources and parameters, drawn from the name."""
        draw = np.random.default_rng(zlib.crc32(self.name.encode()))
        sources = [
            draw.integers(0, 7, s[1:]) if s and s[0] == "ids" else draw.standard_normal(s)
            for s in self.shapes
        ]
        roles = {
            role: np.abs(draw.standard_normal(s)) + 0.1
            if role == "variance"
            else draw.standard_normal(s)
            for role, s in self.roles.items()
        }
        return sources, roles


FIRST, LAST = {"channels": "first"}, {"channels": "last"}
IMAGE, KIMAGE = (2, 4, 9, 8), (2, 9, 8, 4)


def conv(stride, padding, dilation, groups, mode="zeros"):
    return {**FIRST, "kernel": [3, 2], "stride": stride, "padding": padding, "groups": groups,
            "dilation": dilation, "bias": True, "mode": mode}


def _torch_convolutions():
    for at, (stride, pads, dilation, groups) in enumerate(
        [
            ((1, 1), (0, 0), (1, 1), 1),
            ((2, 1), (1, 0), (1, 1), 2),
            ((1, 3), (2, 1), (2, 1), 4),
            ((2, 2), (1, 1), (1, 2), 1),
        ]
    ):
        yield Case(
            f"conv{at}", "torch", "convolution",
            conv(stride, [[p, p] for p in pads], dilation, groups), (IMAGE,),
            f"F.conv2d(x, t(kernel, 3, 2, 0, 1), bias, {stride}, {pads}, {dilation}, {groups})",
            {"kernel": (3, 2, 4 // groups, 8), "bias": (8,)},
        )
        yield Case(
            f"transposed{at}", "torch", "transposed",
            {**FIRST, "stride": stride, "dilation": dilation, "groups": groups, "bias": True,
             "crop": [[p, p - extra] for p, extra in zip(pads, (1, 0), strict=True)]}, (IMAGE,),
            f"F.conv_transpose2d(x, t(kernel, 3, 2, 0, 1), bias, {stride}, {pads}, (1, 0), "
            f"{groups}, {dilation})",
            {"kernel": (3, 2, 8 // groups, 4), "bias": (8,)},
        ) if max(stride[0], dilation[0]) > 1 else Case(
            f"transposed{at}", "torch", "transposed",
            {**FIRST, "stride": stride, "dilation": dilation, "groups": groups, "bias": False},
            (IMAGE,), f"F.conv_transpose2d(x, t(kernel, 3, 2, 0, 1), None, {stride})",
            {"kernel": (3, 2, 8 // groups, 4)},
        )
    for mode in ("reflect", "replicate", "circular"):
        yield Case(
            f"conv_{mode}", "torch", "convolution",
            conv((1, 1), [[1, 1], [2, 2]], (1, 1), 1, mode), (IMAGE,),
            f"F.conv2d(F.pad(x, (2, 2, 1, 1), mode='{mode}'), t(kernel, 3, 2, 0, 1), bias)",
            {"kernel": (3, 2, 4, 6), "bias": (6,)},
        )
    yield Case("conv1d", "torch", "convolution",
               {**FIRST, "kernel": [3], "stride": [2], "padding": [[1, 1]], "bias": False},
               ((2, 3, 9),), "F.conv1d(x, t(kernel, 2, 1, 0), None, 2, 1)",
               {"kernel": (3, 3, 5)})
    yield Case("conv3d", "torch", "convolution",
               {**FIRST, "kernel": [3, 2, 1], "stride": [1, 2, 1], "bias": False},
               ((1, 2, 5, 6, 3),), "F.conv3d(x, t(kernel, 4, 3, 0, 1, 2), None, (1, 2, 1))",
               {"kernel": (3, 2, 1, 2, 3)})


def _pools():
    window = {**FIRST, "kernel": [3, 2], "stride": [2, 2], "padding": [[1, 1], [1, 1]]}
    yield Case("max", "torch", "pool", {**window, "mode": "max"}, (IMAGE,),
               "F.max_pool2d(x, (3, 2), 2, 1)")
    yield Case("max_dilated", "torch", "pool",
               {**window, "mode": "max", "dilation": [2, 1], "padding": None}, (IMAGE,),
               "F.max_pool2d(x, (3, 2), 2, 0, (2, 1))")
    for counts in (True, False):
        yield Case(f"average_{counts}", "torch", "pool",
                   {**window, "mode": "average", "counts_padding": counts}, (IMAGE,),
                   f"F.avg_pool2d(x, (3, 2), 2, 1, count_include_pad={counts})")
        yield Case(f"average_ceil_{counts}", "torch", "pool",
                   {**FIRST, "mode": "average", "kernel": [3, 3], "stride": [2, 2],
                    "padding": [[1, 1], [1, 2]], "ceil_mode": True, "counts_padding": counts},
                   (IMAGE,),
                   f"F.avg_pool2d(x, 3, 2, 1, True, count_include_pad={counts})")
    yield Case("average_divisor", "torch", "pool",
               {**window, "mode": "average", "divisor": 5}, (IMAGE,),
               "F.avg_pool2d(x, (3, 2), 2, 1, divisor_override=5)")
    for mode, short in (("max", "max"), ("average", "avg")):
        yield Case(f"adaptive_{mode}", "torch", "adaptive_pool",
                   {**FIRST, "mode": mode, "output": [4, 3]}, (IMAGE,),
                   f"F.adaptive_{short}_pool2d(x, (4, 3))")
    same = {**LAST, "kernel": [3, 2], "stride": [2, 2], "padding": [[1, 1], [0, 0]]}
    yield Case("max_same", "keras", "pool", {**same, "mode": "max"}, (KIMAGE,),
               "ops.max_pool(x, (3, 2), 2, 'same')")
    yield Case("average_same", "keras", "pool",
               {**same, "mode": "average", "counts_padding": False}, (KIMAGE,),
               "ops.average_pool(x, (3, 2), 2, 'same')")


def _resizes():
    torch = {
        "nearest": "mode='nearest'", "nearest_exact": "mode='nearest-exact'",
        "bilinear": "mode='bilinear'", "bicubic": "mode='bicubic'", "area": "mode='area'",
    }
    for size in ([18, 16], [5, 11], [4, 3], [9, 20]):
        label = "x".join(map(str, size))
        for mode, words in torch.items():
            yield Case(f"{mode}_{label}", "torch", "resize",
                       {**FIRST, "size": size, "mode": mode}, (IMAGE,),
                       f"F.interpolate(x, {tuple(size)}, {words})")
            if mode in ("bilinear", "bicubic"):
                yield Case(
                    f"{mode}_corners_{label}",
                    "torch",
                    "resize",
                    {**FIRST, "size": size, "mode": mode, "align_corners": True},
                    (IMAGE,),
                    f"F.interpolate(x, {tuple(size)}, {words}, align_corners=True)",
                )
                yield Case(f"{mode}_anti_{label}", "torch", "resize",
                           {**FIRST, "size": size, "mode": mode, "antialias": True}, (IMAGE,),
                           f"F.interpolate(x, {tuple(size)}, {words}, antialias=True)",
                )
        # TensorFlow resizes in float32, whatever it is given.
        keras = {"nearest_exact": "nearest", "bilinear": "bilinear", "bicubic": "bicubic",
                 "area": "area"}
        for mode, word in keras.items():
            for anti in (False, True):
                if anti and mode not in ("bilinear", "bicubic"):
                    continue
                yield Case(f"keras_{mode}_{anti}_{label}", "keras", "resize",
                           {**LAST, "size": size, "mode": mode, "antialias": anti, "cubic": -0.5,
                            "fractional": True}, (KIMAGE,),
                           f"tf.image.resize(x, {size}, '{word}', antialias={anti})",
                           relative=2e-6 if mode != "nearest_exact" else 0)


def _norms():
    stats = {"gamma": (4,), "beta": (4,), "mean": (4,), "variance": (4,)}
    for training in (False, True):
        yield Case(f"batch_{training}", "torch", "batch_norm", {**FIRST, "epsilon": 1e-3},
                   (IMAGE,),
                   f"F.batch_norm(x, mean.clone(), variance.clone(), gamma, beta, {training}, "
                   "eps=1e-3)",
                   stats, mode="train" if training else "evaluate")
    yield Case("batch_dense", "torch", "batch_norm", {**FIRST, "epsilon": 1e-5, "scale": False},
               ((5, 4),), "F.batch_norm(x, mean, variance, None, beta, eps=1e-5)",
               stats)
    yield Case("layer", "torch", "layer_norm", {"axes": [-2, -1], "epsilon": 1e-5}, ((2, 3, 4, 5),),
               "F.layer_norm(x, (4, 5), gamma, beta)",
               {"gamma": (4, 5), "beta": (4, 5)})
    yield Case("group", "torch", "group_norm", {**FIRST, "groups": 2, "epsilon": 1e-4}, (IMAGE,),
               "F.group_norm(x, 2, gamma, beta, 1e-4)", {"gamma": (4,), "beta": (4,)})
    yield Case("rms", "torch", "rms_norm", {"axes": [2], "epsilon": 1e-6}, ((2, 3, 4),),
               "F.rms_norm(x, (4,), gamma, 1e-6)", {"gamma": (4,)})
    yield Case("group_last", "keras", "group_norm", {**LAST, "groups": 2, "epsilon": 1e-3},
               (KIMAGE,),
               "made(layers.GroupNormalization(2, dtype='float64'), x, [gamma, beta])",
               {"gamma": (4,), "beta": (4,)})
    yield Case("batch_last", "keras", "batch_norm", {**LAST, "epsilon": 1e-3}, (KIMAGE,),
               "made(layers.BatchNormalization(dtype='float64'), x, [gamma, beta, mean, variance])",
               stats)
    yield Case("layer_axes", "keras", "layer_norm", {"axes": [1, 3], "epsilon": 1e-3}, (KIMAGE,),
               "made(layers.LayerNormalization(axis=[1, 3], dtype='float64'), x, [gamma, beta])",
               {"gamma": (9, 4), "beta": (9, 4)})


ACTIVATIONS = [
    ("relu", {}, "F.relu(x)"), ("relu6", {}, "F.relu6(x)"),
    ("leaky_relu", {"slope": 0.3}, "F.leaky_relu(x, 0.3)"),
    ("elu", {"alpha": 0.7}, "F.elu(x, 0.7)"),
    ("selu", {}, "F.selu(x)"), ("celu", {"alpha": 1.4}, "F.celu(x, 1.4)"),
    ("gelu", {"approximate": False}, "F.gelu(x)"),
    ("gelu", {"approximate": True}, "F.gelu(x, approximate='tanh')"),
    ("silu", {}, "F.silu(x)"), ("mish", {}, "F.mish(x)"), ("sigmoid", {}, "torch.sigmoid(x)"),
    ("log_sigmoid", {}, "F.logsigmoid(x)"), ("tanh", {}, "torch.tanh(x)"),
    ("softplus", {"beta": 2.0, "threshold": 3.0}, "F.softplus(x, 2, 3)"),
    ("softsign", {}, "F.softsign(x)"),
    ("hard_sigmoid", {}, "F.hardsigmoid(x)"), ("hard_silu", {}, "F.hardswish(x)"),
    ("hard_tanh", {"low": -0.5, "high": 0.8}, "F.hardtanh(x, -0.5, 0.8)"),
    ("softmax", {"axis": 1}, "F.softmax(x, 1)"),
    ("log_softmax", {"axis": -1}, "F.log_softmax(x, -1)"),
    ("clip", {"low": -0.2, "high": None}, "torch.clamp(x, min=-0.2)"),
    ("threshold", {"threshold": 0.1, "value": 20.0}, "F.threshold(x, 0.1, 20.0)"),
    ("tanh_shrink", {}, "F.tanhshrink(x)"),
    ("hard_shrink", {"threshold": 0.4}, "F.hardshrink(x, 0.4)"),
    ("soft_shrink", {"threshold": 0.4}, "F.softshrink(x, 0.4)"),
    ("glu", {"axis": 1}, "F.glu(x, 1)"),
]
KERAS_ACTIVATIONS = [
    ("hard_sigmoid", {}, "ops.hard_sigmoid(x)"), ("hard_silu", {}, "ops.hard_silu(x)"),
    ("gelu", {"approximate": True}, "ops.gelu(x, approximate=True)"),
    ("gelu", {"approximate": False}, "ops.gelu(x, approximate=False)"),
    ("leaky_relu", {"slope": 0.2}, "ops.leaky_relu(x, 0.2)"),
    ("mish", {}, "keras.activations.mish(x)"),
    ("softmax", {"axis": -1}, "ops.softmax(x)"), ("selu", {}, "ops.selu(x)"),
    ("log_sigmoid", {}, "ops.log_sigmoid(x)"), ("celu", {"alpha": 1.0}, "ops.celu(x)"),
    ("squareplus", {"b": 4.0}, "ops.squareplus(x)"), ("softplus", {}, "ops.softplus(x)"),
]


def _activations():
    for side, table in (("torch", ACTIVATIONS), ("keras", KERAS_ACTIVATIONS)):
        for at, (name, more, expression) in enumerate(table):
            loose = 1e-7 if side == "keras" else 1e-12  # TensorFlow has constants in float32
            yield Case(f"{side}_{name}{at}", side, "activation", {"name": name, **more},
                       ((3, 4, 5),), expression, relative=loose)
    yield Case("prelu", "torch", "activation", {"name": "prelu", **FIRST}, (IMAGE,),
               "F.prelu(x, alpha)", {"alpha": (4,)})


def _recurrents():
    gates = {"lstm": 4, "gru": 3, "rnn": 1}
    for cell, many in gates.items():
        bias = (2, 15) if cell == "gru" else (5 * many,)
        roles = {"kernel": (3, 5 * many), "recurrent_kernel": (5, 5 * many), "bias": bias}
        yield Case(f"{cell}", "torch", "recurrent",
                   {"cell": cell, "units": 5, "bias": True}, ((2, 6, 3),),
                   f"run_{cell}(x, [direction('{cell}', kernel, recurrent_kernel, bias)])",
                   roles)
        both = {f"{d}_{r}": s for d in ("forward", "backward") for r, s in roles.items()}
        states = ((2, 2, 5),) * (2 if cell == "lstm" else 1)
        yield Case(f"{cell}_both", "torch", "recurrent",
                   {"cell": cell, "units": 5, "bias": True, "bidirectional": True,
                    "has_state": True}, ((2, 6, 3), *states),
                   f"run_{cell}(x, ["
                   f"direction('{cell}', forward_kernel, forward_recurrent_kernel, forward_bias),"
                   f"direction('{cell}', backward_kernel, backward_recurrent_kernel, "
                   f"backward_bias)], {'(y, z)' if cell == 'lstm' else 'y'})",
                   both)
        word = {"lstm": "LSTM", "gru": "GRU", "rnn": "SimpleRNN"}[cell]
        yield Case(f"keras_{cell}", "keras", "recurrent",
                   {"cell": cell, "units": 5, "bias": True, "backwards": True}, ((2, 6, 3),),
                   f"made(layers.{word}(5, return_sequences=True, go_backwards=True, "
                   "dtype='float64'), x, [kernel, recurrent_kernel, bias])", roles)
    yield Case("keras_gru_before", "keras", "recurrent",
               {"cell": "gru", "units": 5, "bias": True, "reset_after": False}, ((2, 6, 3),),
               "made(layers.GRU(5, return_sequences=True, reset_after=False, dtype='float64'), x, "
               "[kernel, recurrent_kernel, bias])",
               {"kernel": (3, 15), "recurrent_kernel": (5, 15), "bias": (15,)})
    yield Case("keras_lstm_relu", "keras", "recurrent",
               {"cell": "lstm", "units": 5, "bias": False, "activation": "relu",
                "recurrent_activation": "hard_sigmoid"}, ((2, 6, 3),),
               "made(layers.LSTM(5, return_sequences=True, use_bias=False, activation='relu', "
               "recurrent_activation='hard_sigmoid', dtype='float64'), x, "
               "[kernel, recurrent_kernel])",
               {"kernel": (3, 20), "recurrent_kernel": (5, 20)})


def _plain():
    x = (2, 3, 4)
    yield Case("dense", "torch", "dense", {"units": 5, "bias": True}, (x,),
               "F.linear(x, kernel.T, bias)", {"kernel": (4, 5), "bias": (5,)})
    yield Case("embedding", "torch", "embedding", {"rows": 7, "size": 3}, (("ids", 2, 5),),
               "F.embedding(x, embeddings)", {"embeddings": (7, 3)})
    for mode in ("mean", "sum"):
        yield Case(f"reduce_{mode}", "torch", "reduce",
                   {"mode": mode, "axes": [0, -1], "keepdims": True}, (x,),
                   f"torch.{mode}(x, (0, -1), keepdim=True)")
    yield Case("reduce_max", "torch", "reduce", {"mode": "max", "axes": [1, 2]}, (x,),
               "torch.amax(x, (1, 2))")
    yield Case("reduce_prod", "torch", "reduce", {"mode": "prod", "axes": [1]}, (x,),
               "torch.prod(x, 1)")
    yield Case("reduce_variance", "torch", "reduce",
               {"mode": "variance", "axes": [1], "correction": 1}, (x,),
               "torch.var(x, 1)")
    yield Case("reduce_std", "keras", "reduce", {"mode": "std", "axes": [1]}, (x,),
               "ops.std(x, 1)")
    yield Case("reduce_norm_1", "torch", "reduce", {"mode": "norm", "axes": [2], "order": 1.0},
               (x,), "torch.linalg.vector_norm(x, 1, 2)")
    yield Case("where", "torch", "where", {"then": None, "otherwise": 2.0}, (("ids", 3, 4), (3, 4)),
               "torch.where(x > 0, y, 2.0)")
    yield Case("cumulative_exclusive", "keras", "cumulative",
               {"name": "cumsum", "axis": 1, "exclusive": True, "reverse": True}, (x,),
               "tf.cumsum(x, 1, exclusive=True, reverse=True)")
    yield Case("resize_factor", "torch", "resize",
               {**FIRST, "size": [22, 20], "mode": "bilinear", "scale": [2.5, 2.5]}, (IMAGE,),
               "F.interpolate(x, scale_factor=2.5, mode='bilinear')")
    yield Case("reduce_norm", "torch", "reduce", {"mode": "norm", "axes": [2], "keepdims": False},
               (x,), "torch.linalg.vector_norm(x, 2, 2)")
    for kind, sign in (("add", "+"), ("subtract", "-"), ("multiply", "*"), ("divide", "/")):
        yield Case(kind, "torch", kind, {}, (x, x), f"x {sign} y")
        yield Case(f"{kind}_left", "torch", kind, {"scalar": 2.5, "scalar_left": True}, (x,),
                   f"2.5 {sign} x")
        yield Case(f"{kind}_number", "keras", kind, {"scalar": 2.5}, (x,), f"x {sign} 2.5")
    yield Case("power", "torch", "power", {"scalar": 3}, (x,), "x ** 3")
    yield Case("maximum", "keras", "maximum", {}, (x, x), "ops.maximum(x, y)")
    yield Case("matmul", "torch", "matmul", {"transpose_right": True, "scale": 0.5}, (x, x),
               "x @ y.transpose(-1, -2) * 0.5")
    yield Case("concatenate", "torch", "concatenate", {"axis": 1}, (x, x, x),
               "torch.cat([x, y, z], 1)")
    yield Case("stack", "torch", "stack", {"axis": -1}, (x, x), "torch.stack([x, y], -1)")
    yield Case("einsum", "torch", "einsum", {"equation": "bij,bkj->bik"}, (x, x),
               "torch.einsum('bij,bkj->bik', x, y)")
    yield Case("erf", "torch", "unary", {"name": "erf"}, (x,), "torch.erf(x)")
    yield Case("cumulative", "torch", "cumulative", {"name": "sum", "axis": 1}, (x,),
               "torch.cumsum(x, 1)")
    yield Case("gather", "torch", "gather", {"axis": 1}, ((2, 7, 3), ("ids", 4)),
               "torch.index_select(x, 1, y)")
    yield Case("compare", "torch", "compare", {"name": "less"}, (x, x), "x < y")
    for mode in ("constant", "reflect", "replicate", "circular"):
        yield Case(f"pad_{mode}", "torch", "pad",
                   {"padding": [[0, 0], [0, 0], [1, 2], [2, 1]], "mode": mode}, (IMAGE,),
                   f"F.pad(x, (2, 1, 1, 2), mode='{mode}')")
    yield Case("pad_negative", "torch", "pad",
               {"padding": [[0, 0], [0, 0], [-1, 2], [2, -3]], "value": 0.5}, (IMAGE,),
               "F.pad(x, (2, -3, -1, 2), value=0.5)")
    same = {**LAST, "kernel": [3, 2], "stride": [2, 3], "padding": [[1, 1], [0, 0]], "bias": False}
    yield Case("conv_same", "keras", "convolution", same, (KIMAGE,),
               "ops.conv(x, kernel, (2, 3), 'same')", {"kernel": (3, 2, 4, 5)})
    yield Case("depthwise", "keras", "convolution",
               {**LAST, "kernel": [3, 3], "stride": [1, 1], "groups": 4, "bias": False}, (KIMAGE,),
               "ops.depthwise_conv(x, tf.reshape(kernel, (3, 3, 4, 2)), 1)",
               {"kernel": (3, 3, 1, 8)})
    yield Case("transposed_same", "keras", "transposed",
               {**LAST, "kernel": [3, 3], "stride": [2, 2], "crop": [[0, 1], [0, 1]],
                "bias": False}, (KIMAGE,),
               "ops.conv_transpose(x, kernel, 2, 'same')", {"kernel": (3, 3, 5, 4)})


CASES = [
    *_torch_convolutions(), *_pools(), *_resizes(), *_norms(), *_activations(), *_recurrents(),
    *_plain(),
]


def _torch_names():
    import torch
    import torch.nn.functional as F  # noqa: N812

    def swapped(array, many):
        # Keras' gates z r h are PyTorch's r z n.
        parts = list(torch.split(array, array.shape[-1] // many, -1))
        if many == 3:
            parts[0], parts[1] = parts[1], parts[0]
        return torch.cat(parts, -1)

    def direction(cell, kernel, inner, bias):
        many = {"lstm": 4, "gru": 3, "rnn": 1}[cell]
        biases = swapped(bias, many) if bias.ndim == 2 else torch.stack([bias, bias * 0])
        return [swapped(kernel, many).T, swapped(inner, many).T, biases[0], biases[1]]

    def run(kind):
        def function(x, weights, state=None):
            module = kind(3, 5, batch_first=True, bidirectional=len(weights) == 2).double()
            with torch.no_grad():
                for place, array in zip(
                    module.parameters(), itertools.chain(*weights), strict=True
                ):
                    place.copy_(array)
            return module(x, state)[0]

        return function

    names = {"torch": torch, "F": F, "direction": direction, "run_lstm": run(torch.nn.LSTM),
             "run_gru": run(torch.nn.GRU), "run_rnn": run(torch.nn.RNN),
             "t": lambda array, *axes: array.permute(*axes)}
    return names, torch.from_numpy, lambda tensor: tensor.detach().numpy()


def _keras_names():
    import keras
    import tensorflow as tf

    def made(layer, x, weights):
        layer.build(x.shape)
        layer.set_weights([w.numpy() for w in weights])
        return layer(x)

    names = {"tf": tf, "keras": keras, "ops": keras.ops, "layers": keras.layers, "made": made}
    return names, tf.constant, np.asarray


def _child(side, path):
    names, to, out = {"torch": _torch_names, "keras": _keras_names}[side]()
    found, errors = {}, {}
    for case in (c for c in CASES if c.side == side):
        sources, roles = case.arrays()
        local = {**names, **dict(zip("xyz", map(to, sources), strict=False)),
                 **{role: to(array) for role, array in roles.items()}}
        try:
            found[case.name] = out(eval(case.expression, local))
        except Exception as error:
            errors[case.name] = f"{type(error).__name__}: {error}"
    np.savez(f"{path}/{side}.npz", **found)
    with open(f"{path}/{side}.json", "w", encoding="utf-8") as file:
        json.dump(errors, file)


if __name__ == "__main__":
    _child(*sys.argv[1:])
