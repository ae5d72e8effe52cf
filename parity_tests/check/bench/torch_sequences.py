"""PyTorch models on sequences: recurrent, convolutional, embeddings."""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


class LastOfLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 9, batch_first=True)
        self.fc = nn.Linear(9, 4)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1])


class Tagger(nn.Module):
    """An answer for every token."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(23, 7)
        self.lstm = nn.LSTM(7, 10, batch_first=True)
        self.drop = nn.Dropout(0.25)
        self.tags = nn.Linear(10, 5)

    def forward(self, tokens):
        x, _ = self.lstm(self.embedding(tokens))
        return F.log_softmax(self.tags(self.drop(x)), dim=-1)


class Gru(nn.Module):
    """Time first, as PyTorch has it by default."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(5, 8)
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        _, last = self.gru(x.transpose(0, 1))
        return self.fc(last.squeeze(0))


class BiLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(6, 7, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(14, 3)

    def forward(self, x):
        _, (h, _) = self.rnn(x)
        return self.fc(torch.cat([h[0], h[1]], dim=1))


class BiGruSequence(nn.Module):
    """The two directions of a bidirectional layer are added."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(5, 6, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(6, 4)

    def forward(self, x):
        y, _ = self.rnn(x)
        forwards, backwards = y.chunk(2, dim=-1)
        return self.fc(forwards + backwards)


class Stacked(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 8, num_layers=2, batch_first=True, dropout=0.2)
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        y, _ = self.lstm(x)
        return self.fc(y.mean(dim=1))


class Simple(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(4, 9, nonlinearity="relu", batch_first=True)
        self.fc = nn.Linear(9, 2)

    def forward(self, x):
        return self.fc(self.rnn(x)[0][:, -1, :])


class Bag(nn.Module):
    """The mean of the words."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(6, 8)
        self.fc1 = nn.Linear(8, 10)
        self.fc2 = nn.Linear(10, 3)

    def forward(self, tokens):
        x = self.embedding(tokens).mean(dim=1)
        return self.fc2(torch.relu(self.fc1(x)))


class TextCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(31, 6)
        self.convs = nn.ModuleList(nn.Conv1d(6, 5, width) for width in (2, 3, 4))
        self.fc = nn.Linear(15, 4)

    def forward(self, tokens):
        x = self.embedding(tokens).transpose(1, 2)
        found = [F.relu(conv(x)).max(dim=2).values for conv in self.convs]
        return self.fc(torch.cat(found, dim=1))


class Tcn(nn.Module):
    """Causal and dilated; takes (batch, channels, time)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(4, 7, 3)
        self.conv2 = nn.Conv1d(7, 7, 3, dilation=2)
        self.conv3 = nn.Conv1d(7, 5, 1)

    def forward(self, x):
        x = F.relu(self.conv1(F.pad(x, (2, 0))))
        x = x + F.relu(self.conv2(F.pad(x, (4, 0))))
        return self.conv3(x)


class Signal(nn.Module):
    """Strides and pools over one axis."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(3, 6, 5, stride=2, padding=2),
            nn.BatchNorm1d(6),
            nn.CELU(0.7),
            nn.AvgPool1d(2),
            nn.Conv1d(6, 8, 3, padding=1, groups=2),
            nn.Softsign(),
            nn.AdaptiveMaxPool1d(1),
            nn.Flatten(),
            nn.Linear(8, 3),
        )

    def forward(self, x):
        return self.net(x)


class Seq2Seq(nn.Module):
    """The encoder's state starts the decoder."""

    def __init__(self):
        super().__init__()
        self.source = nn.Embedding(19, 6)
        self.target = nn.Embedding(17, 5)
        self.encoder = nn.LSTM(6, 8, batch_first=True)
        self.decoder = nn.LSTM(5, 8, batch_first=True)
        self.out = nn.Linear(8, 17)

    def forward(self, source, target):
        _, state = self.encoder(self.source(source))
        y, _ = self.decoder(self.target(target), state)
        return self.out(y)


class TiedLanguageModel(nn.Module):
    """The embedding is also the last layer."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(21, 8)
        self.rnn = nn.GRU(8, 8, batch_first=True)
        self.out = nn.Linear(8, 21, bias=False)
        self.out.weight = self.embedding.weight

    def forward(self, tokens):
        y, _ = self.rnn(self.embedding(tokens))
        return self.out(y)


class Recommender(nn.Module):
    """Users and things, their product and their biases."""

    def __init__(self):
        super().__init__()
        self.users = nn.Embedding(12, 5)
        self.things = nn.Embedding(15, 5)
        self.user_bias = nn.Embedding(12, 1)
        self.thing_bias = nn.Embedding(15, 1)

    def forward(self, user, thing):
        close = (self.users(user) * self.things(thing)).sum(-1, keepdim=True)
        return torch.sigmoid(close + self.user_bias(user) + self.thing_bias(thing))
