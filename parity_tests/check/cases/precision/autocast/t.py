import torch
from torch import nn


class Net(nn.Module):
    """Inference under autocast, as it was trained."""

    def __init__(self, precision=torch.bfloat16):
        super().__init__()
        self.precision = precision
        self.a, self.b = nn.Linear(8, 16), nn.Linear(16, 5)

    def forward(self, x):
        with torch.autocast("cpu", self.precision, enabled=self.precision != torch.float32):
            y = self.b(torch.relu(self.a(x)))
        return y.float()


def plain():
    return Net(torch.float32)
