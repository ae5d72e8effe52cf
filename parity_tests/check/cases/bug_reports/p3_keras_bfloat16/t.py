import math

from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(30, 48)
        self.head = nn.Linear(48, 10, bias=False)

    def forward(self, ids):
        return self.head(self.embed(ids) * math.sqrt(48))
