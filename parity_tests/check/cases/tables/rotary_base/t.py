import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    """Llama's rotary embedding: halves."""

    def __init__(self, dim=16, heads=2):
        super().__init__()
        self.heads, self.size = heads, dim // heads
        self.q, self.k, self.v, self.o = (nn.Linear(dim, dim, bias=False) for _ in range(4))
        inv = 1.0 / (10000 ** (torch.arange(0, self.size, 2).float() / self.size))
        self.register_buffer("inv_freq", inv, persistent=False)

    def rotate(self, x):
        half = x.shape[-1] // 2
        return torch.cat((-x[..., half:], x[..., :half]), dim=-1)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (
            f(x).view(b, t, self.heads, self.size).transpose(1, 2) for f in (self.q, self.k, self.v)
        )
        angles = torch.outer(torch.arange(t).float(), self.inv_freq)
        emb = torch.cat((angles, angles), dim=-1)
        cos, sin = emb.cos()[None, None], emb.sin()[None, None]
        q, k = q * cos + self.rotate(q) * sin, k * cos + self.rotate(k) * sin
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o(y.transpose(1, 2).reshape(b, t, c))
