from torch import nn


class Encoder(nn.Module):
    def __init__(self, activation="relu"):
        super().__init__()
        self.before = nn.Linear(6, 8)
        self.block = nn.TransformerEncoderLayer(
            8, 2, 12, dropout=0.0, activation=activation, batch_first=True
        )
        self.norm = nn.LayerNorm(8)

    def forward(self, x):
        return self.norm(self.block(self.before(x)))
