"""Outputs whose axes stand elsewhere: the same numbers are not the same outputs."""

import pytest

TORCH = """
import torch
from torch import nn

class Scores(nn.Module):
    def __init__(self, seen=True, both=False):
        super().__init__()
        self.q, self.k, self.seen, self.both = nn.Linear(8, 8), nn.Linear(8, 8), seen, both
    def forward(self, x):
        q, k = self.q(x), self.k(x)
        assert self.seen or not torch._C._is_torch_function_mode_enabled(), "listened to"
        scores = torch.tanh(q @ k.transpose(-2, -1))
        return (scores, scores.transpose(-2, -1)) if self.both else scores

class Image(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
    def forward(self, x):
        return torch.tanh(self.conv(x))

class Steps(nn.Module):
    def __init__(self, width=5):
        super().__init__()
        self.conv = nn.Conv1d(3, width, 3, padding=1)
    def forward(self, x):
        return torch.tanh(self.conv(x))
"""
KERAS = """
import keras
import tensorflow as tf
from keras import layers, ops

class Scores(keras.Model):
    def __init__(self, turned=False, both=False, hidden=False):
        super().__init__()
        self.q, self.k = layers.Dense(8), layers.Dense(8)
        self.turned, self.both, self.hidden = turned, both, hidden
    def call(self, x):
        between = self.unheard if self.hidden else self.between
        scores = between(self.q(x), self.k(x))
        other = ops.swapaxes(scores, -2, -1)
        scores, other = (other, scores) if self.turned else (scores, other)
        return (scores, other) if self.both else scores
    def between(self, q, k):
        return ops.tanh(ops.matmul(q, ops.swapaxes(k, -2, -1)))
    @tf.function
    def unheard(self, q, k):
        assert not tf.executing_eagerly(), "listened to"
        return self.between(q, k)

class Image(keras.Model):
    def __init__(self, turned=False):
        super().__init__()
        self.conv, self.turned = layers.Conv2D(4, 3, padding="same"), turned
    def call(self, x):
        y = ops.tanh(self.conv(x))
        return ops.transpose(y, (0, 2, 1, 3)) if self.turned else y

class Steps(keras.Model):
    def __init__(self, width=5):
        super().__init__()
        self.conv = layers.Conv1D(width, 3, padding="same")
    def call(self, x):
        return ops.tanh(self.conv(x))
"""
TURNED, UNSEEN, HIDDEN, BOTH = {"turned": True}, {"seen": False}, {"hidden": True}, {"both": True}
NOTED = "its axes stand in the order"
WRONG = (
    ("Scores", {}, TURNED, "3,8,8"),
    ("Scores", {}, TURNED, "6,8"),
    ("Scores", BOTH, {**TURNED, **BOTH}, "6,8"),
    ("Scores", UNSEEN, TURNED, "3,8,8"),
    ("Scores", {}, {**TURNED, **HIDDEN}, "3,8,8"),
    ("Scores", UNSEEN, {**TURNED, **HIDDEN}, "3,8,8"),
    ("Image", {}, TURNED, "2,3,7,7"),
)
RIGHT = (
    ("Scores", {}, {}, "3,8,8", False),
    ("Scores", BOTH, BOTH, "6,8", False),
    ("Scores", UNSEEN, HIDDEN, "3,8,8", False),
    ("Image", {}, {}, "2,3,7,9", False),
    ("Image", {}, {}, "2,3,4,4", True),
    ("Image", {}, TURNED, "2,3,7,9", True),
    ("Steps", {}, {}, "2,3,7", False),
    ("Steps", {"width": 7}, {"width": 7}, "2,3,7", True),
)


@pytest.mark.parametrize("row", WRONG, ids=str)
def test_axes_that_change_places_unseen_by_the_shapes_are_other_outputs(ask, row):
    name, torch, keras, shape = row
    found = ask(name, torch, name, keras, shape)
    assert found.verdict == "differ"
    # Where layers alone are seen, nothing between them can be named.
    blind = torch == UNSEEN or "hidden" in keras
    assert {c.kind for c in found.causes} & ({"unknown"} if blind else {"order", "axis"})


@pytest.mark.parametrize("row", RIGHT, ids=str)
def test_axes_where_the_layout_has_them_agree_and_odd_ones_are_noted(ask, row):
    name, torch, keras, shape, noted = row
    found = ask(name, torch, name, keras, shape)
    assert found.verdict == "agree"
    assert any(NOTED in note for note in found.notes) == noted
