from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(9, 8)
        self.rnn = nn.GRU(8, 12, batch_first=True)
        self.dense = nn.Linear(12, 9)

    def forward(self, ids):
        return self.dense(self.rnn(self.embedding(ids))[0])


def masked_loss(output, target):
    """Token 0 is padding and does not count."""
    loss = F.cross_entropy(output.transpose(1, 2), target, reduction="none")
    mask = (target != 0).to(loss.dtype)
    return (loss * mask).sum() / mask.sum()
