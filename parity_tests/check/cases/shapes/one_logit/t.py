import torch
from torch import nn


class Wide(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = nn.Linear(5, 6), nn.Linear(6, 1)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))


class Net(Wide):
    def forward(self, x):
        return super().forward(x)[:, 0]
