import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions, self.out = (
            nn.Embedding(30, 6),
            nn.Embedding(12, 6),
            nn.Linear(6, 4),
        )

    def forward(self, ids):
        return self.out(self.tokens(ids) + self.positions(torch.arange(ids.shape[1]) + 1))
