import torch
from torch import nn


class Cell(nn.Module):
    """Two heads of one shape, and how much of each: where they are exchanged, nothing tells them
    apart but what takes them."""

    def __init__(self, bounded=True):
        super().__init__()
        self.bounded = bounded
        self.first, self.second, self.time = nn.Linear(6, 5), nn.Linear(6, 5), nn.Linear(6, 5)
        self.norm = nn.LayerNorm(5)

    def forward(self, x):
        one, other, share = self.first(x), self.second(x), torch.sigmoid(self.time(x))
        if self.bounded:
            one, other = torch.tanh(one), torch.tanh(other)
        return self.norm(one * (1 - share) + share * other)
