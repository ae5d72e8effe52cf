import torch
from torch import nn
from torch.nn import functional as F

WEIGHTS = [0.5, 2.0, 1.25]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(7, 11)
        self.out = nn.Linear(11, 3)

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(x)))


def weighted(output, target):
    """Rare classes count more; the mean is over the samples."""
    loss = F.cross_entropy(output, target, reduction="none")
    return (loss * torch.tensor(WEIGHTS, dtype=loss.dtype)[target]).mean()


def smooth(output, target, smoothing=0.1):
    """Label smoothing by hand."""
    logs = F.log_softmax(output, -1)
    right = -logs.gather(-1, target[:, None])[:, 0]
    return ((1 - smoothing) * right - smoothing * logs.mean(-1)).mean()
