import torch
from torch import nn


class Noise(nn.Module):
    def __init__(self, deviation=0.1):
        super().__init__()
        self.deviation = deviation

    def forward(self, x):
        if self.training:
            return x + self.deviation * torch.randn_like(x)
        return x


class Net(nn.Module):
    """A denoising autoencoder."""

    def __init__(self):
        super().__init__()
        self.noise = Noise()
        self.encoder = nn.Linear(8, 5)
        self.decoder = nn.Linear(5, 8)

    def forward(self, x):
        return self.decoder(torch.tanh(self.encoder(self.noise(x))))


class Inline(nn.Module):
    """The same, without a module of its own for the noise."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(8, 5)
        self.decoder = nn.Linear(5, 8)

    def forward(self, x):
        if self.training:
            x = x + torch.normal(0.0, 0.1, size=x.shape, dtype=x.dtype)
        return self.decoder(torch.tanh(self.encoder(x)))
