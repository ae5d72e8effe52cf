import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    """An expert for the rows whose gate is open, and scores between all rows."""

    def __init__(self, width=7):
        super().__init__()
        self.before, self.gate = nn.Linear(6, 5), nn.Linear(5, 1)
        self.inner = nn.Parameter(torch.randn(5, width) / 2)
        self.outer = nn.Parameter(torch.randn(width, 5) / 2)
        self.query, self.key = nn.Linear(5, 4, bias=False), nn.Linear(5, 4, bias=False)
        self.value = nn.Linear(5, 5, bias=False)

    def forward(self, x):
        x = self.before(x)
        rows, _ = torch.where(self.gate(x) > 0)
        y = F.silu(x[rows] @ self.inner) @ self.outer
        x = x + torch.zeros_like(x).index_add(0, rows, y)
        share = (self.query(x) @ self.key(x).T).softmax(-1)
        return share @ self.value(x)
