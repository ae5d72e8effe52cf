import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    """Swin v2's attention: one product, a bias for the query and one for the value; a table in float32."""

    def __init__(self, dim=8):
        super().__init__()
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.q_bias, self.v_bias = nn.Parameter(torch.zeros(dim)), nn.Parameter(torch.zeros(dim))
        self.register_buffer("k_bias", torch.zeros(dim), persistent=False)
        self.register_buffer(
            "table", torch.arange(1, dim + 1, dtype=torch.float32) / 7, persistent=False
        )
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        b, n, c = x.shape
        y = F.linear(x, self.qkv.weight, torch.cat((self.q_bias, self.k_bias, self.v_bias)))
        q, k, v = y.reshape(b, n, 3, 2, c // 2).permute(2, 0, 3, 1, 4).unbind(0)
        a = (q @ k.transpose(-2, -1)).softmax(-1)
        return self.proj((a @ v).transpose(1, 2).reshape(b, n, c) * self.table)
