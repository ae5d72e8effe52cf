"""PyTorch's half of the pairs that are converted. Every size is a number of its own."""

import torch
from torch import nn


class Mlp(nn.Module):
    def __init__(self, width=7):
        super().__init__()
        self.hidden, self.out = nn.Linear(6, width), nn.Linear(width, 3)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5)
        self.fc = nn.Linear(5 * 4 * 6, 7)

    def forward(self, x):
        h = nn.functional.max_pool2d(torch.relu(self.bn(self.conv(x))), 2)
        return self.fc(h.flatten(1))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 4, batch_first=True)
        self.gru = nn.GRU(4, 3, batch_first=True)

    def forward(self, x):
        return self.gru(self.lstm(x)[0])[0]


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.MultiheadAttention(12, 3, batch_first=True)
        self.norm = nn.LayerNorm(12)

    def forward(self, x):
        return self.norm(x + self.attn(x, x, x, need_weights=False)[0])


class Fused(nn.Module):
    """Query, key and value of one layer, whose rows go heads, then which of the three."""

    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(12, 36), nn.Linear(12, 12)

    def forward(self, x):
        batch, steps, _ = x.shape
        q, k, v = self.qkv(x).reshape(batch, steps, 3, 3, 4).permute(3, 0, 2, 1, 4)
        scores = torch.softmax(q @ k.transpose(-1, -2) / 2.0, -1)
        return self.out((scores @ v).transpose(1, 2).reshape(batch, steps, 12))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb, self.hidden = nn.Embedding(11, 6), nn.Linear(6, 6)
        self.head = nn.Linear(6, 11, bias=False)
        self.head.weight = self.emb.weight

    def forward(self, x):
        return self.head(torch.tanh(self.hidden(self.emb(x))))


class Table(nn.Module):
    """A buffer of the code's own numbers, which a state dict has and Keras does not."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 5)
        self.register_buffer("table", torch.linspace(-1, 1, 6) ** 3)

    def forward(self, x):
        return self.fc(x + self.table)


class Named(nn.Module):
    """Inputs and outputs by name, in an order that is not the alphabet's."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 5), nn.Linear(4, 5)

    def forward(self, wide, narrow):
        h = torch.tanh(self.a(wide) - self.b(narrow))
        return {"state": h, "mean": h.mean(-1)}


class Normed(nn.Module):
    """A weight that is made of two others, and cannot be said by moving numbers."""

    def __init__(self):
        super().__init__()
        self.fc = nn.utils.parametrizations.weight_norm(nn.Linear(6, 5))

    def forward(self, x):
        return self.fc(x)
