import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.segments, self.positions = (
            nn.Embedding(30, 6),
            nn.Embedding(2, 6),
            nn.Embedding(12, 6),
        )
        self.out = nn.Linear(6, 4)

    def forward(self, ids):
        x = self.tokens(ids) + self.segments(torch.zeros_like(ids))
        return self.out(x + self.positions(torch.arange(ids.shape[1])))
