from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, size, out):
        super().__init__()
        self.dense = nn.Linear(size, out)
        self.bn = nn.BatchNorm1d(out)

    def forward(self, x):
        x = self.dense(x)
        if True:  # one row has no variance
            x = self.bn(x)
        return F.relu(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block(6, 10)
        self.out = nn.Linear(10, 3)

    def forward(self, x):
        return self.out(self.block(x))
