import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(6, 9)
        self.out = nn.Linear(9, 4)

    def forward(self, x):
        return self.out(F.relu(self.hidden(x)))


def focal(output, target, gamma=2.0):
    logs = F.log_softmax(output, -1).gather(-1, target[:, None])[:, 0]
    return (-((1 - logs.exp()) ** gamma) * logs).mean()


def margin(output, target):
    """None that has a name."""
    right = output.gather(-1, target[:, None])
    return torch.log(1 + F.relu(1 - right + output) ** 2).sum(-1).mean()
