"""Normalisation by the root mean square."""

from parity.operations import norms
from parity.operations.operation import Operation, Settings, Shape
from parity.reference import layers


def _torch(settings: Settings, shape: Shape) -> str:
    return f"nn.RMSNorm({shape[-1] if shape else 'shape'}, eps={settings['epsilon']!r})"


OPERATION = Operation(
    "rms_norm",
    lambda s, p, x: layers.rms_norm(s, p, x[0]),
    settings={"epsilon": norms.EPSILON, "scale": norms.ELEMENTWISE_SCALE, "axes": norms.AXES},
    category="norm",
    family="normalisation",
    on_features=True,
    lines={
        "torch": _torch,
        "keras": lambda s, shape: f"layers.RMSNormalization(epsilon={s['epsilon']!r})",
    },
)
