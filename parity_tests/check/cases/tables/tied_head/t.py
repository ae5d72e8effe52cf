import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(30, 6), nn.Embedding(12, 6)
        self.norm = nn.LayerNorm(6)

    def forward(self, ids):
        at = torch.arange(ids.shape[1], device=ids.device)
        x = self.norm(self.tokens(ids) + self.positions(at))
        return nn.functional.linear(x, self.tokens.weight)
