import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.out = nn.Embedding(60000, 6, padding_idx=0), nn.Linear(6, 4)

    def forward(self, ids):
        return self.out(torch.tanh(self.tokens(ids)))
