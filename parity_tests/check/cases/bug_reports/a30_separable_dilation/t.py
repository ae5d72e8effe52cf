from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4, bias=False)
        self.pointwise = nn.Conv2d(4, 6, 1)

    def forward(self, x):
        return F.relu(self.pointwise(self.depthwise(x)))
