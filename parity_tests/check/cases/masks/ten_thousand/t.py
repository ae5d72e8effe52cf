import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(8, 8) for _ in range(4))
        self.norm = nn.LayerNorm(8, eps=1e-12)

    def forward(self, x, seen):
        y = self.norm(x)
        q, k, v = (f(y).view(2, 7, 2, 4).transpose(1, 2) for f in (self.q, self.k, self.v))
        mask = (1.0 - seen[:, None, None, :].to(y.dtype)) * -10000.0
        weights = torch.softmax(q @ k.transpose(2, 3) / 2 + mask, dim=-1)
        return x + self.out((weights @ v).transpose(1, 2).reshape(2, 7, 8))
