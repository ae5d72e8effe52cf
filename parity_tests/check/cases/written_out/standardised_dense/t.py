import torch
from torch import nn


class Standardised(nn.Linear):
    def forward(self, x):
        w = self.weight
        w = (w - w.mean(1, keepdim=True)) / torch.sqrt(
            w.var(1, unbiased=False, keepdim=True) + 1e-4
        )
        return nn.functional.linear(x, w, self.bias)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = Standardised(6, 12), nn.Linear(12, 4)

    def forward(self, x):
        return self.two(torch.relu(self.one(x)))
