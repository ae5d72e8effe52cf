from torch import nn


class Net(nn.Module):
    """As Hugging Face: a mask that masks nothing is left out (BART, T5)."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 4)

    def forward(self, x):
        y = nn.functional.gelu(self.a(x))
        return self.b((y @ y.transpose(1, 2)).softmax(-1) @ y)
