import torch
import torch.nn.functional as F
from torch import nn


class Sampler(nn.Module):
    """An image, looked at in places that depend on a second input."""

    def __init__(self):
        super().__init__()
        self.conv, self.where = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(2, 2)

    def forward(self, x, grid):
        return F.grid_sample(self.conv(x), torch.tanh(self.where(grid)), align_corners=False)
