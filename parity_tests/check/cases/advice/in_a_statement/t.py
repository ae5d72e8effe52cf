import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    """A block of which a port gets one thing wrong at a time."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x):
        h = F.gelu(self.a(x))
        h = h + 0.5 * self.b(h)
        return self.c(torch.tanh(h - 0.25))
