import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.norm, self.two = nn.Conv1d(3, 6, 3), nn.BatchNorm1d(6), nn.Conv1d(6, 2, 1)

    def forward(self, x):
        x = torch.relu(self.norm(self.one(x)))
        x = torch.clamp(x, min=0)
        x = x + torch.zeros(6, 1)
        return self.two(x * torch.ones(6, 1))
