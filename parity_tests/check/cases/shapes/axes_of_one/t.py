from torch import nn


class Net(nn.Module):
    """A gated bilinear layer."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(6, 4), nn.Linear(6, 3), nn.Linear(12, 5)
        self.norm = nn.LayerNorm(5)

    def forward(self, x):
        one, two = self.a(x), self.b(x)
        outer = one[..., None] * two[..., None, :]
        return self.norm(self.c(outer.flatten(1))).unsqueeze(1).squeeze(1)
