import numpy as np
import torch
from torch import nn

DRAWN = np.random.default_rng(0)
TOKENS, POSITIONS, KERNEL = (
    DRAWN.normal(size=s).astype("float32") for s in ((30, 6), (12, 6), (4, 6))
)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.out = nn.Embedding(30, 6), nn.Linear(6, 4, bias=False)
        self.positions = nn.Parameter(torch.from_numpy(POSITIONS.copy()))
        with torch.no_grad():
            self.tokens.weight.copy_(torch.from_numpy(TOKENS))
            self.out.weight.copy_(torch.from_numpy(KERNEL))

    def forward(self, ids):
        return self.out(self.tokens(ids) + self.positions[: ids.shape[1]])
