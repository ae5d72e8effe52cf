from ncps.torch import CfCCell
from torch import nn


class Net(nn.Module):
    """One step of a closed-form continuous-time cell."""

    def __init__(self):
        super().__init__()
        self.cell = CfCCell(5, 8, backbone_units=12, backbone_layers=1)

    def forward(self, x, state, elapsed):
        return self.cell(x, state, elapsed)[0]
