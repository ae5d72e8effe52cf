import torch
from torch import nn


class Net(nn.Module):
    """Pooled by attention over what is no padding."""

    def __init__(self):
        super().__init__()
        self.score, self.value, self.head = nn.Linear(6, 1), nn.Linear(6, 5), nn.Linear(5, 3)

    def forward(self, x, mask):
        bias = torch.where(mask, 0.0, torch.finfo(x.dtype).min)
        weights = (self.score(x).squeeze(-1) + bias).softmax(-1)
        pooled = (weights[..., None] * self.value(x)).sum(1)
        return self.head(torch.relu(pooled))
