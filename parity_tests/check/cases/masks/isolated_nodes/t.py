import torch
import torch.nn.functional as F
from torch import nn


class Graph(nn.Module):
    """Attention along the edges of a graph."""

    def __init__(self):
        super().__init__()
        self.w = nn.Linear(5, 6, bias=False)
        self.a1, self.a2 = nn.Linear(6, 1, bias=False), nn.Linear(6, 1, bias=False)

    def forward(self, x, adjacency):
        h = self.w(x)
        e = F.leaky_relu(self.a1(h) + self.a2(h).transpose(1, 2), 0.2)
        e = torch.where(adjacency > 0, e, torch.full_like(e, -9e15))
        return F.elu(torch.softmax(e, -1) @ h)
