"""Models of which a first look tells too little."""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


class Pooled(nn.Module):
    """A maximum of windows, then a global one, which hides what single windows hold."""

    def __init__(self, bias=True, after="softplus", around=1):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=around, bias=bias)
        self.pool, self.head = nn.MaxPool2d(3, 2, 1), nn.Linear(4, 2)
        self.after = getattr(F, after)

    def forward(self, x):
        """Pooled twice."""
        return self.head(self.after(self.pool(self.conv(x))).amax((2, 3)))


class Causal(nn.Module):
    """A causal convolution over channels first."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv1d(4, 8, 3), nn.Linear(16, 3)

    def forward(self, x):
        """Mean and deviation over time."""
        y = F.relu(self.conv(F.pad(x, (2, 0))))
        return self.head(torch.cat([y.mean(-1), y.std(-1)], 1))


class Dropping(nn.Module):
    """Drops in evaluation, too, as `F.dropout` does unless it is told not to."""

    def __init__(self, rate=0.3):
        super().__init__()
        self.body, self.head, self.rate = nn.Linear(8, 8), nn.Linear(8, 2), rate

    def forward(self, x):
        """Two layers."""
        return self.head(F.dropout(F.relu(self.body(x)), self.rate))


class Normalised(nn.Module):
    """Two batch norms."""

    def __init__(self):
        super().__init__()
        self.first, self.norm1 = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.second, self.norm2 = nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5)
        self.head = nn.Linear(5, 2)

    def forward(self, x):
        """Convolved twice."""
        x = F.relu(self.norm1(self.first(x)))
        return self.head(F.relu(self.norm2(self.second(x))).mean((2, 3)))
