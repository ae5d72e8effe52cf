import torch
from torch import nn


class Net(nn.Module):
    """As RoBERTa on text without padding (ids + 2: 1 never occurs): counted positions are 2, 3, 4, …"""

    def __init__(self):
        super().__init__()
        self.tokens, self.positions, self.out = (
            nn.Embedding(52, 8),
            nn.Embedding(18, 8),
            nn.Linear(8, 8),
        )

    def forward(self, ids):
        ids = ids + 2
        kept = ids.ne(1).int()
        at = torch.cumsum(kept, 1) * kept + 1
        return self.out(self.tokens(ids) + self.positions(at))
