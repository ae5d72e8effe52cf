import torch
from torch import nn


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.g, self.out = nn.GRU(6, 5, batch_first=True, bidirectional=True), nn.Linear(10, 3)

    def forward(self, x):
        y, h = self.g(x)
        return self.out(torch.cat([h[0], h[1]], -1)), y.max(1).values
