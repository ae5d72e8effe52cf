"""Builds the PyTorch model of what random_sequences.py draws."""

import math

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

ACTIVATIONS = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "tanh": torch.tanh,
    "squared_relu": lambda x: F.relu(x).square(),
}


def build(model):
    """The model."""
    return Net(model)


class Net(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model, dim = model, model["dim"]
        self.tokens = Tokens(model)
        self.segments = Segments(model["segments"], dim) if model["segments"] else None
        self.positions = Positions(model["positions"], dim) if model["positions"] else None
        self.embedded_norm = norm(model["embedded_norm"], dim)
        made = {
            str(i): BLOCKS[part["kind"]](part, dim)
            for i, part in enumerate(model["blocks"])
            if "share" not in part
        }
        self.blocks = nn.ModuleDict(made)
        self.norm = norm(model["norm"], dim)
        head = model["head"]
        self.out = None if head["tied"] else nn.Linear(dim, head["out"], bias=head["bias"])
        self.dead = nn.Linear(dim, 3) if head["torch"] != "none" else None

    def forward(self, ids, given=None):
        model = self.model
        seen = {None: None, "ids": ids != model["pad"], "given": given}[model["masked"]]
        seen = seen if seen is None else seen.bool()
        x = self.tokens(ids)
        if self.segments:
            x = x + self.segments(ids)
        if self.positions:
            x = x + self.positions(ids, seen)
        x = self.embedded_norm(x)
        for i, part in enumerate(model["blocks"]):
            x = self.blocks[str(part.get("share", i))](x, seen)
        x = pool(self.norm(x), model["head"]["pool"], seen)
        if model["head"]["torch"] == "computed":
            torch.tanh(self.dead(x))
        return self.out(x) if self.out else x @ self.tokens.table.weight.T


def pool(x, kind, seen):
    match kind:
        case "last":
            return x[:, -1]
        case "first":
            return x[:, 0]
        case "mean":
            return x.mean(dim=1)
        case "max":
            return x.amax(dim=1)
        case "masked_mean":
            seen = seen.unsqueeze(-1).to(x.dtype)
            return (x * seen).sum(dim=1) / seen.sum(dim=1).clamp(min=1)
    return x


class Tokens(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.own, dim = model["tokens"], model["dim"]
        still = model["pad"] if self.own["still"] else None
        self.table = nn.Embedding(model["rows"], dim, padding_idx=still)
        self.scale = math.sqrt(dim) if self.own["scaled"] else None

    def forward(self, ids):
        if self.own["torch"] == "layer":
            x = self.table(ids)
        else:
            x = F.embedding(ids, self.table.weight, self.table.padding_idx)
        return x if self.scale is None else x * self.scale


class Segments(nn.Module):
    def __init__(self, own, dim):
        super().__init__()
        self.own, self.table = own, nn.Embedding(own["rows"], dim)

    def forward(self, ids):
        number = self.own["number"]
        match self.own["of"]:
            case "modulo":
                return self.table(ids % number)
            case "quotient":
                return self.table(ids // number)
            case "above":
                return self.table((ids > number).long())
        return self.table(ids + number)


class Positions(nn.Module):
    def __init__(self, own, dim):
        super().__init__()
        self.own = own
        if own["kind"] == "sinusoid":
            self.register_buffer("sines", sinusoid(own["rows"], dim), persistent=False)
        else:
            self.table = nn.Embedding(own["rows"] + 3, dim)
            self.register_buffer("ids", torch.arange(own["rows"])[None], persistent=False)

    def forward(self, ids, seen):
        steps, own = ids.shape[1], self.own
        if own["kind"] == "sinusoid":
            return self.sines[:steps]
        if own["kind"] == "counted":
            return self.table(seen.long().cumsum(dim=1) * seen.long() + 1)
        first = own["offset"] if own["kind"] == "offset" else 0
        match own["torch"]:
            case "arange":
                return self.table(torch.arange(first, steps + first, device=ids.device))
            case "buffer":
                return self.table(self.ids[:, :steps] + first)
        return self.table.weight[first : first + steps].unsqueeze(0)


def sinusoid(rows, dim):
    places = torch.arange(rows, dtype=torch.float32)[:, None]
    rates = torch.exp(torch.arange(0, dim, 2) * (-math.log(10000.0) / dim))
    table = torch.zeros(rows, dim)
    table[:, 0::2] = torch.sin(places * rates)
    table[:, 1::2] = torch.cos(places * rates)[:, : dim // 2]
    return table


def norm(own, dim):
    if own is None:
        return nn.Identity()
    if own["torch"] == "layer":
        kind = nn.LayerNorm if own["kind"] == "layer_norm" else nn.RMSNorm
        return kind(dim, eps=own["epsilon"])
    return Norm(own, dim)


class Norm(nn.Module):
    """Written by hand, or in float32 whatever comes."""

    def __init__(self, own, dim):
        super().__init__()
        self.own, self.centred = own, own["kind"] == "layer_norm"
        self.weight = nn.Parameter(torch.ones(dim))
        if self.centred:
            self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        dtype = x.dtype
        if self.own["torch"] == "upcast":
            x = x.float()
        if self.centred:
            x = x - x.mean(dim=-1, keepdim=True)
        x = x * torch.rsqrt(x.pow(2).mean(dim=-1, keepdim=True) + self.own["epsilon"])
        x = self.weight * x.to(dtype)
        return x + self.bias if self.centred else x


class AttentionBlock(nn.Module):
    def __init__(self, own, dim):
        super().__init__()
        self.own, feed = own, own["feed"]
        kind = OwnAttention if own["attention"]["torch"] == "mha" else Attention
        self.attention = kind(own, dim)
        self.norm1, self.norm2 = (norm(part, dim) for part in own["norms"])
        self.up = nn.Linear(dim, feed["width"], bias=feed["bias"])
        self.gate = nn.Linear(dim, feed["width"], bias=feed["bias"]) if feed["gated"] else None
        self.down = nn.Linear(feed["width"], dim, bias=feed["bias"])
        self.drop = nn.Dropout(own["dropout"])
        self.activation = ACTIVATIONS[feed["activation"]]

    def feed(self, x):
        if self.gate:
            return self.down(self.activation(self.gate(x)) * self.up(x))
        return self.down(self.activation(self.up(x)))

    def forward(self, x, seen):
        if self.own["first"]:
            x = x + self.drop(self.attention(self.norm1(x), seen))
            return x + self.feed(self.norm2(x))
        x = self.norm1(x + self.drop(self.attention(x, seen)))
        return self.norm2(x + self.feed(x))


def visible(own, seen, steps):
    """(batch or 1, 1, steps, steps), True where a place is seen; None where all are."""
    lower = torch.tril(torch.ones(steps, steps, dtype=torch.bool)) if own["causal"] else None
    if not own["masked"]:
        return None if lower is None else lower[None, None]
    keys = seen[:, None, None, :]
    if lower is None:
        return keys
    return (keys & lower) | torch.eye(steps, dtype=torch.bool)  # no place is left with nothing


class OwnAttention(nn.Module):
    def __init__(self, own, dim):
        super().__init__()
        self.own = own
        self.layer = nn.MultiheadAttention(dim, own["heads"], bias=own["bias"], batch_first=True)

    def forward(self, x, seen):
        own, steps = self.own, x.shape[1]
        if own["causal"] and own["masked"]:
            mask = ~visible(own, seen, steps).expand(-1, own["heads"], -1, -1).flatten(0, 1)
            return self.layer(x, x, x, attn_mask=mask, need_weights=False)[0]
        hidden = ~visible(own, seen, steps)[0, 0] if own["causal"] else None
        padding = ~seen if own["masked"] else None
        return self.layer(x, x, x, padding, attn_mask=hidden, need_weights=False)[0]


class Attention(nn.Module):
    """By hand, or by PyTorch's function."""

    def __init__(self, own, dim):
        super().__init__()
        self.own, self.way = own, own["attention"]
        self.size = dim // own["heads"]
        few = self.size * own["keys"]
        if self.way["fused"]["torch"]:
            self.qkv = nn.Linear(dim, 3 * dim, bias=own["bias"])
        else:
            self.q = nn.Linear(dim, dim, bias=own["bias"])
            self.k, self.v = (nn.Linear(dim, few, bias=own["bias"]) for _ in range(2))
        self.out = nn.Linear(dim, dim, bias=own["bias"])

    def pieces(self, x):
        batch, steps, dim = x.shape
        if not self.way["fused"]["torch"]:
            parts = (self.q(x), self.k(x), self.v(x))
        elif self.way["pieces"]["torch"] == "view":
            qkv = self.qkv(x).view(batch, steps, 3, self.own["heads"], self.size)
            return qkv.permute(2, 0, 3, 1, 4).unbind(0)
        elif self.way["pieces"]["torch"] == "chunk":
            parts = self.qkv(x).chunk(3, dim=-1)
        else:
            parts = self.qkv(x).split(dim, dim=-1)
        return [part.view(batch, steps, -1, self.size).transpose(1, 2) for part in parts]

    def forward(self, x, seen):
        batch, steps, dim = x.shape
        q, k, v = self.pieces(x)
        many = self.own["heads"] // self.own["keys"]
        if many > 1:
            k, v = (part.repeat_interleave(many, dim=1) for part in (k, v))
        mask = visible(self.own, seen, steps)
        if self.way["torch"] == "sdpa":
            plain = mask is not None and not self.own["masked"]
            y = F.scaled_dot_product_attention(
                q, k, v, None if plain else mask, is_causal=plain, scale=self.own["scale"]
            )
        else:
            scores = q @ k.transpose(-2, -1) * self.own["scale"]
            scores = scores if mask is None else self.masked(scores, mask)
            dtype = torch.float32 if self.way["upcast"]["torch"] else None
            y = scores.softmax(dim=-1, dtype=dtype).to(v.dtype) @ v
        return self.out(y.transpose(1, 2).reshape(batch, steps, dim))

    def masked(self, scores, mask):
        match self.way["mask"]["torch"]:
            case "inf":
                return scores.masked_fill(~mask, float("-inf"))
            case "min":
                return scores + (1.0 - mask.to(scores.dtype)) * torch.finfo(scores.dtype).min
            case "where":
                return torch.where(mask, scores, torch.finfo(scores.dtype).min)
        return scores + (1.0 - mask.to(scores.dtype)) * -10000.0


class Recurrent(nn.Module):
    """PyTorch's layer, its cell in a loop, or gates by hand."""

    def __init__(self, own, dim):
        super().__init__()
        self.own, lstm = own, own["kind"] == "lstm"
        if own["torch"] == "layer":
            self.rnn = (nn.LSTM if lstm else nn.GRU)(dim, dim, batch_first=True)
        elif own["torch"] == "cell":
            self.cell = (nn.LSTMCell if lstm else nn.GRUCell)(dim, dim)
        else:
            gates = (4 if lstm else 3) * dim
            self.ih, self.hh = nn.Linear(dim, gates), nn.Linear(dim, gates)

    def forward(self, x, seen):
        y = self.rnn(x)[0] if self.own["torch"] == "layer" else self.loop(x)
        return x + y if self.own["residual"] else y

    def loop(self, x):
        h = c = x.new_zeros(x.shape[0], x.shape[2])
        found = []
        for t in range(x.shape[1]):
            if self.own["torch"] == "hand":
                h, c = self.step(x[:, t], h, c)
            elif self.own["kind"] == "lstm":
                h, c = self.cell(x[:, t], (h, c))
            else:
                h = self.cell(x[:, t], h)
            found.append(h)
        return torch.stack(found, dim=1)

    def step(self, x, h, c):
        if self.own["kind"] == "lstm":
            i, f, g, o = (self.ih(x) + self.hh(h)).chunk(4, dim=-1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            return torch.sigmoid(o) * torch.tanh(c), c
        rx, zx, nx = self.ih(x).chunk(3, dim=-1)
        rh, zh, nh = self.hh(h).chunk(3, dim=-1)
        z = torch.sigmoid(zx + zh)
        n = torch.tanh(nx + torch.sigmoid(rx + rh) * nh)
        return (1 - z) * n + z * h, c


BLOCKS = {"attention": AttentionBlock, "lstm": Recurrent, "gru": Recurrent}
