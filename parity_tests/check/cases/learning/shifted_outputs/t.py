from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    """Logarithms of probabilities, whatever is done to them afterwards."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return F.log_softmax(self.conv(x), dim=1)


def crossed(output, target):
    """Right: the logarithm of the sum of probabilities is zero."""
    return F.cross_entropy(output, target)


def stopped(output, target):
    """The value is the same, and half of the gradient is lost."""
    loss = F.nll_loss(output, target)
    return 0.5 * loss + 0.5 * loss.detach()
