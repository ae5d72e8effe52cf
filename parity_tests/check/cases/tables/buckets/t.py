import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, heads=2, width=6):
        super().__init__()
        self.heads, self.width = heads, width
        self.q, self.k, self.v = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.bias = nn.Embedding(8, heads)

    def forward(self, x):
        b, n, c = x.shape
        q, k, v = (
            f(x).view(b, n, self.heads, -1).transpose(1, 2) for f in (self.q, self.k, self.v)
        )
        apart = torch.arange(n)[None] - torch.arange(n)[:, None]
        bias = self.bias(apart.abs().clamp(max=3) + 4 * (apart > 0)).permute(2, 0, 1)[None]
        return ((q @ k.mT + bias).softmax(-1) @ v).transpose(1, 2).reshape(b, n, c)
