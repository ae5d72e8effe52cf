import torch
from torch import nn


class Net(nn.Module):
    """A variational autoencoder that samples whenever it is run."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(10, 12)
        self.mean = nn.Linear(12, 3)
        self.variance = nn.Linear(12, 3)
        self.decoder = nn.Linear(3, 10)

    def forward(self, x):
        h = torch.relu(self.encoder(x))
        mean, log_variance = self.mean(h), self.variance(h)
        deviation = torch.exp(0.5 * log_variance)
        z = mean + deviation * torch.randn(deviation.shape, dtype=x.dtype)
        return self.decoder(z), mean, log_variance


class Distribution(Net):
    """The same by torch.distributions."""

    def forward(self, x):
        h = torch.relu(self.encoder(x))
        mean, log_variance = self.mean(h), self.variance(h)
        z = torch.distributions.Normal(mean, torch.exp(0.5 * log_variance)).rsample()
        return self.decoder(z), mean, log_variance
