import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(6, 4)
        self.positions = nn.Parameter(torch.randn(12, 6))

    def forward(self, x):
        return self.out(torch.tanh(x + self.positions[: x.shape[1]]))
