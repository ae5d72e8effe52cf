from torch import nn
from torch.nn import functional as F


class LoRALinear(nn.Module):
    def __init__(self, inside, out, rank=4, alpha=8):
        super().__init__()
        self.base = nn.Linear(inside, out)
        self.lora_a = nn.Linear(inside, rank, bias=False)
        self.lora_b = nn.Linear(rank, out, bias=False)
        self.scaling = alpha / rank
        nn.init.zeros_(self.lora_b.weight)
        self.base.requires_grad_(False)

    def forward(self, x):
        return self.base(x) + self.scaling * self.lora_b(self.lora_a(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = LoRALinear(8, 10)
        self.fc2 = nn.Linear(10, 3)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))
