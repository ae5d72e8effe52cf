import torch
from torch import nn


class Net(nn.Module):
    """Swin v2's continuous position bias: a table of coordinates through an MLP, taken by index (timm)."""

    def __init__(self, n=3, heads=2):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, heads, bias=False))
        r = torch.arange(-(n - 1), n, dtype=torch.float32)
        self.register_buffer(
            "table", torch.stack(torch.meshgrid(r, r, indexing="ij"), -1) / (n - 1)
        )
        c = torch.stack(torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")).flatten(1)
        d = (c[:, :, None] - c[:, None, :]) + n - 1
        self.register_buffer("index", d[0] * (2 * n - 1) + d[1])

    def forward(self, x):
        bias = self.mlp(self.table).view(-1, 2)[self.index.view(-1)].view(9, 9, 2).permute(2, 0, 1)
        return (x + 16 * torch.sigmoid(bias)).softmax(-1)
