import torch
from torch import nn


class Net(nn.Module):
    """One causal mask for both blocks."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 4)

    def attend(self, x, bias):
        return x + (x @ x.transpose(1, 2) + bias).softmax(-1) @ x

    def forward(self, x, mask):
        n = torch.arange(x.shape[1])
        allowed = (n[:, None] >= n) & mask.bool()[:, None, :]
        bias = torch.where(allowed, torch.zeros(()), torch.finfo(x.dtype).min)
        x = nn.functional.gelu(self.a(x))
        return self.b(self.attend(self.attend(x, bias), bias))
