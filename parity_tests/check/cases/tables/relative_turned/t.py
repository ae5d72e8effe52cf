import torch
from torch import nn


class Net(nn.Module):
    """Swin's bias of relative positions: a table of 3 × 3 offsets for each of 2 heads."""

    def __init__(self, n=2, heads=2, width=6):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.table = nn.Parameter(torch.randn((2 * n - 1) ** 2, heads))
        at = torch.stack(torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")).flatten(1)
        apart = at[:, :, None] - at[:, None, :] + n - 1
        self.register_buffer("index", apart[0] * (2 * n - 1) + apart[1])

    def forward(self, x):
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        bias = self.table[self.index.view(-1)].view(n, n, -1).permute(2, 0, 1)
        scores = q @ k.transpose(-1, -2) * (c // self.heads) ** -0.5 + bias
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(b, n, c))
