import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(8, 12)
        self.out = nn.Linear(12, 3)

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(x)))


class Clipped(torch.optim.SGD):
    """All gradients together are no longer than 0.05."""

    def step(self, closure=None):
        every = [p for group in self.param_groups for p in group["params"]]
        nn.utils.clip_grad_norm_(every, 0.05)
        return super().step(closure)


class Cut(torch.optim.Adam):
    """No number of a gradient is larger than 0.01."""

    def step(self, closure=None):
        every = [p for group in self.param_groups for p in group["params"]]
        nn.utils.clip_grad_value_(every, 0.01)
        return super().step(closure)
