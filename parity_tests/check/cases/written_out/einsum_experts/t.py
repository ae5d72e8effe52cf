import torch
from torch import nn


class Experts(nn.Module):
    """All experts at once, and how much of each, as a mixture writes it."""

    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(5, 3)
        self.inner = nn.Parameter(torch.randn(3, 5, 7) / 2)
        self.outer = nn.Parameter(torch.randn(3, 7, 5) / 2)

    def forward(self, x):
        share = self.gate(x).softmax(-1)
        each = torch.einsum("th,ehm->etm", x, self.inner).relu()
        return torch.einsum("etm,emh,te->th", each, self.outer, share)


class Scores(nn.Module):
    def __init__(self):
        super().__init__()
        self.keys = nn.Parameter(torch.randn(4, 5))
        self.norm = nn.LayerNorm(6)

    def forward(self, x):
        """``(n, steps, 5)`` → ``(n, 4, steps)``."""
        return self.norm(self.keys @ x.transpose(1, 2))
