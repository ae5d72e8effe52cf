"""What normalisations share: an epsilon, and a factor and a summand that are learnt."""

from dataclasses import replace

from parity.operations.operation import Setting, Settings, Shape

EPSILON = Setting("epsilon", torch="eps", keras="epsilon")
SCALE = Setting(
    "affine",
    True,
    torch="affine",
    keras="scale",
    roles=("gamma",),
    say=lambda has: "gamma" if has else "no gamma",
)
CENTER = Setting(
    "affine",
    True,
    torch="affine",
    keras="center",
    roles=("beta",),
    say=lambda has: "beta" if has else "no beta",
)
ELEMENTWISE_SCALE = replace(SCALE, torch="elementwise_affine")
ELEMENTWISE_CENTER = replace(CENTER, torch="elementwise_affine")
AXES = Setting("axis", torch="dim", keras="axis", roles=("gamma", "beta"))


def channels(settings: Settings, shape: Shape) -> int | str:
    """How many there are, or the word for it where no shape is known."""
    where = 1 if settings.get("channels") == "first" else -1
    return shape[where] if len(shape) > 1 else "channels"


def lacking(settings: Settings) -> str:
    """What Keras' layer is told about a factor or summand that it has not."""
    return "".join(f", {k}=False" for k in ("center", "scale") if settings.get(k) is False)


def not_affine(settings: Settings) -> str:
    """What PyTorch's layer is told where it has neither."""
    has = settings.get("scale", True) or settings.get("center", True)
    return "" if has else ", affine=False"
