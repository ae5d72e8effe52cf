"""Random architectures, drawn from one seed, that PyTorch and Keras can build alike.

An architecture is JSON: nodes in a topological order, each with the nodes it takes, and how each
side writes it (as a layer, as a function, fused into the layer before it).
"""

from __future__ import annotations

import random
from typing import Any

Node = dict[str, Any]

ACTIVATIONS: tuple[dict[str, Any], ...] = (
    {"name": "relu"},
    {"name": "relu"},
    {"name": "relu6"},
    {"name": "leaky", "slope": 0.1},
    {"name": "leaky", "slope": 0.3},
    {"name": "elu", "alpha": 0.7},
    {"name": "silu"},
    {"name": "gelu"},
    {"name": "gelu_tanh"},
    {"name": "sigmoid"},
    {"name": "tanh"},
    {"name": "softplus"},
    {"name": "hard_silu"},
    {"name": "mish"},
    {"name": "selu"},
    {"name": "hard_sigmoid"},
    {"name": "softsign"},
)
NORMS = ("batch_norm", "group_norm", "layer_norm", "instance_norm")
EPSILONS = (1e-5, 1e-3, 1e-6, 2e-4)
MOMENTA = (0.1, 0.01, 0.3)
IMAGE_BLOCKS = (
    "plain",
    "plain",
    "depthwise",
    "pool",
    "residual",
    "residual",
    "branches",
    "gate",
    "upsample",
    "shared",
    "drop",
    "transposed",
    "norm_first",
    "separable",
)
SEQUENCE_BLOCKS = (
    "recurrent",
    "recurrent",
    "conv",
    "dense",
    "residual",
    "branches",
    "norm",
    "pool",
    "drop",
)
MOST = 12
"""Blocks."""


def architecture(seed: int) -> dict[str, Any]:
    """Draw one from a seed."""
    return drawn(random.Random(seed), seed)


def drawn(rng: random.Random, seed: int = 0) -> dict[str, Any]:
    """Draw one from what chooses: `random.Random`, or hypothesis in its place."""
    draw = _Draw(rng)
    family = draw.rng.choices(("image", "sequence", "tokens", "vector"), (6, 3, 2, 1))[0]
    text = getattr(draw, f"{family}_model")()
    chain = all(n["of"] == [n["id"] - 1] and "share" not in n for n in draw.nodes)
    return {
        "seed": seed,
        "family": family,
        "inputs": [text],
        "train": rng.random() < 0.4,
        "nodes": draw.nodes,
        "shape": draw.shapes[-1],
        "torch": {
            "style": rng.choice(["sequential"] * 2 * chain + ["plain", "nested"]),
            "order": _shuffled(draw.nodes, rng),
        },
        "keras": {
            "style": rng.choice(["sequential"] * 2 * chain + ["functional"] * 2 + ["subclassed"]),
            "order": _shuffled(draw.nodes, rng),
            "prefix": rng.choice(["", "k_", "my_"]),
        },
    }


def _shuffled(nodes: list[Node], rng: random.Random) -> list[int]:
    """An order in which each node comes after those it takes."""
    left, done = [n["id"] for n in nodes], {-1}
    order: list[int] = []
    while left:
        ready = [i for i in left if done >= {*nodes[i]["of"], nodes[i].get("share", -1)}]
        chosen = rng.choice(ready)
        order.append(chosen)
        left.remove(chosen)
        done.add(chosen)
    return order


class _Draw:
    """Nodes so far, and the shape of each one's output without the batch."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.nodes: list[Node] = []
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.block = 0

    def add(self, op: str, of: list[int], shape: tuple[int, ...], **settings: Any) -> int:
        """Append a node."""
        number = len(self.nodes)
        self.nodes.append(
            {
                "id": number,
                "name": f"{op}{number}",
                "block": f"block{self.block}",
                "op": op,
                "of": of,
                "torch": self.rng.choice(["layer", "function"]),
                "keras": self.rng.choice(["layer", "function", "fused"]),
                "padding": self.rng.choice(["same", "layer", "function"]),
                "channels": self.shapes[of[0]],
                **settings,
            }
        )
        self.shapes[number] = shape
        return number

    def width(self) -> int:
        """Of a layer."""
        return self.rng.randint(4, 10)

    # Images: (channels, height, width)

    def image_model(self) -> str:
        """Blocks, then a head."""
        rng = self.rng
        height, width = rng.sample(range(9, 17), 2)
        channels = rng.choice([2, 3, 4])
        self.shapes[-1] = (channels, height, width)
        x = -1
        blocks = IMAGE_BLOCKS
        for self.block in range(rng.randint(2, MOST - 4)):
            _, high, wide = self.shapes[x]
            name = rng.choice(blocks)
            if min(high, wide) < 5 and name in ("pool", "depthwise"):
                name = "branches"
            if max(high, wide) > 16 and name in ("upsample", "transposed"):
                name = "pool"
            x = getattr(self, f"image_{name}")(x)
            if len(self.nodes) > 40:
                break
        self.image_head(x)
        return f"{rng.choice([2, 3, 4])},{channels},{height},{width}"

    def conv(
        self, x: int, out: int, *, same: bool = False, stride: int = 0, kernel: int = 0
    ) -> int:
        """A convolution; `same` keeps the size."""
        rng = self.rng
        c, *size = self.shapes[x]
        kernels = [kernel or rng.choice([1, 3, 3, 5] if same else [1, 2, 3, 3, 4, 5])] * 2
        if rng.random() < 0.2 and not kernel:
            kernels[rng.randint(0, 1)] = 1
        stride = stride or (1 if same else rng.choice([1, 1, 2]))
        dilation = 2 if stride == 1 and rng.random() < 0.2 and max(kernels) > 1 else 1
        full = [dilation * (k - 1) for k in kernels]
        keep = same or rng.random() < 0.5
        pads = [f // 2 if keep else rng.randint(0, f // 2) for f in full]
        after = [
            (n + 2 * p - f - 1) // stride + 1 for n, p, f in zip(size, pads, full, strict=True)
        ]
        if min(after) < 2:
            stride, pads = 1, [f // 2 for f in full]
            after = [n + 2 * p - f for n, p, f in zip(size, pads, full, strict=True)]
        groups = rng.choice([g for g in (2, 3, 4) if c % g == 0 and out % g == 0] or [1])
        return self.add(
            "conv",
            [x],
            (out, *after),
            out=out,
            kernel=kernels,
            stride=stride,
            pads=pads,
            dilation=dilation,
            groups=groups if rng.random() < 0.3 else 1,
            bias=rng.random() < 0.6,
        )

    def norm(self, x: int, kinds: tuple[str, ...] = NORMS) -> int:
        """A normalisation."""
        rng, shape = self.rng, self.shapes[x]
        kind = rng.choice((*kinds[:1], *kinds))
        groups = rng.choice([g for g in range(1, shape[0]) if shape[0] % g == 0])
        return self.add(
            kind,
            [x],
            shape,
            eps=rng.choice(EPSILONS),
            groups=groups,
            momentum=rng.choice(MOMENTA),
            affine=rng.random() < 0.85,
        )

    def act(self, x: int) -> int:
        """An activation."""
        return self.add("act", [x], self.shapes[x], act=dict(self.rng.choice(ACTIVATIONS)))

    def image_plain(self, x: int) -> int:
        """Convolution, perhaps a norm, perhaps an activation."""
        x = self.conv(x, self.width())
        if self.rng.random() < 0.6:
            x = self.norm(x)
        return self.act(x) if self.rng.random() < 0.8 else x

    def image_norm_first(self, x: int) -> int:
        """As in DenseNet."""
        y = self.conv(self.act(self.norm(x)), self.width(), same=True)
        return self.concat([x, y]) if self.shapes[x][0] < 8 else y

    def image_depthwise(self, x: int) -> int:
        """One filter a channel, or two."""
        c, *size = self.shapes[x]
        many = 2 if c < 6 and self.rng.random() < 0.4 else 1
        stride = self.rng.choice([1, 2])
        kernel = self.rng.choice([3, 5])
        after = [(n - 1) // stride + 1 for n in size]
        x = self.add(
            "depthwise",
            [x],
            (c * many, *after),
            many=many,
            kernel=[kernel] * 2,
            stride=stride,
            pads=[kernel // 2] * 2,
            bias=self.rng.random() < 0.5,
        )
        return self.act(self.norm(x) if self.rng.random() < 0.5 else x)

    def image_separable(self, x: int) -> int:
        """One layer in Keras, two in PyTorch."""
        out = self.width()
        x = self.add(
            "separable", [x], (out, *self.shapes[x][1:]), out=out, bias=self.rng.random() < 0.7
        )
        return self.act(x)

    def image_transposed(self, x: int) -> int:
        """Enlarges."""
        out, (_, *size) = self.width(), self.shapes[x]
        kernel, pad = self.rng.choice([(2, 0), (3, 0), (4, 1)])
        after = [(n - 1) * 2 + kernel - 2 * pad for n in size]
        return self.act(
            self.add(
                "transposed",
                [x],
                (out, *after),
                out=out,
                kernel=kernel,
                pad=pad,
                bias=self.rng.random() < 0.6,
            )
        )

    def pool(self, x: int, *, same: bool = False) -> int:
        """Of any kind; `same` keeps the size."""
        rng = self.rng
        c, *size = self.shapes[x]
        kind = rng.choice(["max", "average"])
        kernel, stride, pad = rng.choice(
            [(3, 1, 1)] if same else [(2, 2, 0), (3, 2, 1), (3, 1, 1), (3, 2, 0), (2, 1, 0)]
        )
        after = [(n + 2 * pad - kernel) // stride + 1 for n in size]
        return self.add(
            "pool",
            [x],
            (c, *after),
            kind=kind,
            kernel=kernel,
            stride=stride,
            pad=pad,
            counted=rng.random() < 0.5,
        )

    def image_pool(self, x: int) -> int:
        """A pool."""
        return self.pool(x)

    def image_residual(self, x: int) -> int:
        """One or two convolutions and a shortcut, which is projected if it must be."""
        rng = self.rng
        c, high, wide = self.shapes[x]
        out = rng.choice([c, self.width()])
        stride = 2 if min(high, wide) > 6 and rng.random() < 0.4 else 1
        steps = rng.choice([1, 2])
        y = x
        kernel = 3 if stride > 1 else 0
        for step in range(steps):
            y = self.conv(y, out, same=True, stride=stride if step == 0 else 1, kernel=kernel)
            if rng.random() < 0.7:
                y = self.norm(y)
            if step + 1 < steps:
                y = self.act(y)
        if out != c or stride > 1:
            size = self.shapes[y][1:]
            x = self.add(
                "conv",
                [x],
                (out, *size),
                out=out,
                kernel=[1, 1],
                stride=stride,
                pads=[0, 0],
                dilation=1,
                groups=1,
                bias=rng.random() < 0.5,
            )
            if rng.random() < 0.5:
                x = self.norm(x, ("batch_norm",))
        return self.tail(self.add("add", rng.sample([x, y], 2), self.shapes[y]))

    def tail(self, x: int) -> int:
        """Perhaps an activation."""
        return self.act(x) if self.rng.random() < 0.6 else x

    def concat(self, of: list[int]) -> int:
        """Along the channels (of images) or features."""
        shapes = [self.shapes[i] for i in of]
        total = sum(s[0 if len(s) == 3 else -1] for s in shapes)
        first = shapes[0]
        shape = (total, *first[1:]) if len(first) == 3 else (*first[:-1], total)
        return self.add("concat", of, shape)

    def image_branches(self, x: int) -> int:
        """Two or three of them, side by side."""
        ends = []
        for _ in range(self.rng.choice([2, 2, 3])):
            y = self.pool(x, same=True) if self.rng.random() < 0.25 else x
            y = self.conv(y, self.rng.randint(3, 5), same=True)
            ends.append(self.tail(y))
        return self.concat(ends)

    def image_gate(self, x: int) -> int:
        """Squeeze and excite."""
        c = self.shapes[x][0]
        y = self.add("squeeze", [x], (c, 1, 1))
        y = self.add("dense_image", [y], (4, 1, 1), out=4, bias=True)
        y = self.add("act", [y], (4, 1, 1), act={"name": self.rng.choice(["relu", "silu"])})
        y = self.add("dense_image", [y], (c, 1, 1), out=c, bias=True)
        y = self.add(
            "act", [y], (c, 1, 1), act={"name": self.rng.choice(["sigmoid", "hard_sigmoid"])}
        )
        return self.add("multiply", [x, y], self.shapes[x])

    def image_upsample(self, x: int) -> int:
        """Twice as large."""
        c, high, wide = self.shapes[x]
        kind = self.rng.choice(["nearest", "bilinear"])
        return self.add("upsample", [x], (c, 2 * high, 2 * wide), kind=kind)

    def image_shared(self, x: int) -> int:
        """A convolution that is used twice."""
        c = self.shapes[x][0]
        first = self.conv(x, c, same=True)
        settings = {
            k: v
            for k, v in self.nodes[first].items()
            if k in ("out", "kernel", "stride", "pads", "dilation", "groups", "bias")
        }
        y = self.act(first)
        return self.add("conv", [y], self.shapes[y], share=first, **settings)

    def image_drop(self, x: int) -> int:
        """Dropout."""
        rate = self.rng.choice([0.1, 0.2, 0.5])
        return self.add("dropout", [x], self.shapes[x], rate=rate)

    def image_head(self, x: int) -> None:
        """To a vector, and dense layers."""
        c, high, wide = self.shapes[x]
        if self.rng.random() < 0.5 or c * high * wide > 2000:
            x = self.add("global_pool", [x], (c,), kind=self.rng.choice(["max", "average"]))
        else:
            x = self.add("flatten", [x], (c * high * wide,))
        self.dense_stack(x)

    def dense_stack(self, x: int) -> int:
        """One to three, with what stands between."""
        rng = self.rng
        for last in [False] * rng.randint(0, 2) + [True]:
            x = self.dense(x, self.width())
            if not last:
                if rng.random() < 0.3:
                    many = len(self.shapes[x]) > 1
                    x = self.norm(x, ("layer_norm",) if many else ("batch_norm", "layer_norm"))
                x = self.act(x)
                if rng.random() < 0.3:
                    x = self.image_drop(x)
        return x

    def dense(self, x: int, out: int) -> int:
        """On the last axis."""
        bias = self.rng.random() < 0.8
        return self.add("dense", [x], (*self.shapes[x][:-1], out), out=out, bias=bias)

    # Vectors: (features,)

    def vector_model(self) -> str:
        """Dense layers, with residuals and branches."""
        rng = self.rng
        self.shapes[-1] = (self.width(),)
        x = -1
        for self.block in range(rng.randint(1, 4)):
            x = rng.choice([self.sequence_residual, self.sequence_branches, self.dense_stack])(x)
            x = self.tail(x)
        self.dense(x, self.width())
        return f"{rng.choice([3, 4])},{self.shapes[-1][0]}"

    # Sequences: (steps, features)

    def sequence_model(self) -> str:
        """Recurrent layers, convolutions along time, dense layers."""
        rng = self.rng
        steps, width = rng.randint(7, 12), self.width()
        self.shapes[-1] = (steps, width)
        x = -1
        blocks = SEQUENCE_BLOCKS
        for self.block in range(rng.randint(2, 6)):
            name = rng.choice(blocks)
            if name == "pool" and self.shapes[x][0] < 5:
                name = "dense"
            x = getattr(self, f"sequence_{name}")(x)
        self.sequence_head(x)
        return f"{rng.choice([2, 3, 4])},{steps},{width}"

    def recurrent(self, x: int, *, sequences: bool) -> int:
        """LSTM or GRU."""
        rng = self.rng
        units, both = rng.randint(4, 7), rng.random() < 0.3
        out = units * (2 if both else 1)
        shape = (self.shapes[x][0], out) if sequences else (out,)
        layers = rng.choice([1, 1, 2])
        return self.add(
            rng.choice(["lstm", "gru"]),
            [x],
            shape,
            units=units,
            both=both,
            sequences=sequences,
            layers=layers,
        )

    def sequence_recurrent(self, x: int) -> int:
        """All steps."""
        return self.recurrent(x, sequences=True)

    def sequence_conv(self, x: int) -> int:
        """Along time, perhaps causal."""
        rng = self.rng
        steps = self.shapes[x][0]
        kernel, out = rng.choice([2, 3, 5] if steps >= 5 else [2, 3]), self.width()
        causal = rng.random() < 0.3
        dilation = 2 if causal and rng.random() < 0.5 else 1
        full = dilation * (kernel - 1)
        pads = [full, 0] if causal else [full // 2] * 2 if rng.random() < 0.6 else [0, 0]
        if steps + sum(pads) - full < 3:
            pads = [full, 0]
        x = self.add(
            "conv1d",
            [x],
            (steps + sum(pads) - full, out),
            out=out,
            kernel=kernel,
            pads=pads,
            dilation=dilation,
            bias=rng.random() < 0.7,
        )
        return self.tail(x)

    def sequence_dense(self, x: int) -> int:
        """With an activation."""
        return self.tail(self.dense(x, self.width()))

    def sequence_residual(self, x: int) -> int:
        """Two dense layers and a shortcut."""
        width = self.shapes[x][-1]
        y = self.dense(self.act(self.dense(x, self.width())), width)
        return self.add("add", self.rng.sample([x, y], 2), self.shapes[y])

    def sequence_branches(self, x: int) -> int:
        """Dense layers side by side."""
        many = self.rng.choice([2, 3])
        return self.concat([self.tail(self.dense(x, self.rng.randint(3, 6))) for _ in range(many)])

    def sequence_norm(self, x: int) -> int:
        """Of the features."""
        return self.norm(x, ("layer_norm",))

    def sequence_pool(self, x: int) -> int:
        """Every two steps."""
        steps, width = self.shapes[x]
        kind = self.rng.choice(["max", "average"])
        return self.add("pool1d", [x], (steps // 2, width), kind=kind)

    def sequence_drop(self, x: int) -> int:
        """Dropout."""
        return self.image_drop(x)

    def sequence_head(self, x: int) -> None:
        """To a vector, or a dense layer at each step."""
        steps, width = self.shapes[x]
        how = self.rng.choice(["recurrent", "mean", "last", "flatten", "each"])
        if how == "recurrent":
            x = self.recurrent(x, sequences=False)
        elif how == "mean":
            x = self.add("global_pool1d", [x], (width,), kind=self.rng.choice(["max", "average"]))
        elif how == "last":
            x = self.add("last", [x], (width,))
        elif how == "flatten":
            x = self.add("flatten", [x], (steps * width,))
        self.dense_stack(x)

    # Tokens

    def tokens_model(self) -> str:
        """Embeddings, blocks of attention, a head."""
        rng = self.rng
        steps, rows = rng.randint(6, 10), rng.randint(15, 30)
        heads = rng.choice([2, 3])
        dim = heads * rng.choice([3, 4])
        self.shapes[-1] = (steps,)
        x = self.add("embedding", [-1], (steps, dim), rows=rows, dim=dim)
        if rng.random() < 0.7:
            x = self.add("positions", [x], (steps, dim))
        causal = rng.random() < 0.4
        for self.block in range(rng.randint(1, 3)):
            x = self.attention_block(x, heads, causal, first=rng.random() < 0.6)
        if rng.random() < 0.5:
            x = self.norm(x, ("layer_norm",))
        self.sequence_head(x)
        return f"{rng.choice([2, 3])},{steps}:int<{rows}"

    def attention_block(self, x: int, heads: int, causal: bool, *, first: bool) -> int:
        """Norm first or last."""
        shape = self.shapes[x]
        y = self.norm(x, ("layer_norm",)) if first else x
        y = self.add("attention", [y], shape, heads=heads, causal=causal)
        if self.rng.random() < 0.5:
            y = self.image_drop(y)
        x = self.add("add", [x, y], shape)
        x = x if first else self.norm(x, ("layer_norm",))
        y = self.norm(x, ("layer_norm",)) if first else x
        y = self.dense(self.act(self.dense(y, self.rng.randint(11, 15))), shape[-1])
        x = self.add("add", [x, y], shape)
        return x if first else self.norm(x, ("layer_norm",))
