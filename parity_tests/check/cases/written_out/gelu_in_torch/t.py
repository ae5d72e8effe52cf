import math

import torch
from torch import nn


def gelu(x, number=0.044715):
    """As in the original GPT-2."""
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + number * torch.pow(x, 3))))


class Net(nn.Module):
    def __init__(self, number=0.044715):
        super().__init__()
        self.up, self.down, self.number = nn.Linear(6, 12), nn.Linear(12, 6), number

    def forward(self, x):
        return self.down(gelu(self.up(x), self.number))
