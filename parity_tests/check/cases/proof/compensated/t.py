import torch
from torch import nn


class Normed(nn.Module):
    """Each channel of an image with a mean of zero and a deviation of one, by hand."""

    def __init__(self):
        super().__init__()
        self.conv, self.scale = nn.Conv2d(3, 6, 3, padding=1), nn.Linear(5, 6)

    def forward(self, x, style):
        h = self.conv(x)
        mean = h.mean((2, 3), keepdim=True)
        spread = torch.sqrt(h.var((2, 3), keepdim=True, unbiased=False) + 1e-5)
        return (1 + self.scale(style)[:, :, None, None]) * (h - mean) / spread


class Pooled(nn.Module):
    """Attention over what is no padding, beside the mean of it."""

    def __init__(self):
        super().__init__()
        self.table, self.score = nn.Embedding(30, 12), nn.Linear(12, 1)
        self.out = nn.Linear(24, 3)

    def forward(self, ids):
        kept, h = ids != 0, torch.tanh(self.table(ids))
        shares = self.score(h).squeeze(-1).masked_fill(~kept, -1e9).softmax(-1)
        attended = (shares.unsqueeze(-1) * h).sum(1)
        ones = kept.unsqueeze(-1).to(h.dtype)
        mean = (h * ones).sum(1) / ones.sum(1).clamp(min=1e-9)
        return self.out(torch.cat([attended, mean], -1))
