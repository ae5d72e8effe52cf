"""PyTorch models with attention."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


class EncoderBlock(nn.Module):
    """Norm first."""

    def __init__(self, dim=12, heads=3, hidden=20):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.norm2 = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        y = self.norm1(x)
        y, _ = self.attn(y, y, y, need_weights=False)
        x = x + self.drop(y)
        y = self.fc2(F.gelu(self.fc1(self.norm2(x))))
        return x + self.drop(y)


class BuiltIn(nn.Module):
    """PyTorch's own layer, norm last, ReLU."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(
            d_model=12, nhead=3, dim_feedforward=18, dropout=0.1, batch_first=True
        )
        self.fc = nn.Linear(12, 4)

    def forward(self, x):
        return self.fc(self.layer(x)[:, 0])


class HandWritten(nn.Module):
    """Separate query, key and value."""

    def __init__(self, dim=12, heads=4):
        super().__init__()
        self.heads, self.size = heads, dim // heads
        self.q = nn.Linear(dim, dim)
        self.k = nn.Linear(dim, dim)
        self.v = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)

    def split(self, x):
        b, t, _ = x.shape
        return x.view(b, t, self.heads, self.size).transpose(1, 2)

    def forward(self, x):
        q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
        scores = q @ k.transpose(-2, -1) / math.sqrt(self.size)
        y = F.softmax(scores, dim=-1) @ v
        return self.out(y.transpose(1, 2).flatten(2))


class FusedQkv(nn.Module):
    """One layer for query, key and value, as in timm."""

    def __init__(self, dim=10, heads=2):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        b, n, c = x.shape
        qkv = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.proj(y.transpose(1, 2).reshape(b, n, c))


class Gpt(nn.Module):
    """A decoder: embeddings, one causal block, the head."""

    def __init__(self, rows=27, dim=12, length=10):
        super().__init__()
        self.wte = nn.Embedding(rows, dim)
        self.wpe = nn.Embedding(length, dim)
        self.ln1 = nn.LayerNorm(dim)
        self.attn = nn.MultiheadAttention(dim, 2, batch_first=True)
        self.ln2 = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 30), nn.GELU("tanh"), nn.Linear(30, dim))
        self.head = nn.Linear(dim, rows, bias=False)

    def forward(self, tokens):
        n = tokens.shape[1]
        x = self.wte(tokens) + self.wpe(torch.arange(n))
        mask = torch.triu(torch.ones(n, n, dtype=torch.bool), diagonal=1)
        y = self.ln1(x)
        x = x + self.attn(y, y, y, attn_mask=mask, need_weights=False)[0]
        x = x + self.mlp(self.ln2(x))
        return self.head(x)


class PaddingMask(nn.Module):
    """True where there is nothing."""

    def __init__(self):
        super().__init__()
        self.attn = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8, eps=1e-6)

    def forward(self, x, empty):
        y, _ = self.attn(x, x, x, key_padding_mask=empty)
        return self.norm(x + y)


class Cross(nn.Module):
    """One sequence looks at another."""

    def __init__(self):
        super().__init__()
        self.q = nn.Linear(7, 8)
        self.kv = nn.Linear(9, 16)
        self.out = nn.Linear(8, 5)

    def forward(self, x, memory):
        q = self.q(x)
        k, v = self.kv(memory).chunk(2, dim=-1)
        scores = torch.einsum("bqd,bkd->bqk", q, k) * 8**-0.5
        return self.out(torch.einsum("bqk,bkd->bqd", scores.softmax(-1), v))


class Vit(nn.Module):
    def __init__(self, dim=12, patch=4):
        super().__init__()
        self.patch = nn.Conv2d(3, dim, patch, patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos = nn.Parameter(torch.randn(1, 4 * 3 + 1, dim) * 0.02)
        self.block = EncoderBlock(dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, 5)

    def forward(self, image):
        x = self.patch(image).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], dim=1) + self.pos
        return self.head(self.norm(self.block(x))[:, 0])


class NormByHand(nn.Module):
    def __init__(self, width=9):
        super().__init__()
        self.inlet = nn.Linear(6, width)
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.outlet = nn.Linear(width, 4)

    def forward(self, x):
        x = self.inlet(x)
        mean = x.mean(-1, keepdim=True)
        variance = ((x - mean) ** 2).mean(-1, keepdim=True)
        x = (x - mean) / torch.sqrt(variance + 1e-5) * self.weight + self.bias
        return self.outlet(F.gelu(x, approximate="tanh"))


class Llama(nn.Module):
    """RMS norm and a gated feed-forward part."""

    def __init__(self, dim=10, hidden=14):
        super().__init__()
        self.norm = nn.RMSNorm(dim, eps=1e-6)
        self.gate = nn.Linear(dim, hidden, bias=False)
        self.up = nn.Linear(dim, hidden, bias=False)
        self.down = nn.Linear(hidden, dim, bias=False)

    def forward(self, x):
        y = self.norm(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class AttentionPool(nn.Module):
    """A learned mean over time."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(7, 10)
        self.score = nn.Linear(10, 1)
        self.fc = nn.Linear(7, 3)

    def forward(self, x):
        weights = torch.softmax(self.score(torch.tanh(self.hidden(x))), dim=1)
        return self.fc((weights * x).sum(dim=1))


class ScaledEmbedding(nn.Module):
    """As the first Transformer: embeddings times the root of their size, sines added."""

    def __init__(self, rows=25, dim=8, length=12):
        super().__init__()
        self.embedding = nn.Embedding(rows, dim)
        angle = np.arange(length)[:, None] / 10000 ** (np.arange(0, dim, 2) / dim)
        table = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
        self.register_buffer("table", torch.tensor(table, dtype=torch.float32))
        self.fc = nn.Linear(dim, 5)

    def forward(self, tokens):
        x = self.embedding(tokens) * math.sqrt(self.embedding.embedding_dim)
        return self.fc(x + self.table[: tokens.shape[1]])
