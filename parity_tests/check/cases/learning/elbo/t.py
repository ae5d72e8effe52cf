import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(10, 8)
        self.mean, self.variance = nn.Linear(8, 3), nn.Linear(8, 3)
        self.decoder = nn.Linear(3, 10)

    def forward(self, x):
        h = torch.tanh(self.encoder(x))
        mean, variance = self.mean(h), self.variance(h)
        if self.training:
            mean = mean + torch.randn_like(mean) * torch.exp(0.5 * variance)
        return self.decoder(mean), self.mean(h), variance


def elbo(output, target):
    again, mean, variance = output
    error = F.mse_loss(again, target, reduction="none").sum(-1).mean()
    return error - 0.5 * (1 + variance - mean**2 - variance.exp()).sum(-1).mean()
