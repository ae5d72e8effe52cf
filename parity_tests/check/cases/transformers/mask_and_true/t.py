import torch
from torch import nn


class Net(nn.Module):
    """As Hugging Face's bidirectional masks: True & padding."""

    def __init__(self):
        super().__init__()
        self.tokens, self.q, self.k = nn.Embedding(50, 8), nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, ids, mask):
        x = self.tokens(ids)
        n = torch.arange(ids.shape[1])
        allowed = (n[:, None] >= 0) & mask.bool()[:, None, :]
        bias = torch.where(allowed, torch.zeros(()), torch.finfo(x.dtype).min)
        scores = self.q(x) @ self.k(x).transpose(1, 2) + bias
        return nn.functional.gelu(scores.softmax(-1) @ x)
