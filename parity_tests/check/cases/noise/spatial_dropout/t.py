from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.drop = nn.Dropout2d(0.3)
        self.head = nn.Conv2d(6, 4, 1)

    def forward(self, x):
        return self.head(self.drop(self.conv(x).relu()))


class Series(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 6, 3, padding=1)
        self.drop = nn.Dropout1d(0.3)
        self.head = nn.Conv1d(6, 4, 1)

    def forward(self, x):
        return self.head(self.drop(self.conv(x).relu()))
