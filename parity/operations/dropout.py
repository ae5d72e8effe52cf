"""Dropout and its relatives, whose value is their input: numbers are compared without the draw."""

from parity.operations.operation import Operation, Setting

OPERATION = Operation(
    "dropout",
    lambda s, p, x: x[0],
    settings={
        "rate": Setting("dropout", torch="p", keras="rate"),
        "noise": Setting("dropout", "dropout"),
        "active": Setting("dropout", False),
    },
    lines={
        "torch": lambda s, shape: f"nn.Dropout({s['rate']!r})",
        "keras": lambda s, shape: f"layers.Dropout({s['rate']!r})",
    },
)
