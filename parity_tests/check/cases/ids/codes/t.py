import torch
from torch import nn


class Distances(nn.Module):
    """Each vector becomes the nearest of ten codes; gradients go past that."""

    def __init__(self):
        super().__init__()
        self.enc, self.code, self.dec = nn.Linear(6, 4), nn.Embedding(10, 4), nn.Linear(4, 6)

    def nearest(self, z):
        return torch.cdist(z, self.code.weight[None].expand(len(z), -1, -1)).argmin(-1)

    def forward(self, x):
        z = self.enc(x)
        q = self.code(self.nearest(z))
        return self.dec(z + (q - z).detach()), ((q.detach() - z) ** 2).mean()


class Products(Distances):
    def nearest(self, z):
        w = self.code.weight
        squares = z.pow(2).sum(-1, keepdim=True) - 2 * z @ w.T + w.pow(2).sum(-1)
        return squares.argmin(-1)
