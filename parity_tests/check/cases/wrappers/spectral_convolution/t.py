from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


class Net(nn.Module):
    """A discriminator of images."""

    def __init__(self):
        super().__init__()
        self.first = spectral_norm(nn.Conv2d(3, 8, 3, stride=2, padding=1))
        self.second = spectral_norm(nn.Conv2d(8, 12, 3, stride=2, padding=1))
        self.out = spectral_norm(nn.Linear(12 * 4, 1))

    def forward(self, x):
        x = nn.functional.leaky_relu(self.first(x), 0.2)
        x = nn.functional.leaky_relu(self.second(x), 0.2)
        return self.out(x.flatten(1))
