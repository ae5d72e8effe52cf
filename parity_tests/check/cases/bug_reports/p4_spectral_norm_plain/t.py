from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    """A discriminator's first layers."""

    def __init__(self):
        super().__init__()
        self.conv = nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 6, 3, stride=2))
        self.fc = nn.Linear(6 * 4 * 4, 1)

    def forward(self, x):
        x = F.leaky_relu(self.conv(x), 0.2)
        return self.fc(x.flatten(1))
