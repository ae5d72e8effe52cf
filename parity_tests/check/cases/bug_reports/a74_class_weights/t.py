from torch import nn
from torch.nn import functional as F

CLASS_WEIGHTS = [0.3, 1.0, 2.5, 0.7]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(9, 16)
        self.fc2 = nn.Linear(16, 4)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))


def weighted(output, target):
    return F.cross_entropy(output, target, weight=output.new_tensor(CLASS_WEIGHTS))
