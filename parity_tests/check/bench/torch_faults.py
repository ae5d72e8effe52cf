"""Wrong PyTorch ports of Keras models."""

import math

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


class AlignCorners(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(8, 5, 1)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)

    def forward(self, x):
        x = F.leaky_relu(self.conv1(x), 0.1)
        return F.softmax(self.up(self.conv2(x)), dim=1)


class Padded(nn.Module):
    def __init__(self, both=False, counted=False):
        super().__init__()
        self.border = (1, 1, 1, 1) if both else (0, 1, 0, 1)
        self.conv = nn.Conv2d(3, 7, 3, stride=2)
        self.pool = nn.AvgPool2d(3, 2, padding=1, count_include_pad=counted)
        self.fc = nn.Linear(7, 4)

    def forward(self, x):
        x = F.relu6(self.conv(F.pad(x, self.border)))
        return self.fc(self.pool(x).mean(dim=(-2, -1)))


def padded_both_sides():
    return Padded(both=True)


def padding_counted():
    return Padded(counted=True)


class Classifier(nn.Module):
    def __init__(self, momentum=0.1, always=False):
        super().__init__()
        self.always = always
        self.fc1 = nn.Linear(11, 16)
        self.bn1 = nn.BatchNorm1d(16, momentum=momentum)
        self.fc2 = nn.Linear(16, 12)
        self.bn2 = nn.BatchNorm1d(12, eps=1e-3, momentum=0.01)
        self.out = nn.Linear(12, 4)

    def forward(self, x):
        x = F.relu(self.bn1(self.fc1(x)))
        x = F.dropout(x, 0.3) if self.always else F.dropout(x, 0.3, self.training)
        return self.out(F.elu(self.bn2(self.fc2(x))))


def keras_momentum():
    return Classifier(momentum=0.9)


def functional_dropout():
    return Classifier(always=True)


class DefaultEpsilon(nn.Module):
    """PyTorch's own epsilon where Keras' was meant."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.expand = nn.Conv2d(6, 12, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(12, momentum=0.01)
        self.depthwise = nn.Conv2d(12, 12, 5, padding=2, groups=12, bias=False)
        self.bn2 = nn.BatchNorm2d(12, momentum=0.01)
        self.fc1, self.fc2 = nn.Conv2d(12, 4, 1), nn.Conv2d(4, 12, 1)
        self.project = nn.Conv2d(12, 6, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(6, momentum=0.01)
        self.fc = nn.Linear(6, 5)

    def forward(self, x):
        x = F.hardswish(self.stem(x))
        y = F.hardswish(self.bn1(self.expand(x)))
        y = F.relu6(self.bn2(self.depthwise(y)))
        y = y * torch.sigmoid(self.fc2(F.relu(self.fc1(y.mean((2, 3), keepdim=True)))))
        x = x + self.bn3(self.project(y))
        return self.fc(F.dropout(x.mean((2, 3)), 0.2, self.training))


class TimeFirst(nn.Module):
    """batch_first was forgotten."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 9)
        self.fc = nn.Linear(9, 4)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1])


class AttentionTimeFirst(nn.Module):
    """batch_first was forgotten here, too: the batch attends to itself."""

    def __init__(self, dim=12, heads=3, hidden=20):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = nn.MultiheadAttention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        y = self.norm1(x)
        x = x + self.drop(self.attn(y, y, y)[0])
        return x + self.drop(self.fc2(F.gelu(self.fc1(self.norm2(x)))))


class MaskUnturned(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8, eps=1e-6)

    def forward(self, x, empty):
        y, _ = self.attn(x, x, x, key_padding_mask=~empty)
        return self.norm(x + y)


class SoftmaxLast(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(5, 9, 1)
        self.conv2 = nn.Conv2d(9, 4, 1)

    def forward(self, x):
        return torch.softmax(self.conv2(F.gelu(self.conv1(x))), dim=-1)


class NormByHand(nn.Module):
    def __init__(self, unbiased=False, outside=False):
        super().__init__()
        self.unbiased, self.outside = unbiased, outside
        self.inlet = nn.Linear(6, 9)
        self.weight = nn.Parameter(torch.ones(9))
        self.bias = nn.Parameter(torch.zeros(9))
        self.outlet = nn.Linear(9, 4)

    def forward(self, x):
        x = self.inlet(x)
        x, variance = x - x.mean(-1, keepdim=True), x.var(-1, self.unbiased, keepdim=True)
        x = x / (variance.sqrt() + 1e-5 if self.outside else (variance + 1e-5).sqrt())
        return self.outlet(F.gelu(x * self.weight + self.bias, approximate="tanh"))


def variance_unbiased():
    return NormByHand(unbiased=True)


def epsilon_outside():
    return NormByHand(outside=True)


class SigmoidForHard(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(8, 11)
        self.fc2 = nn.Linear(11, 6)
        self.fc3 = nn.Linear(6, 4)

    def forward(self, x):
        x = F.hardtanh(self.fc2(torch.sigmoid(self.fc1(x))), 0.0, 6.0)
        return F.hardtanh(self.fc3(x))


class DepthwiseBias(nn.Module):
    """Keras' separable convolution has one bias, at its end."""

    def __init__(self):
        super().__init__()
        self.depth1 = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.point1 = nn.Conv2d(4, 9, 1)
        self.depth2 = nn.Conv2d(9, 9, 3, groups=9, bias=False)
        self.point2 = nn.Conv2d(9, 6, 1)

    def forward(self, x):
        x = F.elu(self.point1(self.depth1(x)))
        return F.elu(self.point2(self.depth2(x)))


class VolumeMean(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv3d(2, 5, 3, padding=1)
        self.pool = nn.MaxPool3d((1, 2, 2))
        self.conv2 = nn.Conv3d(5, 7, (3, 2, 1))
        self.fc = nn.Linear(7, 3)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        return self.fc(torch.relu(self.conv2(x)).mean(dim=(2, 3, 4)))


class ConvNextTanh(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.dwconv = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.pwconv1 = nn.Linear(dim, 4 * dim)
        self.pwconv2 = nn.Linear(4 * dim, dim)
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.gamma * self.pwconv2(F.gelu(self.pwconv1(y), approximate="tanh"))
        return x + y.permute(0, 3, 1, 2)


class ScaleForgotten(nn.Module):
    """Keras' layer scales by itself."""

    def __init__(self, dim=12, heads=4):
        super().__init__()
        self.heads, self.size = heads, dim // heads
        self.q, self.k, self.v = nn.Linear(dim, dim), nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)

    def split(self, x):
        return x.unflatten(-1, (self.heads, self.size)).transpose(1, 2)

    def forward(self, x):
        q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
        y = (q @ k.transpose(-2, -1)).softmax(-1) @ v
        return self.out(y.transpose(1, 2).flatten(2))


class ScaledTwice(nn.Module):
    """The function scales, and the queries were scaled before."""

    def __init__(self, dim=10, heads=2):
        super().__init__()
        self.heads, self.size = heads, dim // heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, self.size)).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        y = F.scaled_dot_product_attention(q / math.sqrt(self.size), k, v)
        return self.proj(y.transpose(1, 2).flatten(2))


class OddSizesPooled(nn.Module):
    """The last pool was written without its padding."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(6, 5, 5, padding=2)
        self.pool = nn.MaxPool2d(3, stride=2)

    def forward(self, x):
        return self.pool(self.conv2(torch.tanh(self.conv1(x))))
