import torch
from torch import nn


class Layer(nn.Module):
    kind = nn.LSTM

    def __init__(self):
        super().__init__()
        self.rnn, self.out = self.kind(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        return self.out(torch.relu(self.rnn(x)[0]))


class GruLayer(Layer):
    kind = nn.GRU


class Hand(nn.Module):
    gates = 4

    def __init__(self):
        super().__init__()
        self.ih, self.hh, self.out = (
            nn.Linear(3, 4 * self.gates),
            nn.Linear(4, 4 * self.gates),
            nn.Linear(4, 2),
        )

    def step(self, x, h, c):
        i, f, g, o = (self.ih(x) + self.hh(h)).chunk(4, dim=-1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    def forward(self, x):
        h = c = x.new_zeros(len(x), 4)
        found = []
        for t in range(x.shape[1]):
            h, c = self.step(x[:, t], h, c)
            found.append(h)
        return self.out(torch.relu(torch.stack(found, dim=1)))


class GruHand(Hand):
    gates = 3

    def step(self, x, h, c):
        rx, zx, nx = self.ih(x).chunk(3, dim=-1)
        rh, zh, nh = self.hh(h).chunk(3, dim=-1)
        z = torch.sigmoid(zx + zh)
        n = torch.tanh(nx + torch.sigmoid(rx + rh) * nh)
        return (1 - z) * n + z * h, c
