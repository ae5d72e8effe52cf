import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.norm, self.b = nn.Linear(6, 8), nn.LayerNorm(8, eps=1e-6), nn.Linear(8, 3)

    def forward(self, x):
        return self.b(torch.sigmoid(self.norm(self.a(x))))
