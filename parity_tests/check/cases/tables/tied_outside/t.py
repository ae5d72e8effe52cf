from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.mix = nn.Embedding(11, 6), nn.Linear(6, 6)

    def forward(self, ids):
        return self.mix(self.tokens(ids)) @ self.tokens.weight.T
