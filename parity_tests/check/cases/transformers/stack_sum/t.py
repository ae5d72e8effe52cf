import torch
from torch import nn


class Net(nn.Module):
    """As pytorch_tcn's skip connections: stacked and summed; and an activation behind."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x):
        one = torch.tanh(self.a(x))
        two = torch.tanh(self.b(one))
        return torch.relu(torch.stack([one, two], dim=0).sum(dim=0))
