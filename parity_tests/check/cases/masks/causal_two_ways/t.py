import torch
from torch import nn


class Net(nn.Module):
    """A causal block, as nanoGPT masks: the lower triangle, filled in with minus infinity."""

    def __init__(self):
        super().__init__()
        self.qkv, self.out, self.norm = nn.Linear(8, 24), nn.Linear(8, 8), nn.LayerNorm(8)

    def forward(self, x):
        q, k, v = self.qkv(self.norm(x)).split(8, dim=2)
        steps = x.shape[1]
        mask = torch.tril(torch.ones(steps, steps)).view(1, steps, steps)
        scores = (q @ k.transpose(1, 2) * 8**-0.5).masked_fill(mask == 0, float("-inf"))
        return x + self.out(scores.softmax(-1) @ v)
