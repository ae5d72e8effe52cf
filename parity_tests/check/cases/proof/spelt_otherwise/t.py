import torch
from torch import nn


class Net(nn.Module):
    """A length by torch.linalg; the head's epsilon is what a port gets wrong."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.norm = nn.Linear(6, 8), nn.Linear(8, 4), nn.LayerNorm(4)

    def forward(self, x):
        x = self.a(x)
        x = x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        return self.norm(self.b(x))
