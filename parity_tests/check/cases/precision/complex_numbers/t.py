import torch
from torch import nn


class Net(nn.Module):
    """Tokens and channels are mixed by a Fourier transform, as FNet does."""

    def __init__(self, dim=6):
        super().__init__()
        self.a, self.norm, self.b = nn.Linear(4, dim), nn.LayerNorm(dim), nn.Linear(dim, 3)

    def forward(self, x):
        x = self.a(x)
        return self.b(self.norm(x + torch.fft.fft2(x, dim=(-2, -1)).real))
