"""PyTorch models on vectors and tables, several inputs and outputs."""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


def mlp():
    return nn.Sequential(
        nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 17), nn.Tanh(), nn.Linear(17, 5)
    )


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(11, 16)
        self.bn1 = nn.BatchNorm1d(16)
        self.drop = nn.Dropout(0.3)
        self.fc2 = nn.Linear(16, 12)
        self.bn2 = nn.BatchNorm1d(12, eps=1e-3, momentum=0.01)
        self.out = nn.Linear(12, 4)

    def forward(self, x):
        x = self.drop(F.relu(self.bn1(self.fc1(x))))
        x = F.elu(self.bn2(self.fc2(x)))
        return self.out(x)


class ImageAndTable(nn.Module):
    """A picture and what is known about it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, stride=2)
        self.table = nn.Linear(7, 9)
        self.head = nn.Linear(6 + 9, 4)

    def forward(self, image, table):
        seen = torch.relu(self.conv(image)).mean(dim=(2, 3))
        known = torch.sigmoid(self.table(table))
        return self.head(torch.cat([seen, known], dim=1))


class Detector(nn.Module):
    """Returns a dictionary."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.classes = nn.Conv2d(8, 5, 1)
        self.boxes = nn.Conv2d(8, 4, 3, padding=1)

    def forward(self, x):
        features = self.body(x)
        return {"scores": torch.sigmoid(self.classes(features)), "boxes": self.boxes(features)}


class Encoding(nn.Module):
    """As a variational autoencoder without its draw; returns a tuple."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(14, 10)
        self.mean = nn.Linear(10, 3)
        self.log_variance = nn.Linear(10, 3)
        self.decoder = nn.Sequential(nn.Linear(3, 10), nn.SiLU(), nn.Linear(10, 14), nn.Sigmoid())

    def forward(self, x):
        h = F.silu(self.hidden(x))
        mean, log_variance = self.mean(h), self.log_variance(h)
        return self.decoder(mean), mean, log_variance


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(9, 12), nn.ReLU(), nn.Linear(12, 6))
        self.score = nn.Linear(6, 1)

    def forward(self, left, right):
        apart = torch.abs(self.encoder(left) - self.encoder(right))
        return torch.sigmoid(self.score(apart))


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc = nn.Linear(width, width)

    def forward(self, x):
        return x + F.relu(self.fc(self.norm(x)))


class Nested(nn.Module):
    def __init__(self, depth=3):
        super().__init__()
        self.inlet = nn.Linear(8, 10)
        self.blocks = nn.ModuleList(Residual(10) for _ in range(depth))
        self.outlet = nn.Linear(10, 3)

    def forward(self, x):
        x = self.inlet(x)
        for block in self.blocks:
            x = block(x)
        return self.outlet(x)


class Affine(nn.Module):
    """Gates its input by parameters of its own."""

    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return x * self.scale + self.shift


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.inlet = nn.Linear(9, 14)
        self.affine = Affine(14)
        self.mix = nn.Parameter(torch.randn(14, 5) * 0.1)

    def forward(self, x):
        x = torch.tanh(self.affine(self.inlet(x)))
        return x @ self.mix


class Steps(nn.Module):
    """One layer used again and again, with plain Python around it."""

    def __init__(self, steps=4):
        super().__init__()
        self.steps = steps
        self.cell = nn.Linear(7, 7)
        self.outlet = nn.Linear(7, 2)

    def forward(self, x):
        state = torch.zeros_like(x)
        for step in range(self.steps):
            update = torch.tanh(self.cell(state + x))
            state = 0.5 * state + update if step % 2 else update
        return self.outlet(state)


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(10, 3)
        self.experts = nn.ModuleList(nn.Linear(10, 6) for _ in range(3))

    def forward(self, x):
        weights = F.softmax(self.gate(x), dim=-1)
        answers = torch.stack([expert(x) for expert in self.experts], dim=1)
        return (weights.unsqueeze(-1) * answers).sum(dim=1)


class WideAndDeep(nn.Module):
    def __init__(self):
        super().__init__()
        self.wide = nn.Linear(12, 1, bias=False)
        self.deep = nn.Sequential(nn.Linear(12, 9), nn.LeakyReLU(0.2), nn.Linear(9, 1))

    def forward(self, x):
        x = (x - 0.25) / 2.0
        return torch.sigmoid(self.wide(x) + self.deep(x * x))


class TiedAutoencoder(nn.Module):
    """The decoder uses the encoder's weights, transposed."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(11, 5)
        self.bias = nn.Parameter(torch.zeros(11))

    def forward(self, x):
        code = torch.sigmoid(self.encoder(x))
        return F.linear(code, self.encoder.weight.t(), self.bias)


class Frozen(nn.Module):
    """A backbone that does not learn."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(10, 12), nn.ReLU(), nn.Linear(12, 8), nn.ReLU())
        self.head = nn.Linear(8, 3)
        for parameter in self.backbone.parameters():
            parameter.requires_grad = False

    def forward(self, x):
        return self.head(self.backbone(x))


def sized(width=8, activation="relu"):
    active = nn.ReLU() if activation == "relu" else nn.SELU()
    return nn.Sequential(nn.Linear(6, width), active, nn.Linear(width, 3))


class PerStep(nn.Module):
    """The same dense layers at every moment."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(6, 11)
        self.fc2 = nn.Linear(11, 4)

    def forward(self, x):
        return self.fc2(F.softplus(self.fc1(x))).sum(dim=1)


class Difference(nn.Module):
    """What one branch has over the other."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(10, 7)
        self.b = nn.Linear(10, 7)
        self.norm = nn.LayerNorm(7)

    def forward(self, x):
        return self.norm(self.a(x).relu() - self.b(x).relu())


class Swapped(nn.Module):
    """Two answers of the same shape."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(9, 12)
        self.actor = nn.Linear(12, 4)
        self.critic = nn.Linear(12, 4)

    def forward(self, x):
        h = F.relu(self.trunk(x))
        return self.actor(h), self.critic(h)


ready = nn.Sequential(nn.Linear(5, 9), nn.Sigmoid(), nn.Linear(9, 2))
