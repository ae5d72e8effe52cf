from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(5, 4)

    def forward(self, x, mask):
        kept = mask.unsqueeze(-1).to(x.dtype)
        return (self.out(x) * kept).sum(1) / kept.sum(1).clamp(min=1)
