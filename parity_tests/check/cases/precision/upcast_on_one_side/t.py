import torch
from torch import nn
from torch.nn import functional as F


class Norm(nn.Module):
    def __init__(self, dim, eps=1e-6):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

    def forward(self, x):
        y = x.to(torch.float32)
        y = y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight * y.to(x.dtype)


class Net(nn.Module):
    """Norm and softmax in float32, as Llama has them."""

    def __init__(self, dim=16):
        super().__init__()
        self.norm, self.qkv = Norm(dim), nn.Linear(dim, 3 * dim, bias=False)
        self.out = nn.Linear(dim, dim, bias=False)

    def forward(self, x):
        q, k, v = self.qkv(self.norm(x)).chunk(3, -1)
        scores = q @ k.transpose(1, 2) / 4.0
        weights = F.softmax(scores, dim=-1, dtype=torch.float32).to(q.dtype)
        return x + self.out(weights @ v)
