import torch
from torch import nn


def sines(length, width):
    at = torch.arange(length, dtype=torch.float64)[:, None]
    angle = at / 10000 ** (torch.arange(0, width, 2, dtype=torch.float64) / width)
    return torch.cat([angle.sin(), angle.cos()], 1).float()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.out = nn.Embedding(30, 6), nn.Linear(6, 4)
        self.register_buffer("table", sines(12, 6), persistent=False)

    def forward(self, ids):
        return self.out(self.tokens(ids) + self.table[: ids.shape[1]])
