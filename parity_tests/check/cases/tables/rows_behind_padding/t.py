import torch
from torch import nn


class Positions(nn.Embedding):
    """Behind the padding's index, as fairseq has it."""

    def __init__(self, length, width):
        super().__init__(length + 2, width)

    def forward(self, ids):
        at = torch.arange(ids.shape[1], device=ids.device).expand(ids.shape)
        return super().forward(at + 2)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions, self.out = (
            nn.Embedding(30, 6),
            Positions(12, 6),
            nn.Linear(6, 4),
        )

    def forward(self, ids):
        return self.out(self.tokens(ids) + self.positions(ids))
