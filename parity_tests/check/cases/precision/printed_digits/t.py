import math

import torch
from torch import nn


class Net(nn.Module):
    slope, halves, root = 1.1283792, 0.6931472, 1.4142135

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 6), nn.Linear(6, 3)

    def forward(self, x):
        x = self.a(x)
        x = torch.tanh(self.slope * (x + 0.1 * x**3))
        x = torch.log(1 + torch.exp(x)) - self.halves
        return self.b(x) / self.root


class Exact(Net):
    slope, halves, root = 2 / math.sqrt(math.pi), math.log(2), math.sqrt(2)
