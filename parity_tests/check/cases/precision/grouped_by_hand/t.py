from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(6, 9, 3, padding=1, groups=3, bias=False)
        self.out = nn.Conv2d(9, 2, 1)

    def forward(self, x):
        return self.out(self.conv(x).relu())
