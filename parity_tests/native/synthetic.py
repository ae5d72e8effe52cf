"""Summaries of a sweep that was never run, with effects that are known."""

import numpy as np

from parity.core.sides import SIDES
from parity.native.settings import plan
from parity.native.summary import Summary
from shared.suite import SUITE

PRICES = {"initialiser": 3.0, "optimizer": -1.0, "shuffling": 0.5, "fit": 0.0}
"""Points that a default of PyTorch's own costs in accuracy; Keras' own cost a third of it."""


def accuracy(known, setting, seed, spread):
    """80 % less what is native; the other's default costs the other side's price."""
    scale = {"torch": 1.0, "keras": 1 / 3}
    luck = np.random.default_rng([seed, 1]).normal(0, 1)  # shared by all settings of a seed
    own = np.random.default_rng([seed, len(setting.name), known.side == "keras"]).normal(0, spread)
    lost = sum(PRICES[name] * scale[known.side] for name in setting.native)
    other = {"torch": "keras", "keras": "torch"}[known.side]
    lost += sum(PRICES[name] * scale[other] for name in setting.other)
    return (80 - lost + luck + own) / 100


def summaries(example="fashion_mlp", seeds=12, spread=0.05, pair=""):
    """A whole sweep of one example."""
    made = []
    for side in SIDES:
        known = plan(SUITE, example, side, pair)
        for setting in known.settings:
            for seed in range(1, seeds + 1):
                share = accuracy(known, setting, seed, spread)
                made.append(
                    Summary(
                        example,
                        known.pair,
                        side,
                        setting.name,
                        seed,
                        share,
                        2 - 2 * share,
                        (share, float("nan")),
                        np.zeros(10_000, np.uint8),
                        (1.0, 0.5),
                        0.1 * len(setting.native),
                        1.0,
                    )
                )
    return made


def sweep(verdict="equal", example="fashion_mlp", **more):
    """What a sweep prints as JSON."""
    low, high = {"equal": (-0.2, 0.3), "different": (0.9, 1.6), "undecided": (-0.4, 1.2)}[verdict]
    row = {
        "example": example,
        "division": "native",
        "seeds": 12,
        "margin": 0.5,
        "gap": {"mean": (low + high) / 2, "low": low, "high": high},
        "verdict": verdict,
    }
    return {"format": 2, "examples": [row | more], "jobs": {"done": 24, "reused": 0, "failed": 0}}
