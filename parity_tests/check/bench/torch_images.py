"""PyTorch models on images."""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


class SmallCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(8)
        self.pool = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(8, 12, 3)
        self.bn2 = nn.BatchNorm2d(12)
        self.fc1 = nn.Linear(12 * 4 * 3, 10)
        self.fc2 = nn.Linear(10, 7)

    def forward(self, x):
        x = self.pool(F.relu(self.bn1(self.conv1(x))))
        x = F.relu(self.bn2(self.conv2(x)))
        x = torch.flatten(x, 1)
        return self.fc2(F.relu(self.fc1(x)))


class BasicBlock(nn.Module):
    def __init__(self, before, after, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = nn.Sequential(BasicBlock(8, 8), BasicBlock(8, 12, 2))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(12, 5)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.avgpool(self.layer1(x))
        return self.fc(torch.flatten(x, 1))


class DenseBlock(nn.Module):
    def __init__(self, channels=6, growth=4):
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels + i * growth) for i in range(3))
        self.convs = nn.ModuleList(
            nn.Conv2d(channels + i * growth, growth, 3, padding=1, bias=False) for i in range(3)
        )

    def forward(self, x):
        for norm, conv in zip(self.norms, self.convs, strict=True):
            x = torch.cat([x, conv(F.relu(norm(x)))], dim=1)
        return x


class DenseNet(nn.Module):
    """Gives features, not classes."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.block = DenseBlock()

    def forward(self, x):
        return F.adaptive_avg_pool2d(self.block(self.stem(x)), 1).flatten(1)


class Inception(nn.Module):
    """Three branches of one shape, and a pooled one."""

    def __init__(self):
        super().__init__()
        self.b1 = nn.Conv2d(5, 6, 1)
        self.b3 = nn.Sequential(nn.Conv2d(5, 6, 1), nn.ReLU(), nn.Conv2d(6, 6, 3, padding=1))
        self.b5 = nn.Sequential(nn.Conv2d(5, 6, 1), nn.ReLU(), nn.Conv2d(6, 6, 5, padding=2))
        self.bp = nn.Sequential(nn.MaxPool2d(3, 1, padding=1), nn.Conv2d(5, 6, 1))

    def forward(self, x):
        branches = [self.b1(x), self.b3(x), self.b5(x), self.bp(x)]
        return F.relu(torch.cat(branches, dim=1))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Conv2d(3, 6, 3, padding=1)
        self.mid = nn.Conv2d(6, 12, 3, padding=1)
        self.up = nn.ConvTranspose2d(12, 6, 2, stride=2)
        self.dec = nn.Conv2d(12, 8, 3, padding=1)
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        skip = F.relu(self.enc(x))
        x = F.relu(self.mid(F.max_pool2d(skip, 2)))
        x = torch.cat([self.up(x), skip], dim=1)
        return torch.sigmoid(self.head(F.relu(self.dec(x))))


class SqueezeExcite(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        s = F.adaptive_avg_pool2d(x, 1)
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(s))))


class MobileBlock(nn.Module):
    """Expand, depthwise, squeeze-excite, project, add."""

    def __init__(self):
        super().__init__()
        self.expand = nn.Conv2d(6, 12, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(12, eps=1e-3, momentum=0.01)
        self.depthwise = nn.Conv2d(12, 12, 5, padding=2, groups=12, bias=False)
        self.bn2 = nn.BatchNorm2d(12, eps=1e-3, momentum=0.01)
        self.se = SqueezeExcite(12, 4)
        self.project = nn.Conv2d(12, 6, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(6, eps=1e-3, momentum=0.01)

    def forward(self, x):
        y = F.hardswish(self.bn1(self.expand(x)))
        y = F.relu6(self.bn2(self.depthwise(y)))
        y = self.bn3(self.project(self.se(y)))
        return x + y


class Mobile(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.Hardswish())
        self.block = MobileBlock()
        self.drop = nn.Dropout(0.2)
        self.fc = nn.Linear(6, 5)

    def forward(self, x):
        x = self.block(self.stem(x)).mean([2, 3])
        return self.fc(self.drop(x))


class ResNeXt(nn.Module):
    def __init__(self):
        super().__init__()
        self.reduce = nn.Conv2d(8, 12, 1, bias=False)
        self.grouped = nn.Conv2d(12, 12, 3, padding=1, groups=3, bias=False)
        self.norm = nn.GroupNorm(4, 12)
        self.expand = nn.Conv2d(12, 8, 1)

    def forward(self, x):
        y = F.silu(self.norm(self.grouped(F.relu(self.reduce(x)))))
        return F.relu(x + self.expand(y))


class Aspp(nn.Module):
    """The same input at several dilations."""

    def __init__(self):
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Conv2d(4, 5, 3, padding=rate, dilation=rate) for rate in (1, 2, 3)
        )
        self.pooled = nn.Conv2d(4, 5, 1)
        self.project = nn.Conv2d(20, 6, 1)

    def forward(self, x):
        found = [F.relu(stage(x)) for stage in self.stages]
        whole = F.relu(self.pooled(x.mean((2, 3), keepdim=True)))
        found.append(whole.expand(-1, -1, x.shape[2], x.shape[3]))
        return self.project(torch.cat(found, 1))


class Volume(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv3d(2, 5, 3, padding=1)
        self.pool = nn.MaxPool3d((1, 2, 2))
        self.conv2 = nn.Conv3d(5, 7, (3, 2, 1))
        self.fc = nn.Linear(7, 3)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        x = torch.relu(self.conv2(x)).amax(dim=(2, 3, 4))
        return self.fc(x)


class PaddedByHand(nn.Module):
    """TensorFlow's 'same' for an even size, as converted models have it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 7, 3, stride=2)
        self.pool = nn.AvgPool2d(3, 2, padding=1, count_include_pad=False)
        self.fc = nn.Linear(7, 4)

    def forward(self, x):
        x = F.relu6(self.conv(F.pad(x, (0, 1, 0, 1))))
        return self.fc(self.pool(x).mean(dim=(-2, -1)))


class AveragePadded(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, (3, 5), stride=(1, 2), padding=(1, 2))
        self.pool = nn.AvgPool2d(3, stride=2, padding=1)
        self.out = nn.Conv2d(6, 4, 3, padding=1)

    def forward(self, x):
        return self.out(self.pool(torch.tanh(self.conv(x))))


class Style(nn.Module):
    """Reflected borders, instance norm, upsampling."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1, padding_mode="reflect")
        self.in1 = nn.InstanceNorm2d(6, affine=True)
        self.down = nn.Conv2d(6, 8, 4, stride=2, padding=1)
        self.in2 = nn.InstanceNorm2d(8)
        self.pad = nn.ReflectionPad2d(2)
        self.conv2 = nn.Conv2d(8, 3, 5)

    def forward(self, x):
        x = F.relu(self.in1(self.conv1(x)))
        x = F.relu(self.in2(self.down(x)))
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        return torch.tanh(self.conv2(self.pad(x)))


class Espcn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5, padding=2)
        self.act = nn.PReLU(8)
        self.conv2 = nn.Conv2d(8, 3 * 4, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x):
        return self.shuffle(self.conv2(self.act(self.conv1(x))))


class Segmenter(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(8, 5, 1)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)

    def forward(self, x):
        x = F.leaky_relu(self.conv1(x), 0.1)
        return F.softmax(self.up(self.conv2(x)), dim=1)


class Xception(nn.Module):
    """Depthwise and pointwise convolutions, as Keras' separable ones."""

    def __init__(self):
        super().__init__()
        self.depth1 = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False)
        self.point1 = nn.Conv2d(4, 9, 1)
        self.depth2 = nn.Conv2d(9, 9, 3, groups=9, bias=False)
        self.point2 = nn.Conv2d(9, 6, 1)

    def forward(self, x):
        x = F.elu(self.point1(self.depth1(x)))
        return F.elu(self.point2(self.depth2(x)))


class ConvNext(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.dwconv = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.pwconv1 = nn.Linear(dim, 4 * dim)
        self.act = nn.GELU()
        self.pwconv2 = nn.Linear(4 * dim, dim)
        self.gamma = nn.Parameter(1e-1 * torch.ones(dim))

    def forward(self, x):
        y = self.dwconv(x).permute(0, 2, 3, 1)
        y = self.gamma * self.pwconv2(self.act(self.pwconv1(self.norm(y))))
        return x + y.permute(0, 3, 1, 2)


class Generator(nn.Module):
    """From a vector to a picture, as DCGAN's."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(7, 10 * 4 * 3, bias=False)
        self.main = nn.Sequential(
            nn.BatchNorm2d(10),
            nn.ReLU(True),
            nn.ConvTranspose2d(10, 6, 4, 2, 1, bias=False),
            nn.BatchNorm2d(6),
            nn.LeakyReLU(0.2),
            nn.ConvTranspose2d(6, 3, 3, 2, 1, output_padding=1),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.main(self.fc(z).view(-1, 10, 4, 3))


class Denoiser(nn.Module):
    """Answers by what is to be taken away."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=2, dilation=2)
        self.conv3 = nn.Conv2d(6, 2, 3, padding=1)

    def forward(self, x):
        noise = self.conv3(F.mish(self.conv2(F.elu(self.conv1(x)))))
        return x - noise


class Preactivated(nn.Module):
    """Norm and activation before the convolution; the shortcut from before them."""

    def __init__(self):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(6)
        self.conv1 = nn.Conv2d(6, 6, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(F.relu(self.bn1(x)))
        return x + self.conv2(F.relu(self.bn2(y)))


class RawPixels(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.fc = nn.Linear(6, 4)

    def forward(self, x):
        x = F.relu(self.conv(x / 127.5 - 1.0))
        return self.fc(F.max_pool2d(x, x.shape[2:]).flatten(1))


class FrozenNorm(nn.Module):
    """Weights that stay, statistics that move."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 7, 3)
        self.bn = nn.BatchNorm2d(7)
        self.head = nn.Linear(7, 4)
        self.bn.requires_grad_(False)

    def forward(self, x):
        return self.head(F.relu(self.bn(self.conv(x))).mean((2, 3)))


class Columns(nn.Module):
    """Reads a picture column by column."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.rnn = nn.GRU(4 * 8, 9, batch_first=True)
        self.fc = nn.Linear(9, 5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), (2, 1))
        x = x.permute(0, 3, 2, 1).flatten(2)
        return self.fc(self.rnn(x)[0])
