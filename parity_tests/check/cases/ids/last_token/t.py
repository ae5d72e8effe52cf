import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.out = nn.Embedding(30, 6), nn.Linear(6, 4)

    def forward(self, ids):
        last = (ids != 0).sum(1) - 1
        x = self.out(torch.tanh(self.tokens(ids)))
        return x[torch.arange(len(ids)), last.clamp(min=0)]
