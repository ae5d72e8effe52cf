"""Causes that no setting tells: heads, another part or order of numbers, gradients, bounds."""

import pytest

TORCH = """
import torch
from torch import nn

class Attends(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.MultiheadAttention(12, 3, batch_first=True)
    def forward(self, x):
        return self.attn(x, x, x, need_weights=False)[0]

class Reads(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.fc = nn.LSTM(6, 7, batch_first=True, bidirectional=True), nn.Linear(14, 4)
    def forward(self, x):
        return self.fc(torch.cat(tuple(self.lstm(x)[1][0]), 1))

class Stops(nn.Module):
    def __init__(self, stop=True):
        super().__init__()
        self.a, self.b, self.stop = nn.Linear(8, 8), nn.Linear(8, 8), stop
    def forward(self, x):
        h = torch.tanh(self.a(x))
        return h * torch.sigmoid(self.b(h.detach() if self.stop else h))

class Scales(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)
    def forward(self, x):
        h = torch.tanh(self.a(x))
        with torch.no_grad():
            largest = h.abs().amax(1, keepdim=True) + 1e-3
        return self.b(h / largest)

class Half(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()
    @staticmethod
    def backward(ctx, slope):
        return slope / 2

class Logs(nn.Module):
    def __init__(self, halved, stop):
        super().__init__()
        self.a, self.b, self.halved, self.stop = nn.Linear(8, 8), nn.Linear(8, 8), halved, stop
    def forward(self, x):
        h = torch.tanh(self.a(x))
        y = torch.sigmoid(self.b(h))
        self.seen = h.detach().mean()
        y = Half.apply(y) if self.halved else y
        return (h.detach() if self.stop else h) * y + 0.0 * y.detach()

class Averages(nn.Module):
    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm1d(5, eps=1e-3, momentum=None)
    def forward(self, x):
        return self.bn(x)

class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.e, self.o = nn.Embedding(20, 8), nn.Linear(8, 20, bias=False)
        self.o.weight = self.e.weight
    def forward(self, x):
        return self.o(torch.tanh(self.e(x)))

class Halved(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.head = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 3)
        self.b.weight = self.a.weight
    def forward(self, x):
        return self.head(torch.tanh(self.b(torch.tanh(self.a(x)))))

def plain():
    return nn.Sequential(nn.Linear(8, 6), nn.ReLU())
"""
KERAS = """
import keras
from keras import Input, Model, layers, ops

def attends(heads):
    x = Input((7, 12))
    return Model(x, layers.MultiHeadAttention(heads, 12 // heads, name="attn")(x, x))

class Reads(Model):
    def __init__(self, part):
        super().__init__()
        self.rnn = layers.Bidirectional(layers.LSTM(7, return_sequences=True, return_state=True))
        self.fc, self.part = layers.Dense(4), part
    def call(self, x):
        every, h, c, back, cell = self.rnn(x)
        parts = {"state": ops.concatenate([h, back], -1), "last": every[:, -1], "forward": h,
                 "cell": ops.concatenate([c, cell], -1)}
        return self.fc(parts[self.part])

def stops(stop):
    x = Input((8,))
    h = layers.Dense(8, activation="tanh", name="a")(x)
    g = layers.Dense(8, activation="sigmoid", name="b")(ops.stop_gradient(h) if stop else h)
    return Model(x, h * g)

def scales(stop):
    x = Input((8,))
    h = ops.tanh(layers.Dense(8, name="a")(x))
    largest = ops.max(ops.abs(h), 1, keepdims=True) + 1e-3
    largest = ops.stop_gradient(largest) if stop else largest
    return Model(x, layers.Dense(8, name="b")(h / largest))

def logs():
    x = Input((8,))
    h = ops.tanh(layers.Dense(8, name="a")(x))
    y = ops.sigmoid(layers.Dense(8, name="b")(h))
    return Model(x, h * y + 0.0 * y)

def averages():
    return keras.Sequential([Input((5,)), layers.BatchNormalization(momentum=0.9, name="bn")])

def untied():
    x = Input((6,), dtype="int32")
    y = ops.tanh(layers.Embedding(20, 8, name="e")(x))
    return Model(x, layers.Dense(20, use_bias=False, name="o")(y))

def again():
    x = Input((8,))
    a = layers.Dense(8, name="a")
    return Model(x, layers.Dense(3, name="head")(ops.tanh(a(ops.tanh(a(x))))))

def plain(limit=None, penalty=None):
    return keras.Sequential([Input((8,)), layers.Dense(6, kernel_regularizer=penalty),
                             layers.ReLU(max_value=limit)])
"""
RIGHT = (
    ("Attends", {}, "attends", {"heads": 3}, "2,7,12"),
    ("Reads", {}, "Reads", {"part": "state"}, "2,5,6"),
    ("Stops", {}, "stops", {"stop": True}, "4,8"),
    ("Stops", {"stop": False}, "stops", {"stop": False}, "4,8"),
    ("Scales", {}, "scales", {"stop": True}, "4,8"),
    ("Logs", {"halved": False, "stop": False}, "logs", {}, "4,8"),
)
WRONG = (
    ("Attends", {}, "attends", {"heads": 4}, "2,7,12", "groups", False),
    ("Reads", {}, "Reads", {"part": "last"}, "2,5,6", "wiring", False),
    ("Reads", {}, "Reads", {"part": "forward"}, "2,5,6", "wiring", False),
    ("Reads", {}, "Reads", {"part": "cell"}, "2,5,6", "wiring", False),
    ("Stops", {}, "stops", {"stop": False}, "4,8", "stop_gradient", False),
    ("Stops", {"stop": False}, "stops", {"stop": True}, "4,8", "stop_gradient", False),
    ("Scales", {}, "scales", {"stop": False}, "4,8", "stop_gradient", False),
    ("Logs", {"halved": False, "stop": True}, "logs", {}, "4,8", "stop_gradient", False),
    ("Averages", {}, "averages", {}, "6,5", "momentum", True),
    ("Tied", {}, "untied", {}, "3,6:int<20", "weights", False),
    ("Halved", {}, "again", {}, "4,8", "weights", False),
)
LATENT = (
    ("plain", {}, "plain", {"limit": 60.0}, "activation", False),
    ("plain", {}, "plain", {"penalty": "l2"}, "regularisation", True),
    ("Averages", {}, "averages", {}, "momentum", False),
)


@pytest.mark.parametrize("row", RIGHT, ids=str)
def test_what_is_right_stays_right(ask, row):
    result = ask(*row)
    assert result.verdict == "agree"
    assert not result.latent


@pytest.mark.parametrize("row", WRONG, ids=str)
def test_the_cause_is_named_and_confirmed(ask, row):
    *pair, kind, train = row
    result = ask(*pair, train=train)
    assert result.verdict == "differ"
    assert (result.causes[0].kind, result.causes[0].status) == (kind, "confirmed")


def test_of_two_stops_only_the_one_that_counts_is_named(ask):
    result = ask("Logs", {"halved": False, "stop": True}, "logs", {}, "4,8", train=False)
    assert [c.right[0] for c in result.causes] == ["model.tanh"]


@pytest.mark.parametrize("stop", [False, True])
def test_a_stop_is_no_cause_where_gradients_differ_without_it(ask, stop):
    result = ask("Logs", {"halved": True, "stop": stop}, "logs", {}, "4,8", train=False)
    assert result.verdict == "differ"
    assert not result.causes


@pytest.mark.parametrize("row", LATENT, ids=str)
def test_what_no_input_shows_is_told(ask, row):
    *pair, kind, train = row
    result = ask(*pair, "6,5" if pair[0] == "Averages" else "4,8", train=train)
    assert result.verdict == "agree"
    assert kind in [c.kind for c in result.latent]
