import torch
from torch import nn


class Net(nn.Module):
    """A gate, clamped though a sigmoid is never negative."""

    def __init__(self):
        super().__init__()
        self.gate, self.norm = nn.Linear(6, 8), nn.LayerNorm(8)

    def forward(self, x):
        return self.norm(torch.relu(torch.sigmoid(self.gate(x))))
