import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.inlet, self.outlet = nn.LayerNorm(8), nn.Linear(8, 6), nn.Linear(6, 3)

    def forward(self, x):
        x = torch.tanh(self.inlet(self.norm(x)))
        decay = torch.exp(-0.5 * torch.arange(x.shape[1], device=x.device).float())
        return self.outlet(x * decay[:, None])
