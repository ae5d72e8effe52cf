import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.norm, self.head = nn.Conv2d(3, 6, 4, 4), nn.LayerNorm(6), nn.Linear(6, 5)
        self.positions = nn.Parameter(torch.randn(1, 6, 2, 2))

    def forward(self, x):
        x = (self.stem(x) + self.positions).flatten(2).transpose(1, 2)
        return self.head(self.norm(x))
