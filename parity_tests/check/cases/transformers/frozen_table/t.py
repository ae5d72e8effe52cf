import torch
from torch import nn


class Net(nn.Module):
    """As Whisper's encoder: positions are a table that is not trained, in the checkpoint."""

    def __init__(self):
        super().__init__()
        self.tokens, self.positions, self.out = (
            nn.Embedding(50, 8),
            nn.Embedding(11, 8),
            nn.Linear(8, 8),
        )
        self.positions.requires_grad_(False)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions(torch.arange(11))
        return self.out(x)
