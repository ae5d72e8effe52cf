import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    """A causal window that does not hold the step itself: the first step keeps nothing."""

    def __init__(self, dim=8, heads=2):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        n = torch.arange(9)
        self.register_buffer("allowed", n[:, None] > n, persistent=False)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=self.allowed)
        return self.out(y.transpose(1, 2).reshape(b, n, d))
