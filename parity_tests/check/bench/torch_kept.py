"""PyTorch models that bring their weights along, drawn by NumPy."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


def draws(seed=0):
    generator = np.random.default_rng(seed)
    return lambda *shape: (generator.standard_normal(shape) * 0.4).astype("float32")


def fill(model, seed=0):
    """Every weight from one stream; variances are positive."""
    draw = draws(seed)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                value = draw(*tensor.shape)
                tensor.copy_(torch.from_numpy(abs(value) + 0.5 if "var" in name else value))
    return model


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 6, 3, padding=1)
        self.bn = nn.BatchNorm2d(6)
        self.fc = nn.Linear(6 * 5 * 4, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn(self.conv(x))), 2)
        return self.fc(x.flatten(1))


class Squares(nn.Module):
    """Square layers: a transposed weight has the right shape."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(8, 8)
        self.fc2 = nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)

    def forward(self, x):
        return self.norm(self.fc2(torch.tanh(self.fc1(x))))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 6, batch_first=True)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        return self.fc(self.lstm(x)[0][:, -1])


class Depthwise(nn.Module):
    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.point = nn.Conv2d(4, 7, 1)

    def forward(self, x):
        return self.point(F.relu(self.depthwise(x)))


def convolutions():
    return fill(Convolutions(), 1)


def squares():
    return fill(Squares(), 2)


def recurrent():
    return fill(Recurrent(), 3)


def depthwise():
    return fill(Depthwise(), 4)
