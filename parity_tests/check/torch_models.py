"""Models for the PyTorch side of the check, and what must hold for each; runs in its own process.

``python -m parity_tests.check.torch_models NAME…`` prints one line a model, or the first fault.
"""

import sys
import time
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
import torchvision
from torch import nn

from parity.checker.graph.graph import Graph
from parity.checker.graph.model_interface import RecordRequest
from parity.torch_side.checker import TorchModel

RANDOM = np.random.default_rng(0)


class Functional(nn.Module):
    """Everything that people write without a layer."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding="same", dilation=2)
        self.convs = nn.ModuleList([nn.Conv2d(8, 8, 3, padding=1, groups=8) for _ in range(2)])
        self.scale = nn.Parameter(torch.rand(8, 1, 1))
        self.w = nn.Parameter(torch.randn(8, 6))
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        x = F.elu(self.conv(x))
        for conv in self.convs:
            x = x + F.relu(conv(x), inplace=True)
        x = x * self.scale
        a, b = x.chunk(2, dim=1)
        x = torch.cat([a.flip(2), b.roll(1, 3)], 1)
        x = x[:, :, 1:-1, ::2]
        x = F.pad(x, (1, 1, 0, 2))
        x = 1 - x / 2
        x -= 0.25
        x = x.mean(dim=(2, 3))
        y = F.normalize(x, dim=1) @ self.w
        y = torch.where(y > 0, y, 0.1 * y)
        y = torch.einsum("bi,oi->bo", y, self.head.weight) + self.head.bias
        return {"b": y, "a": x.pow(2).sum(1, keepdim=True).sqrt().clamp(min=0.1), "c": y.argmax(1)}


class Shared(nn.Module):
    """One layer in two places, and inputs of two sorts."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 6, padding_idx=0)
        self.proj = nn.Linear(4, 6)
        self.same = nn.Linear(6, 6)
        self.norm = nn.LayerNorm(6)
        self.register_buffer("offset", torch.linspace(0, 1, 6))

    def forward(self, tokens, features):
        x = self.embed(tokens) + self.proj(features).unsqueeze(1) + self.offset
        x = self.norm(self.same(F.gelu(self.same(x))))
        mask = (tokens != 0).unsqueeze(-1).float()
        pooled = (x * mask).sum(1) / mask.sum(1).clamp(min=1)
        return F.linear(pooled, self.embed.weight)


class Encoder(nn.Module):
    """Attention in every dress."""

    def __init__(self, batch_first=True):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, 0.1, "gelu", batch_first=batch_first)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.cross = nn.MultiheadAttention(
            8, 2, kdim=6, vdim=5, batch_first=batch_first, add_bias_kv=True, add_zero_attn=True
        )
        self.qkv = nn.Linear(8, 24)
        self.position = nn.Parameter(torch.randn(1, 5, 8))

    def forward(self, x, key, value):
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        x = self.encoder(x + self.position, mask=mask)
        y, weights = self.cross(x, key, value)
        q, k, v = self.qkv(y).reshape(2, 5, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return z.transpose(1, 2).flatten(2), weights


class Decoder(nn.Module):
    """A whole ``nn.Transformer``, not batch first, with a padding mask that depends on input."""

    def __init__(self):
        super().__init__()
        self.transformer = nn.Transformer(8, 2, 1, 1, 16)

    def forward(self, source, target):
        padding = source.sum(-1).T > 3
        return self.transformer(source, target, src_key_padding_mask=padding)


class Recurrent(nn.Module):
    """Stacked, bidirectional, with a state, by steps."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 5, 2, batch_first=True, bidirectional=True, dropout=0.2)
        self.gru = nn.GRU(10, 6)
        self.rnn = nn.RNN(6, 4, 2, nonlinearity="relu", bias=False)
        self.cell = nn.LSTMCell(4, 3)
        self.start = nn.Linear(4, 6)

    def forward(self, x):
        y, (h, c) = self.lstm(x)
        z, last = self.gru(y.transpose(0, 1), torch.tanh(self.start(x[:, 0])).unsqueeze(0))
        r, _ = self.rnn(z)
        state = None
        for step in r:
            state = self.cell(step, state)
        return torch.cat([state[0], h[-1], c[-2], last[0]], 1), y


class Upscale(nn.Module):
    """Transposed convolutions, norms and pools of all sorts."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect"),
            nn.InstanceNorm2d(8, affine=True),
            nn.PReLU(8),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.GroupNorm(2, 8),
            nn.Hardswish(),
            nn.ConvTranspose2d(8, 6, 3, 2, 1, output_padding=1, groups=2),
            nn.SiLU(),
            nn.AvgPool2d(3, 2, 1, ceil_mode=True),
            nn.BatchNorm2d(6, momentum=0.3),
            nn.Dropout2d(0.3),
            nn.AdaptiveAvgPool2d(4),
            nn.PixelShuffle(1),
            nn.Hardtanh(-0.5, 0.5),
        )
        self.one = nn.Sequential(nn.ConvTranspose1d(24, 4, 4, 2), nn.BatchNorm1d(4), nn.GLU(1))

    def forward(self, x):
        x = self.body(x)
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        y = F.unfold(x, 2, stride=2)
        return self.one(y), F.adaptive_max_pool2d(x, 3), F.local_response_norm(x, 3)


class Writes(nn.Module):
    """Writing in place, into parts and through views."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(4, 4)
        self.normed = nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))

    def forward(self, x):
        x += 1
        y = self.dense(x)
        part = y[:, :2]
        part.mul_(3)
        y[:, 3] = 0.5
        out = torch.zeros(len(x), 2, 4)
        for k in range(2):
            out[:, k] = self.normed(y) * (k + 1)
        flat = out.view(len(x), -1)
        F.relu_(out)
        return flat.cumsum(1), y.std(0), y.topk(2).values


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, slope):
        return slope * 2


@torch.jit.script
def scripted(x):
    return x.sigmoid() * x


class Hidden(nn.Module):
    """What no tracer can look into."""

    def __init__(self):
        super().__init__()
        self.script = torch.jit.script(nn.Sequential(nn.Linear(4, 4), nn.ReLU()))
        self.last = nn.Linear(4, 2)

    def forward(self, x):
        x = scripted(self.script(Twice.apply(x)))
        return SimpleNamespace(a=1) and self.last(x)


def images(*shape):
    return lambda: [RANDOM.normal(size=shape)]


def zoo(name, size=64, **more):
    def build():
        torch.manual_seed(1)
        return getattr(torchvision.models, name)(weights=None, **more)

    return build, images(2, 3, size, size)


MODELS = {
    "functional": (Functional, images(2, 3, 9, 12)),
    "shared": (Shared, lambda: [RANDOM.integers(0, 11, (3, 5)), RANDOM.normal(size=(3, 4))]),
    "encoder": (Encoder, lambda: [RANDOM.normal(size=(2, 5, k)) for k in (8, 6, 5)]),
    "decoder": (Decoder, lambda: [RANDOM.normal(size=(n, 2, 8)) for n in (5, 4)]),
    "recurrent": (Recurrent, images(2, 5, 4)),
    "upscale": (Upscale, images(2, 3, 15, 18)),
    "writes": (Writes, images(3, 4)),
    "hidden": (Hidden, images(3, 4)),
    "resnet18": zoo("resnet18"),
    "mobilenet_v2": zoo("mobilenet_v2"),
    "densenet121": zoo("densenet121", 32),
    "inception_v3": zoo("inception_v3", 299, init_weights=False, aux_logits=True),
    "googlenet": zoo("googlenet", 64, init_weights=False, aux_logits=True),
    "vit": (
        lambda: torchvision.models.VisionTransformer(32, 8, 2, 4, 32, 64, dropout=0.1),
        images(2, 3, 32, 32),
    ),
    "vit_b_16": zoo("vit_b_16", 32, image_size=32),
    "swin_t": zoo("swin_t", 64),
    "swin_v2_t": zoo("swin_v2_t", 64),
    "convnext_tiny": zoo("convnext_tiny", 32),
    "efficientnet_b0": zoo("efficientnet_b0"),
    "shufflenet": zoo("shufflenet_v2_x0_5"),
    "squeezenet": zoo("squeezenet1_1"),
}


def near(left, right, bound=1e-5):
    scale = max(float(np.abs(right).max(initial=0)), 1e-30)
    return left.shape == right.shape and np.allclose(
        left, right, rtol=0, atol=bound * scale, equal_nan=True
    )


def seen(traced, source, roots):
    """A source from the recorded roots, by its index array."""
    root = roots[source.value]
    if not source.ids:
        return root
    return root.reshape(-1)[traced.ids[source.ids]]


def known_roots(model, inputs, recorded, precision):
    roots = {
        f"input:{k}": x.astype(precision) if x.dtype.kind == "f" else x
        for k, x in enumerate(inputs)
    }
    roots |= {f"parameter:{k}": w.astype(precision) for k, w in model.weights().items()}
    return roots | {
        k.removeprefix("values/"): v for k, v in recorded.items() if k.startswith("values/")
    }


def check(name):
    """Everything that must hold for a model; raises AssertionError where it does not."""
    torch.manual_seed(1)
    build, draw = MODELS[name]
    inputs = draw()
    model = TorchModel(build, name)
    before = {k: v.clone() for k, v in model.model.state_dict().items()}
    traced = model.trace(inputs)
    graph = traced.graph
    assert Graph.from_json(graph.to_json()).nodes[-1].id == graph.nodes[-1].id
    for precision in ("float32", "float64"):
        replayed(model, traced, inputs, precision)
    constants_are_constant(model, graph, inputs, draw())
    training(model, graph, inputs)
    for key, value in model.model.state_dict().items():
        assert torch.equal(before[key], value), f"{key} is not what it was"
    weights_go_back_and_forth(model)
    assert model.model.training, "the training flag is not what it was"
    return graph


def replayed(model, traced, inputs, precision):
    graph = traced.graph
    projections = [np.ones(s.shape) for s in graph.outputs]
    out = model.record(RecordRequest(precision, "evaluate", inputs, projections))
    roots = known_roots(model, inputs, out, precision)
    for node in graph.nodes:
        sources = [seen(traced, s, roots) for s in node.sources]
        for source, array in zip(node.sources, sources, strict=True):
            assert array.shape == source.shape, (node.name, source)
        if node.name.endswith("unseen"):
            continue
        again = model.replay(node.id, sources, precision)
        assert set(again) == {f"values/{v.id}" for v in node.values}, (node, list(again))
        for key, value in again.items():
            assert near(value, out[key]), (
                node.name,
                node.kind,
                key,
                np.abs(value - out[key]).max(),
            )
            assert value.shape == next(v.shape for v in node.values if key.endswith(v.id))
    with torch.no_grad():
        plain = model.model if precision == "float32" else None
        if plain is not None:
            real = plain.eval()(
                *(
                    torch.from_numpy(x).float() if x.dtype.kind == "f" else torch.from_numpy(x)
                    for x in inputs
                )
            )
            plain.train()
            from parity.torch_side.checker.running import outputs_of

            for k, (_, tensor) in enumerate(outputs_of(real)):
                assert near(out[f"outputs/{k}"], tensor.numpy(), 1e-4), f"output {k}"
    for k, source in enumerate(graph.outputs):
        assert np.array_equal(seen(traced, source, roots), out[f"outputs/{k}"])
    for key, value in out.items():
        assert value.dtype.kind != "f" or value.dtype == precision, (key, value.dtype)


def constants_are_constant(model, graph, inputs, others):
    def constants(given):
        out = model.record(RecordRequest("float32", "evaluate", given))
        return {k: v for k, v in out.items() if k.startswith("values/constant")}

    first, second = constants(inputs), constants(others)
    assert set(first) == set(second)
    for key in first:
        assert np.array_equal(first[key], second[key], equal_nan=True), f"{key} is none"


def weights_go_back_and_forth(model):
    weights = model.weights()
    out = {k: RANDOM.normal(size=w.shape).astype(np.float32) for k, w in weights.items()}
    model.set_weights(out)
    for key, value in model.weights().items():
        assert near(value, out[key].astype(np.float64)), key
    model.set_weights(weights)
    for key, value in model.weights().items():
        assert near(value, weights[key], 1e-6), key


def training(model, graph, inputs):
    held = {k: v.clone() for k, v in model.model.state_dict().items()}
    projections = [RANDOM.normal(size=s.shape) for s in graph.outputs]
    first = model.record(RecordRequest("float64", "train", inputs, projections, keep_values=False))
    steep = sum(
        (v**2).sum() for k, v in first.items() if k.startswith("gradients/") and "input:" not in k
    )
    rate = 1e-7 * max(abs(float(first["loss"])), 1.0) / steep
    out = model.record(RecordRequest("float64", "train", inputs, projections, steps=2, rate=rate))
    values = {k for k in out if k.startswith("values/n")}
    assert values == {f"values/{v.id}" for n in graph.nodes for v in n.values}, "ids differ"
    assert out["steps/loss"].shape == (3,)
    for name, parameter in graph.parameters.items():
        assert f"steps/{name}" in out
        if parameter.role in ("mean", "variance"):
            assert f"state/{name}" in out
    fall = out["steps/loss"][0] - out["steps/loss"][1]
    assert abs(fall - rate * steep) <= 0.05 * rate * steep, (fall, rate * steep)
    for key, value in model.model.state_dict().items():
        assert torch.equal(held[key], value), f"{key} moved"


def main(names):
    failed = 0
    for name in names or MODELS:
        start = time.perf_counter()
        try:
            graph = check(name)
        except Exception as error:
            if "-v" in sys.flags.__repr__() or len(names) == 1:
                raise
            failed += 1
            print(f"{name}: FAILED {type(error).__name__}: {str(error)[:300]}", flush=True)
            continue
        opaque = [n.name for n in graph.nodes if n.kind == "opaque"]
        took = time.perf_counter() - start
        print(
            f"{name}: {len(graph.nodes)} nodes, opaque {opaque}, unused {len(graph.unused)}, "
            f"notes {list(graph.notes)}, {took:.1f} s",
            flush=True,
        )
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
