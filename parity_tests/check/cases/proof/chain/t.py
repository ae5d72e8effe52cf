import torch
from torch import nn


class Net(nn.Module):
    """Pixels to fractions, then to zero mean and unit variance."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.register_buffer("mean", torch.tensor([0.5, 0.4, 0.3])[:, None, None])
        self.register_buffer("std", torch.tensor([0.2, 0.25, 0.3])[:, None, None])

    def forward(self, x):
        x = x / 255
        x = x - self.mean
        x = x / self.std
        return self.conv(x)
