import torch
from torch import nn


class Net(nn.Module):
    """As Hugging Face's DynamicCache: new keys behind those of a cache that is empty."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(11, 4)

    def forward(self, x):
        y = nn.functional.gelu(self.a(x))
        y = torch.cat([torch.tensor([], dtype=y.dtype), y.transpose(1, 2)], dim=-2)
        return self.b(y)
