"""Builds the PyTorch model of an architecture of random_models.py."""

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

MODULES = {
    "relu": lambda a: nn.ReLU(),
    "relu6": lambda a: nn.ReLU6(),
    "leaky": lambda a: nn.LeakyReLU(a["slope"]),
    "elu": lambda a: nn.ELU(a["alpha"]),
    "silu": lambda a: nn.SiLU(),
    "gelu": lambda a: nn.GELU(),
    "gelu_tanh": lambda a: nn.GELU("tanh"),
    "sigmoid": lambda a: nn.Sigmoid(),
    "tanh": lambda a: nn.Tanh(),
    "softplus": lambda a: nn.Softplus(),
    "hard_silu": lambda a: nn.Hardswish(),
    "hard_sigmoid": lambda a: nn.Hardsigmoid(),
    "mish": lambda a: nn.Mish(),
    "selu": lambda a: nn.SELU(),
    "softsign": lambda a: nn.Softsign(),
}
FUNCTIONS = {
    "relu": lambda x, a: torch.relu(x),
    "relu6": lambda x, a: F.relu6(x),
    "leaky": lambda x, a: F.leaky_relu(x, a["slope"]),
    "elu": lambda x, a: F.elu(x, a["alpha"]),
    "silu": lambda x, a: x * torch.sigmoid(x),
    "gelu": lambda x, a: F.gelu(x),
    "gelu_tanh": lambda x, a: F.gelu(x, approximate="tanh"),
    "sigmoid": lambda x, a: torch.sigmoid(x),
    "tanh": lambda x, a: x.tanh(),
    "softplus": lambda x, a: F.softplus(x),
    "hard_silu": lambda x, a: F.hardswish(x),
    "hard_sigmoid": lambda x, a: F.hardsigmoid(x),
    "mish": lambda x, a: F.mish(x),
    "selu": lambda x, a: F.selu(x),
    "softsign": lambda x, a: F.softsign(x),
}


def build(architecture):
    """The model."""
    if architecture["torch"]["style"] == "sequential":
        nodes = architecture["nodes"]
        return nn.Sequential(OrderedDict((n["name"], make(n) or Step(n)) for n in nodes))
    return Net(architecture)


class Net(nn.Module):
    """Runs its nodes in the order that was drawn."""

    def __init__(self, architecture):
        super().__init__()
        self.nodes = [architecture["nodes"][i] for i in architecture["torch"]["order"]]
        self.last = len(self.nodes) - 1
        self.paths = {}
        nested = architecture["torch"]["style"] == "nested"
        for node in self.nodes:
            if "share" in node:
                self.paths[node["id"]] = self.paths[node["share"]]
                continue
            module = make(node)
            if module is None:
                continue
            if nested and node["block"] not in self._modules:
                self.add_module(node["block"], nn.Module())
            holder = self._modules[node["block"]] if nested else self
            holder.add_module(node["name"], module)
            self.paths[node["id"]] = f"{node['block']}.{node['name']}" if nested else node["name"]

    def forward(self, x):
        values = {-1: x}
        for node in self.nodes:
            given = [values[i] for i in node["of"]]
            if node["id"] in self.paths:
                values[node["id"]] = self.get_submodule(self.paths[node["id"]])(*given)
            else:
                values[node["id"]] = compute(node, given)
        return values[self.last]


class Step(nn.Module):
    """A function, where only a module may stand."""

    def __init__(self, node):
        super().__init__()
        self.node = node

    def forward(self, x):
        return compute(self.node, [x])


def make(node):
    """The module of a node; None if it is written as a function."""
    maker = globals().get(f"make_{node['op']}")
    return None if maker is None else maker(node, node["channels"][0])


def make_conv(n, c):
    return nn.Conv2d(
        c, n["out"], n["kernel"], n["stride"], n["pads"], n["dilation"], n["groups"], n["bias"]
    )


def make_depthwise(n, c):
    return nn.Conv2d(
        c, c * n["many"], n["kernel"], n["stride"], n["pads"], groups=c, bias=n["bias"]
    )


def make_separable(n, c):
    return nn.Sequential(
        nn.Conv2d(c, c, 3, padding=1, groups=c, bias=False),
        nn.Conv2d(c, n["out"], 1, bias=n["bias"]),
    )


def make_transposed(n, c):
    return nn.ConvTranspose2d(c, n["out"], n["kernel"], 2, n["pad"], bias=n["bias"])


def make_dense_image(n, c):
    return nn.Conv2d(c, n["out"], 1)


def make_dense(n, c):
    return nn.Linear(n["channels"][-1], n["out"], bias=n["bias"])


def make_batch_norm(n, c):
    kind = nn.BatchNorm2d if len(n["channels"]) == 3 else nn.BatchNorm1d
    return kind(c, n["eps"], n["momentum"], n["affine"])


def make_group_norm(n, c):
    return nn.GroupNorm(n["groups"], c, n["eps"], n["affine"])


def make_instance_norm(n, c):
    return nn.InstanceNorm2d(c, n["eps"], affine=n["affine"])


class ChannelNorm(nn.LayerNorm):
    """As in ConvNeXt."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def make_layer_norm(n, c):
    if len(n["channels"]) == 3:
        return ChannelNorm(c, n["eps"], n["affine"])
    return nn.LayerNorm(n["channels"][-1], n["eps"], n["affine"])


def make_act(n, c):
    return MODULES[n["act"]["name"]](n["act"]) if n["torch"] == "layer" else None


def make_pool(n, c):
    if n["torch"] != "layer":
        return None
    if n["kind"] == "max":
        return nn.MaxPool2d(n["kernel"], n["stride"], n["pad"])
    return nn.AvgPool2d(n["kernel"], n["stride"], n["pad"], count_include_pad=n["counted"])


def make_dropout(n, c):
    return nn.Dropout(n["rate"])


def make_flatten(n, c):
    return nn.Flatten() if n["torch"] == "layer" else None


def make_upsample(n, c):
    return nn.Upsample(scale_factor=2, mode=n["kind"]) if n["torch"] == "layer" else None


class Recurrent(nn.Module):
    """Without the states, unless it yields the last."""

    def __init__(self, n):
        super().__init__()
        kind = nn.LSTM if n["op"] == "lstm" else nn.GRU
        self.sequences, self.both = n["sequences"], n["both"]
        self.rnn = kind(
            n["channels"][-1], n["units"], n["layers"], batch_first=True, bidirectional=n["both"]
        )

    def forward(self, x):
        y, state = self.rnn(x)
        if self.sequences:
            return y
        last = state[0] if isinstance(state, tuple) else state
        return torch.cat([last[-2], last[-1]], dim=-1) if self.both else y[:, -1]


def make_lstm(n, c):
    return Recurrent(n)


make_gru = make_lstm


class Conv1d(nn.Conv1d):
    """Takes (batch, steps, features)."""

    def __init__(self, n, width):
        super().__init__(width, n["out"], n["kernel"], dilation=n["dilation"], bias=n["bias"])
        self.pads = n["pads"]

    def forward(self, x):
        return super().forward(F.pad(x.transpose(1, 2), self.pads)).transpose(1, 2)


def make_conv1d(n, c):
    return Conv1d(n, n["channels"][-1])


def make_embedding(n, c):
    return nn.Embedding(n["rows"], n["dim"])


class Positions(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.table = nn.Parameter(torch.randn(1, *shape) * 0.5)

    def forward(self, x):
        return x + self.table


def make_positions(n, c):
    return Positions(n["channels"])


class Attention(nn.Module):
    """PyTorch's own layer, or written by hand."""

    def __init__(self, n):
        super().__init__()
        dim, self.heads, self.causal = n["channels"][-1], n["heads"], n["causal"]
        self.attn = None
        if n["torch"] == "layer":
            self.attn = nn.MultiheadAttention(dim, self.heads, batch_first=True)
        else:
            self.q, self.k, self.v, self.out = (nn.Linear(dim, dim) for _ in range(4))

    def forward(self, x):
        b, t, c = x.shape
        if self.attn is not None:
            mask = nn.Transformer.generate_square_subsequent_mask(t) if self.causal else None
            if mask is not None:
                mask = mask < 0
            return self.attn(x, x, x, attn_mask=mask, need_weights=False)[0]
        q, k, v = (
            f(x).view(b, t, self.heads, -1).transpose(1, 2) for f in (self.q, self.k, self.v)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out(y.transpose(1, 2).reshape(b, t, c))


def make_attention(n, c):
    return Attention(n)


def compute(n, given):
    """What is no module."""
    x = given[0]
    match n["op"]:
        case "act":
            return FUNCTIONS[n["act"]["name"]](x, n["act"])
        case "add":
            return torch.add(*given) if n["torch"] == "layer" else given[0] + given[1]
        case "multiply":
            return given[0] * given[1]
        case "concat":
            return torch.cat(given, dim=1 if x.ndim == 4 else -1)
        case "pool":
            if n["kind"] == "max":
                return F.max_pool2d(x, n["kernel"], n["stride"], n["pad"])
            return F.avg_pool2d(
                x, n["kernel"], n["stride"], n["pad"], count_include_pad=n["counted"]
            )
        case "pool1d":
            pool = F.max_pool1d if n["kind"] == "max" else F.avg_pool1d
            return pool(x.transpose(1, 2), 2).transpose(1, 2)
        case "squeeze":
            return F.adaptive_avg_pool2d(x, 1)
        case "global_pool":
            if n["torch"] == "layer":
                pool = F.adaptive_max_pool2d if n["kind"] == "max" else F.adaptive_avg_pool2d
                return pool(x, 1).flatten(1)
            return x.amax((2, 3)) if n["kind"] == "max" else x.mean((2, 3))
        case "global_pool1d":
            return x.max(dim=1).values if n["kind"] == "max" else x.mean(dim=1)
        case "last":
            return x[:, -1]
        case "flatten":
            return x.flatten(1) if len(n["channels"]) == 3 else x.reshape(len(x), -1)
        case "upsample":
            return F.interpolate(x, scale_factor=2, mode=n["kind"])
    raise ValueError(n["op"])
