"""A pool of a given number of windows, which may overlap."""

from parity.operations import pool
from parity.operations.operation import Operation, Setting
from parity.reference import spatial

OPERATION = Operation(
    "adaptive_pool",
    lambda s, p, x: spatial.adaptive_pool(s, x[0]),
    settings={
        "mode": Setting("pooling", group="windows"),
        "output": Setting("pooling", group="windows"),
    },
    category="pool",
    family="pooling",
    has_channels=True,
    corrected={"pooling": pool.swapped},
)
