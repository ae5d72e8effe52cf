import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inlet, self.head = nn.Linear(6, 4), nn.Linear(5, 2)
        self.near, self.far = (nn.Parameter(torch.randn(5, 4)) for _ in range(2))

    def forward(self, x):
        x = torch.tanh(self.inlet(x))
        return self.head(torch.exp(-torch.cdist(x, self.near)) - 0.5 * torch.cdist(x, self.far))
