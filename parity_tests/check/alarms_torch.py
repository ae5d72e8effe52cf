"""Right models as people write them, whose ports are built of other pieces."""

import collections
import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch.nn.utils import parametrizations

Answer = collections.namedtuple("Answer", "logits boxes")


class CellLoop(nn.Module):
    """A cell in a loop over time."""

    def __init__(self, cell="LSTMCell"):
        super().__init__()
        self.cell = getattr(nn, cell)(5, 7)
        self.head = nn.Linear(7, 3)

    def forward(self, x):
        """The last state."""
        h = c = torch.zeros(x.shape[0], 7, dtype=x.dtype)
        for t in range(x.shape[1]):
            if isinstance(self.cell, nn.LSTMCell):
                h, c = self.cell(x[:, t], (h, c))
            else:
                h = self.cell(x[:, t], h)
        return self.head(h)


class Layers(nn.Module):
    """A stack, as a layer."""

    def __init__(self, layers=2):
        super().__init__()
        self.rnn = nn.LSTM(5, 7, num_layers=layers, batch_first=True)
        self.head = nn.Linear(7, 3)

    def forward(self, x):
        """Every step."""
        return self.head(self.rnn(x)[0])


class ByHand(nn.Module):
    """An LSTM out of two dense layers."""

    def __init__(self):
        super().__init__()
        self.ih, self.hh = nn.Linear(5, 28), nn.Linear(7, 28, bias=False)
        self.head = nn.Linear(7, 3)

    def forward(self, x):
        """The last state."""
        h = torch.zeros(x.shape[0], 7, dtype=x.dtype)
        c = torch.zeros_like(h)
        for t in range(x.shape[1]):
            i, f, g, o = (self.ih(x[:, t]) + self.hh(h)).chunk(4, dim=-1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return self.head(h)


class Rotary(nn.Module):
    """Query, key and value in one layer, rotated in pairs of channels; a norm behind."""

    def __init__(self):
        super().__init__()
        self.qkv, self.proj = nn.Linear(16, 48), nn.Linear(16, 16)
        self.norm = nn.LayerNorm(16, eps=1e-6)

    def rotated(self, x):
        """By an angle that grows with the position."""
        inverse = 1.0 / (10000 ** (torch.arange(0, x.shape[-1], 2).float() / x.shape[-1]))
        angle = torch.outer(torch.arange(x.shape[-2]).float(), inverse)
        cos, sin = angle.cos(), angle.sin()
        a, b = x[..., ::2], x[..., 1::2]
        return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)

    def forward(self, x):
        """Causal attention."""
        n, t, c = x.shape
        q, k, v = (y.view(n, t, 4, 4).transpose(1, 2) for y in self.qkv(x).chunk(3, -1))
        scores = self.rotated(q) @ self.rotated(k).transpose(-2, -1) / math.sqrt(4)
        later = torch.triu(torch.ones(t, t, dtype=torch.bool), 1)
        weights = scores.masked_fill(later, float("-inf")).softmax(-1)
        return self.norm(x + self.proj((weights @ v).transpose(1, 2).reshape(n, t, c)))


class Normed(nn.Module):
    """A layer whose weight is made of others."""

    def __init__(self, kind="weight_norm"):
        super().__init__()
        self.a, self.b = getattr(parametrizations, kind)(nn.Linear(6, 8)), nn.Linear(8, 3)

    def forward(self, x):
        """Two layers."""
        return self.b(torch.relu(self.a(x)))


class Standardised(nn.Conv2d):
    """Its kernel has no mean, and a variance of one."""

    def forward(self, x):
        """A convolution."""
        every = (1, 2, 3)
        w = self.weight - self.weight.mean(every, keepdim=True)
        w = w / (w.std(every, keepdim=True, unbiased=False) + 1e-5)
        return F.conv2d(x, w, self.bias, self.stride, self.padding)


class Convolved(nn.Module):
    """A convolution whose kernel is made of others, and the mean of all places."""

    def __init__(self, standardised=False):
        super().__init__()
        layer = Standardised if standardised else nn.Conv2d
        self.conv = layer(3, 5, 3, padding=1)
        if not standardised:
            self.conv = nn.utils.weight_norm(self.conv)
        self.head = nn.Linear(5, 2)

    def forward(self, x):
        """One layer and a head."""
        return self.head(F.relu(self.conv(x)).mean((2, 3)))


class Named(nn.Module):
    """Two heads by name."""

    def __init__(self):
        super().__init__()
        self.body, self.a, self.b = nn.Linear(6, 8), nn.Linear(8, 3), nn.Linear(8, 3)

    def forward(self, x):
        """A named tuple."""
        x = F.relu(self.body(x))
        return Answer(self.a(x), torch.sigmoid(self.b(x)))


class Uncounted(nn.Module):
    """An average that does not count its padding."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)
        self.pool = nn.AvgPool2d(3, 2, 1, count_include_pad=False)

    def forward(self, x):
        """Pooled, and the mean."""
        return self.head(self.pool(F.relu(self.conv(x))).mean((2, 3)))


class Branches(nn.Module):
    """Two convolutions that differ in their windows alone, joined."""

    def __init__(self):
        super().__init__()
        self.near, self.far = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 5, padding=2)
        self.first, self.second = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.point, self.head = nn.Conv2d(3, 4, 1), nn.Linear(12 * 81, 2)

    def forward(self, x):
        """Every number has its own weight behind it."""
        near, far = self.near(F.relu(self.first(x))), self.far(F.relu(self.second(x)))
        joined = torch.cat([F.relu(self.point(x)), F.relu(near), F.relu(far)], 1)
        return self.head(joined.flatten(1))


class Deviating(nn.Module):
    """A layer norm written by hand: gain first, unbiased, epsilon added to the root."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(6, 8), nn.Linear(8, 2)
        self.gain, self.offset = nn.Parameter(torch.ones(8)), nn.Parameter(torch.zeros(8))

    def forward(self, x):
        """Between two layers."""
        x = self.body(x)
        centred = x - x.mean(-1, keepdim=True)
        return self.head(self.gain * centred / (x.std(-1, keepdim=True) + 1e-3) + self.offset)
