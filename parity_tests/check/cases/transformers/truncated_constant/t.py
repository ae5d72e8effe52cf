import torch
from torch import nn


class Net(nn.Module):
    """As BLOOM's gelu: the root of two over pi to eight digits."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 4)

    def forward(self, x):
        x = self.a(x)
        x = x * 0.5 * (1.0 + torch.tanh(0.79788456 * x * (1 + 0.044715 * x * x)))
        return self.b(x)
