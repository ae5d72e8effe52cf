import math

import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.image, self.text = nn.Linear(6, 4, bias=False), nn.Linear(5, 4, bias=False)
        self.logit_scale = nn.Parameter(torch.ones([]) * math.log(1 / 0.07))

    def forward(self, a, b):
        a, b = self.image(a), self.text(b)
        a = a / a.norm(dim=-1, keepdim=True)
        return self.logit_scale.exp() * a @ F.normalize(b, dim=-1).t()
