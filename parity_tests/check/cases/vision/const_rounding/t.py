import torch
from torch import nn


class Net(nn.Module):
    """A table made in float32 and kept as a buffer."""

    def __init__(self, dim=8):
        super().__init__()
        self.one, self.two = nn.Linear(dim, dim), nn.Linear(dim, 4)
        self.register_buffer(
            "table", torch.arange(1, dim + 1, dtype=torch.float32) / 7, persistent=False
        )

    def forward(self, x):
        return self.two(self.one(x) * self.table)
