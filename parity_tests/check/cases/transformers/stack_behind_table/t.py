import torch
from torch import nn


class Net(nn.Module):
    """Rotary positions: cat((-two, one))."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 4)

    def forward(self, x):
        x = self.a(x).view(*x.shape[:2], 2, 4).transpose(1, 2)
        at = torch.arange(x.shape[2]).float()[:, None] * torch.pow(
            torch.tensor(10000.0), -torch.arange(0, 4, 2).float() / 4
        )
        at = torch.cat((at, at), -1)
        one, two = x.chunk(2, -1)
        x = x * at.cos() + torch.cat((-two, one), -1) * at.sin()
        return self.b(x.transpose(1, 2).reshape(x.shape[0], -1, 8))
