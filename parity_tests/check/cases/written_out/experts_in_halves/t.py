import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    """Two layers of each expert in one weight, and a loop over the experts that are hit."""

    def __init__(self):
        super().__init__()
        self.router = nn.Linear(5, 3, bias=False)
        self.gate_up = nn.Parameter(torch.randn(3, 8, 5))
        self.down = nn.Parameter(torch.randn(3, 5, 4))

    def forward(self, x):
        share, chosen = torch.softmax(self.router(x), -1).max(-1)
        found = torch.zeros_like(x)
        for expert in chosen.unique().tolist():
            (rows,) = torch.where(chosen == expert)
            gate, up = F.linear(x[rows], self.gate_up[expert]).chunk(2, -1)
            out = F.linear(F.silu(gate) * up, self.down[expert])
            found.index_add_(0, rows, out * share[rows, None])
        return x + found
