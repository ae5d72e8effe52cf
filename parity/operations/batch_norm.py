"""Batch normalisation: by running statistics, in training by those of the batch."""

from collections.abc import Iterator

from parity.core.sides import Side
from parity.operations import norms
from parity.operations.code import changed
from parity.operations.operation import (
    Operation,
    Setting,
    Settings,
    Shape,
    Variation,
    WrittenOperation,
)
from parity.reference import layers


def _variations(settings: Settings, shape: Shape) -> Iterator[Variation]:
    other = {"training": not settings.get("training")}
    yield Variation("normalisation", "running statistics", "batch statistics", other)


def _torch(settings: Settings, shape: Shape) -> str:
    rank = max(len(shape) - 2, 1)
    momentum = round(1 - settings.get("momentum", 0.9), 12)
    return (
        f"nn.BatchNorm{rank}d({norms.channels(settings, shape)}, eps={settings['epsilon']!r}, "
        f"momentum={momentum!r}{norms.not_affine(settings)})"
    )


def _keras(settings: Settings, shape: Shape) -> str:
    momentum = round(settings.get("momentum", 0.9), 12)
    return (
        f"layers.BatchNormalization(momentum={momentum!r}, "
        f"epsilon={settings['epsilon']!r}{norms.lacking(settings)})"
    )


def _momentum(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    """PyTorch states the weight of the new statistics, Keras that of the old."""
    old = other.settings.get("momentum")
    if old is None:
        return ""
    return changed(mine.code, {"momentum": round(1 - old if side == "torch" else old, 12)})


OPERATION = Operation(
    "batch_norm",
    lambda s, p, x: layers.batch_norm(s, p, x[0], training=False),
    settings={
        "epsilon": norms.EPSILON,
        "scale": norms.SCALE,
        "center": norms.CENTER,
        "momentum": Setting("momentum"),
        "tracked": Setting("normalisation", True),
        "training": Setting("normalisation", False),
    },
    category="norm",
    family="normalisation",
    has_channels=True,
    on_features=True,
    variations=_variations,
    lines={"torch": _torch, "keras": _keras},
    corrected={"momentum": _momentum},
)
