"""Layer normalisation."""

from parity.operations import norms
from parity.operations.operation import Operation, Setting, Settings, Shape
from parity.reference import layers


def _torch(settings: Settings, shape: Shape) -> str:
    return f"nn.LayerNorm({shape[-1] if shape else 'shape'}, eps={settings['epsilon']!r})"


def _keras(settings: Settings, shape: Shape) -> str:
    lacking = norms.lacking(settings)
    return f"layers.LayerNormalization(epsilon={settings['epsilon']!r}{lacking})"


OPERATION = Operation(
    "layer_norm",
    lambda s, p, x: layers.layer_norm(s, p, x[0]),
    settings={
        "epsilon": norms.EPSILON,
        "scale": norms.ELEMENTWISE_SCALE,
        "center": norms.ELEMENTWISE_CENTER,
        "axes": norms.AXES,
        "correction": Setting("normalisation", 0),
        "epsilon_outside": Setting(
            "epsilon", False, say=lambda out: "added to the root" if out else "under the root"
        ),
    },
    category="norm",
    family="normalisation",
    on_features=True,
    lines={"torch": _torch, "keras": _keras},
)
