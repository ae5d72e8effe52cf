from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.out = nn.Embedding(31, 6), nn.Linear(6, 4)

    def forward(self, ids):
        return self.out(self.tokens(ids))
