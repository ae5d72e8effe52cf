from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.q, self.k, self.b = (
            nn.Linear(8, 8),
            nn.Linear(8, 8),
            nn.Linear(8, 8),
            nn.Linear(8, 4),
        )

    def forward(self, x, mask):
        x = nn.functional.gelu(self.a(x))
        scores = self.q(x) @ self.k(x).transpose(1, 2)
        scores = scores.masked_fill(~mask.bool()[:, None, :], float("-inf"))
        return self.b(scores.softmax(-1) @ x)
