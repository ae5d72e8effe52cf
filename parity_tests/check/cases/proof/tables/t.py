import torch
from torch import nn


class Net(nn.Module):
    """Mixes features by a fixed symmetric matrix, then weighs the steps."""

    def __init__(self):
        super().__init__()
        n = torch.arange(6.0)
        self.register_buffer("mix", torch.exp(-((n[:, None] - n[None]) ** 2) / 4))
        self.register_buffer("decay", 0.5 ** torch.arange(4.0)[:, None])
        self.inlet, self.outlet = nn.Linear(5, 6), nn.Linear(6, 3)

    def forward(self, x):
        return self.outlet(torch.tanh(self.inlet(x) @ self.mix) * self.decay)
