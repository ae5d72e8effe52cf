import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.aux = nn.Linear(6, 6)
        self.inlet, self.norm, self.head = nn.Linear(6, 6), nn.LayerNorm(6), nn.Linear(6, 6)
        self.scale = nn.Parameter(torch.ones(6))

    def forward(self, x):
        x = torch.relu(self.inlet(x))
        extra = self.aux(x)
        if self.training:
            return self.head(self.norm(x) * self.scale), extra
        return self.head(self.norm(x) * self.scale)
