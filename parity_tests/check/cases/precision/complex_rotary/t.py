import torch
from torch import nn


class Net(nn.Module):
    """Rotary positions as products of complex numbers, as Meta's Llama has them."""

    def __init__(self, dim=8, length=7):
        super().__init__()
        self.qk, self.out = nn.Linear(dim, 2 * dim), nn.Linear(length, 3)
        rates = 1.0 / 10000.0 ** (torch.arange(0, dim, 2).float() / dim)
        angles = torch.outer(torch.arange(length).float(), rates)
        turns = torch.polar(torch.ones_like(angles), angles)
        self.register_buffer("turns", turns, persistent=False)

    def turned(self, x):
        pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2))
        return torch.view_as_real(pairs * self.turns).flatten(-2).type_as(x)

    def forward(self, x):
        q, k = self.qk(x).chunk(2, -1)
        return self.out(self.turned(q) @ self.turned(k).transpose(1, 2))
