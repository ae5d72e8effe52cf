import torch
from torch import nn


class Net(nn.Module):
    """Only rows whose gate is open go through the expert: which ones, the weights decide."""

    def __init__(self):
        super().__init__()
        self.before, self.gate = nn.Linear(6, 5), nn.Linear(5, 1)
        self.inner, self.outer = nn.Linear(5, 7), nn.Linear(7, 5)
        self.norm, self.head = nn.LayerNorm(5), nn.Linear(5, 2)

    def forward(self, x):
        x = torch.tanh(self.before(x))
        rows, _ = torch.where(self.gate(x) > 0)
        y = self.outer(torch.relu(self.inner(x[rows])))
        x = x + torch.zeros_like(x).index_add(0, rows, y)
        return self.head(self.norm(x))
