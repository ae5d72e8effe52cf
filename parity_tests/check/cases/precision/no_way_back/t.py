from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(8, 16), nn.LayerNorm(16), nn.Hardtanh(-2.0, 2.0), nn.Linear(16, 5)
        )

    def forward(self, x):
        return self.layers(x)
