import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    """Swin v2 (timm): a bias for q and v in one product, and a bias made of a float32 table by an MLP."""

    def __init__(self, dim=8, n=4):
        super().__init__()
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.q_bias, self.v_bias = nn.Parameter(torch.zeros(dim)), nn.Parameter(torch.zeros(dim))
        self.register_buffer("k_bias", torch.zeros(dim), persistent=False)
        self.mlp = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2, bias=False))
        r = torch.arange(-(n - 1), n, dtype=torch.float32)
        t = torch.stack(torch.meshgrid(r, r, indexing="ij"), -1) / (n - 1) * 8
        self.register_buffer("table", torch.sign(t) * torch.log2(t.abs() + 1) / 3)
        c = torch.stack(torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")).flatten(1)
        d = (c[:, :, None] - c[:, None, :]) + n - 1
        self.register_buffer("index", d[0] * (2 * n - 1) + d[1])
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        b, n, c = x.shape
        y = F.linear(x, self.qkv.weight, torch.cat((self.q_bias, self.k_bias, self.v_bias)))
        q, k, v = y.reshape(b, n, 3, 2, c // 2).permute(2, 0, 3, 1, 4).unbind(0)
        a = q @ k.transpose(-2, -1)
        bias = (
            self.mlp(self.table).view(-1, 2)[self.index.view(-1)].view(16, 16, 2).permute(2, 0, 1)
        )
        a = (a + 16 * torch.sigmoid(bias)).softmax(-1)
        return self.proj((a @ v).transpose(1, 2).reshape(b, n, c))
