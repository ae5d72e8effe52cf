import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    """BEiT's attention: one product, and a bias for the query and one for the value."""

    def __init__(self, width=6):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias, self.v_bias = (nn.Parameter(torch.randn(width)) for _ in range(2))
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x):
        b, n, c = x.shape
        bias = torch.cat((self.q_bias, torch.zeros_like(self.q_bias), self.v_bias))
        q, k, v = F.linear(x, self.qkv.weight, bias).reshape(b, n, 3, 2, -1).permute(2, 0, 3, 1, 4)
        a = (q * (c // 2) ** -0.5 @ k.mT).softmax(-1)
        y = self.first((a @ v).transpose(1, 2).reshape(b, n, c))
        return self.second(F.gelu(y))
