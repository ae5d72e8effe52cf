import torch
from torch import nn


class Net(nn.Module):
    """As BLOOM: samples and heads are one axis."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.b = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 4)

    def forward(self, x):
        n, steps, _ = x.shape
        q, k, v = (
            f.view(n, steps, 2, 4).transpose(1, 2).reshape(n * 2, steps, 4)
            for f in (self.q(x), self.k(x), x)
        )
        y = torch.bmm(torch.bmm(q, k.transpose(1, 2)).softmax(-1), v)
        return nn.functional.gelu(self.b(y.view(n, 2, steps, 4).transpose(1, 2).reshape(x.shape)))
