import torch
from torch import nn


class Net(nn.Module):
    """A window of two and padding: a step whose window is padding keeps nothing; SDPA gives 0 there."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 4)

    def forward(self, x, mask):
        n = torch.arange(x.shape[1])
        allowed = (n[:, None] >= n) & (n[:, None] < n + 2) & mask.bool()[:, None, :]
        y = self.a(x)[:, None]
        return self.b(
            nn.functional.scaled_dot_product_attention(y, y, y, attn_mask=allowed[:, None])[:, 0]
        )
