import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(5, 4)

    def forward(self, x, mask):
        kept = mask.unsqueeze(-1).to(x.dtype)
        x = torch.where(mask.unsqueeze(-1), self.out(x), -1e9)
        return torch.where(kept.sum(1) > 0, x.amax(1), 0.0)
