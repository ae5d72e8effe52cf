import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(7, 10)
        self.out = nn.Linear(10, 4)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))


class Decayed(torch.optim.Adam):
    """Weight decay apart from the gradient, as AdamW has it, written before there was one."""

    def __init__(self, params, lr=0.01, decay=0.1):
        super().__init__(params, lr=lr)
        self.decay = decay

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.mul_(1 - group["lr"] * self.decay)
        return super().step(closure)


class Moving(torch.optim.Optimizer):
    """Gradient descent with momentum, from nothing."""

    def __init__(self, params, lr=0.1, momentum=0.9):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                v = state.get("v", torch.zeros_like(p)) * group["momentum"] + p.grad
                state["v"] = v
                p.sub_(group["lr"] * v)
