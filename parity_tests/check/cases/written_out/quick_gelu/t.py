import torch
from torch import nn


class Net(nn.Module):
    """CLIP's activation."""

    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Linear(6, 12), nn.Linear(12, 6)

    def forward(self, x):
        x = self.up(x)
        return self.down(x * torch.sigmoid(1.702 * x))
