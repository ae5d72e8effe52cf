"""Group normalisation; instance normalisation with as many groups as channels."""

from parity.operations import norms
from parity.operations.operation import Operation, Setting, Settings, Shape
from parity.reference import layers


def _torch(settings: Settings, shape: Shape) -> str:
    channels = norms.channels(settings, shape)
    return f"nn.GroupNorm({settings['groups']}, {channels}, eps={settings['epsilon']!r})"


def _keras(settings: Settings, shape: Shape) -> str:
    lacking = norms.lacking(settings)
    epsilon = settings["epsilon"]
    return f"layers.GroupNormalization({settings['groups']}, epsilon={epsilon!r}{lacking})"


OPERATION = Operation(
    "group_norm",
    lambda s, p, x: layers.group_norm(s, p, x[0]),
    settings={
        "epsilon": norms.EPSILON,
        "scale": norms.SCALE,
        "center": norms.CENTER,
        "groups": Setting("groups", torch="num_groups", keras="groups", roles=("kernel",)),
    },
    category="norm",
    family="normalisation",
    has_channels=True,
    lines={"torch": _torch, "keras": _keras},
)
