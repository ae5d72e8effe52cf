from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self, size=6):
        super().__init__()
        self.size = size
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        x = F.interpolate(x, size=(6, 6), mode="bicubic", align_corners=False, antialias=True)
        return self.conv(x)
