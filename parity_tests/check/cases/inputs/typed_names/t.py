from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.out = nn.Embedding(30, 6), nn.Linear(6, 4)

    def forward(self, batch):
        return self.out(self.tokens(batch["ids"])) * batch["mask"][..., None]
