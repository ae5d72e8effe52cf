import math

import torch
from torch import nn


class Steps(nn.Module):
    """The step of a diffusion as sines and cosines, and what a layer makes of them."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(16, 8)

    def forward(self, t):
        rates = torch.exp(-math.log(10000) * torch.arange(8) / 8)
        angles = t[:, None].float() * rates[None]
        both = torch.cat([angles.sin(), angles.cos()], -1)
        return self.out(torch.nn.functional.silu(both))
