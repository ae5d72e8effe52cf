import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Last(nn.Module):
    """As tutorials do it: packed by lengths, then the last state of each direction."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(5, 4, batch_first=True, bidirectional=True)
        self.out = nn.Linear(8, 3)

    def forward(self, x, ones):
        lengths = ones.sum(1).clamp(min=1)
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, (h, _) = self.rnn(packed)
        return self.out(torch.cat([h[0], h[1]], dim=-1))


class Whole(nn.Module):
    """Two layers, and the sequence padded again with zeros."""

    def __init__(self):
        super().__init__()
        self.rnn, self.out = nn.GRU(5, 4, num_layers=2, batch_first=True), nn.Linear(4, 3)

    def forward(self, x, ones):
        lengths = ones.sum(1).clamp(min=1)
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        y, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=6)
        return torch.relu(self.out(y))
