from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.out = nn.Embedding(40000, 6), nn.Linear(6, 4)

    def forward(self, ids):
        kept = (ids != 0).unsqueeze(-1).float()
        x = self.tokens(ids) * kept
        return self.out(x.sum(1) / kept.sum(1))
