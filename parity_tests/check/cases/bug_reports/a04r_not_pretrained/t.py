from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(8, eps=1e-3)
        self.classifier = nn.Linear(8, 4)

    def forward(self, x):
        x = F.silu(self.bn(self.stem(x / 255)))
        return self.classifier(x.mean((2, 3)))
