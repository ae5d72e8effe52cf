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

    def forward(self, x):
        x = nn.functional.gelu(self.a(x))
        q, k = (f(x).view(*x.shape[:2], 2, 4).transpose(1, 2) for f in (self.q, self.k))
        v = x.view(*x.shape[:2], 2, 4).transpose(1, 2)
        y = (q @ k.transpose(2, 3) * 0.5).softmax(-1) @ v
        return self.b(y.transpose(1, 2).reshape(x.shape))
