"""PyTorch models whose right ports look different."""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


class OddSizes(nn.Module):
    """On odd sizes padding=1 is TensorFlow's 'same', also with stride 2."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(6, 5, 5, padding=2)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)

    def forward(self, x):
        return self.pool(self.conv2(torch.tanh(self.conv1(x))))


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(4, 5, 3, padding=1)
        self.conv2 = nn.Conv2d(5, 5, 3, padding=1)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.act(self.conv1(x))
        y = self.conv2(x)
        y += x
        y.mul_(0.5)
        return F.relu_(y)


class HardOnes(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(8, 11)
        self.fc2 = nn.Linear(11, 6)
        self.fc3 = nn.Linear(6, 4)

    def forward(self, x):
        x = F.hardsigmoid(self.fc1(x))
        x = F.hardtanh(self.fc2(x), 0.0, 6.0)
        return F.hardtanh(self.fc3(x))


class AdaptivePools(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding="same")
        self.pool = nn.AdaptiveAvgPool2d((2, 3))
        self.fc = nn.Linear(36, 4)

    def forward(self, x):
        return self.fc(self.pool(F.relu(self.conv(x))).flatten(1))


class OneByOne(nn.Module):
    """Pointwise convolutions, and a softmax over the channels."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(5, 9, 1)
        self.conv2 = nn.Conv2d(9, 4, 1)

    def forward(self, x):
        return torch.softmax(self.conv2(F.gelu(self.conv1(x))), dim=1)


class PoolBeforeRelu(nn.Module):
    """A maximum and ReLU may change places."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 6, 3)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv(x), 2))
        return self.fc(x.amax((2, 3)))


class DepthMultiplier(nn.Module):
    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(4, 8, 3, padding=1, groups=4)
        self.norm = nn.GroupNorm(1, 8)

    def forward(self, x):
        return F.silu(self.norm(self.depthwise(x)))


class Identities(nn.Module):
    """Layers that do nothing."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Identity(),
            nn.Linear(9, 7),
            nn.Dropout(0.0),
            nn.ELU(),
            nn.Identity(),
            nn.Linear(7, 2),
        )

    def forward(self, x):
        return self.net(x).contiguous().clone()


class PlaneNorm(nn.Module):
    """Normalises over two axes."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm([7, 6], eps=1e-3)
        self.fc = nn.Linear(6, 4)

    def forward(self, x):
        return self.fc(self.norm(x))


class ScaledQueries(nn.Module):
    """The scale goes to the queries, not to the scores."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x):
        q = self.q(x) * 8**-0.5
        return torch.bmm(torch.bmm(q, self.k(x).mT).softmax(-1), self.v(x))


class Cropped(nn.Module):
    """Pads too much on purpose and cuts it away."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(5, 6, 4, padding=3)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = self.conv(x)[:, :, :-3]
        return self.fc(x.relu().mean(-1))


class TransposedSame(nn.Module):
    def __init__(self):
        super().__init__()
        self.up1 = nn.ConvTranspose2d(3, 6, 4, stride=2, padding=1)
        self.up2 = nn.ConvTranspose2d(6, 2, 3, padding=1)

    def forward(self, x):
        return self.up2(F.relu(self.up1(x)))


class SwishByHand(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(10, 8)
        self.fc2 = nn.Linear(8, 5)

    def forward(self, x):
        x = self.fc1(x)
        return F.log_softmax(self.fc2(x * torch.sigmoid(x)), dim=-1)


class MomentumWords(nn.Module):
    """One side says the weight of the new statistics, the other that of the old."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, padding=(0, 1), bias=False)
        self.bn = nn.BatchNorm2d(5, eps=1e-3, momentum=0.03, affine=False)
        self.fc = nn.Linear(5, 3)

    def forward(self, x):
        return self.fc(torch.celu(self.bn(self.conv(x))).mean([-1, -2]))
