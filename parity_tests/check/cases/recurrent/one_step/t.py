import torch
from torch import nn


class First(nn.Module):
    """Of a sequence the state behind its first step."""

    def __init__(self):
        super().__init__()
        self.rnn, self.out = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, 0])


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.out = nn.LSTMCell(3, 4), nn.Linear(4, 2)

    def forward(self, x, h, c):
        return self.out(self.rnn(x, (h, c))[0])


class Sum(nn.Module):
    """Two layers that are added: no recurrence, and each has a bias of its own."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.out = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x, y):
        return self.out(torch.tanh(self.one(x) + self.two(y)))


class Twice(Sum):
    """The same two layers for two things that are compared."""

    def forward(self, x, y):
        states = [torch.tanh(self.one(x * k) + self.two(y)) for k in (1, 2)]
        return self.out(states[0] * states[1])
