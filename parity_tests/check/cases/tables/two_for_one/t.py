import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches, self.head = nn.Linear(5, 6), nn.Linear(6, 4)
        self.token = nn.Parameter(torch.randn(1, 1, 6))
        self.positions = nn.Parameter(torch.randn(1, 8, 6))

    def forward(self, x):
        token = (self.token + self.positions[:, :1]).expand(len(x), -1, -1)
        x = self.patches(x) + self.positions[:, 1:]
        return self.head(torch.tanh(torch.cat([token, x], 1)))
