import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.types, self.positions = (
            nn.Embedding(30, 6),
            nn.Embedding(2, 6),
            nn.Embedding(12, 6),
        )
        self.norm, self.out = nn.LayerNorm(6), nn.Linear(6, 4)

    def forward(self, ids):
        at = torch.arange(ids.shape[1])[None]
        x = self.tokens(ids) + self.positions(at) + self.types(torch.zeros_like(ids))
        return self.out(self.norm(x))
