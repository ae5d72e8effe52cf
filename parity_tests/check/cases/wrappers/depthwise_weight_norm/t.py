import torch
from torch import nn


class Net(nn.Module):
    """A depthwise convolution whose kernel has one length for each of its channels."""

    def __init__(self):
        super().__init__()
        conv = nn.Conv2d(4, 8, 3, groups=4)
        self.conv = nn.utils.parametrizations.weight_norm(conv)
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).mean((2, 3)))
