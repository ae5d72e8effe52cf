import torch
from torch import nn


class Net(nn.Module):
    """As RoBERTa: positions are counted over tokens that are no padding (1)."""

    def __init__(self):
        super().__init__()
        self.tokens, self.positions, self.out = (
            nn.Embedding(50, 8),
            nn.Embedding(18, 8, padding_idx=1),
            nn.Linear(8, 8),
        )

    def forward(self, ids):
        kept = ids.ne(1).int()
        at = torch.cumsum(kept, 1) * kept + 1
        return self.out(self.tokens(ids) + self.positions(at))
