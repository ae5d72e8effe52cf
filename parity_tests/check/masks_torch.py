"""Masks as people write them in PyTorch: true where a step is padding."""

import torch
from torch import nn


class Masked(nn.Module):
    """The mean of the steps that are no padding, and of those below a number."""

    def __init__(self):
        super().__init__()
        self.table, self.body, self.head = nn.Embedding(20, 6), nn.Linear(6, 6), nn.Linear(6, 2)

    def forward(self, ids):
        """One mask filled, one multiplied with, one chosen by."""
        pad, low = ids == 0, ids < 11
        x = torch.tanh(self.body(self.table(ids))).masked_fill(pad[..., None], 0.0)
        kept = (~pad).unsqueeze(-1).to(x.dtype)
        x = torch.where(low[..., None], x, 2 * x)
        return self.head((x * kept).sum(1) / kept.sum(1).clamp(min=1))
