from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    """The fused kernel drops from the attention weights, in training alone."""

    def __init__(self, size=8, heads=2, rate=0.1):
        super().__init__()
        self.heads, self.rate = heads, rate
        self.query, self.key = nn.Linear(size, size), nn.Linear(size, size)
        self.value, self.out = nn.Linear(size, size), nn.Linear(size, size)

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x):
        q, k, v = (self.split(f(x)) for f in (self.query, self.key, self.value))
        rate = self.rate if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=rate)
        return x + self.out(y.transpose(1, 2).flatten(-2))
