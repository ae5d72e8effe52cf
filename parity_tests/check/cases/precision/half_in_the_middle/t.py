import torch
from torch import nn


class Net(nn.Module):
    """The cached values were stored in half precision."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 16), nn.Linear(16, 5)

    def forward(self, x):
        y = torch.tanh(self.a(x)).half()
        return self.b(y.float())
