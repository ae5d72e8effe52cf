"""A small model, losses and optimizers in PyTorch."""

import torch
from torch import nn
from torch.nn import functional


class Net(nn.Module):
    def __init__(self, soft=False, size=5):
        super().__init__()
        self.fc1, self.bn = nn.Linear(9, 16), nn.BatchNorm1d(16)
        self.fc2, self.soft = nn.Linear(16, size), soft

    def forward(self, x):
        x = self.fc2(torch.relu(self.bn(self.fc1(x))))
        return torch.softmax(x, -1) if self.soft else x


class Pixels(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        return self.conv(x)


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(9, 4), nn.Linear(9, 1)

    def forward(self, x):
        return self.a(x), self.b(x)


def both(outputs, targets):
    return functional.cross_entropy(outputs[0], targets[0]) + functional.mse_loss(
        outputs[1], targets[1]
    )


def own(out, y):
    return functional.cross_entropy(out, y, label_smoothing=0.1)


def sgd(parameters, lr=0.01, weight_decay=0.0):
    return torch.optim.SGD(
        parameters, lr=lr, momentum=0.9, nesterov=True, weight_decay=weight_decay
    )


def groups(model):
    return torch.optim.SGD(
        [
            {"params": model.fc1.parameters(), "lr": 0.1},
            {"params": model.bn.parameters()},
            {"params": model.fc2.parameters()},
        ],
        lr=0.01,
    )


def forgetful(model):
    return torch.optim.SGD(model.fc2.parameters(), lr=0.01)
