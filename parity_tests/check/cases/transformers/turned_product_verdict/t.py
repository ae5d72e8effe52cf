import torch
from torch import nn


class Net(nn.Module):
    """A right pair: a table of sines, and scores."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.b = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 4)

    def forward(self, x):
        at = torch.arange(x.shape[1]).float()[:, None] * torch.pow(
            torch.tensor(10000.0), -torch.arange(8).float() / 8
        )
        x = x * at.sin()
        q, k, v = (f.view(*x.shape[:2], 2, 4).transpose(1, 2) for f in (self.q(x), self.k(x), x))
        y = (q @ k.transpose(2, 3) * 0.5).softmax(-1) @ v
        return self.b(y.transpose(1, 2).reshape(x.shape))
