import torch.nn.functional as F
from torch import nn


class StdConv(nn.Conv2d):
    """timm's ScaledStdConv2d, plain."""

    eps = 1e-6

    def forward(self, x):
        w = F.batch_norm(
            self.weight.reshape(1, self.out_channels, -1),
            None,
            None,
            training=True,
            momentum=0.0,
            eps=self.eps,
        )
        return F.conv2d(
            x,
            w.reshape_as(self.weight),
            self.bias,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
        )


class Net(nn.Module):
    def __init__(self, groups=1):
        super().__init__()
        self.one, self.two = StdConv(4, 6, 3, padding=1, groups=groups), nn.Conv2d(6, 5, 1)

    def forward(self, x):
        return self.two(self.one(x).relu())
