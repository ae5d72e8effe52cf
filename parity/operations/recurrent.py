"""A recurrent layer: LSTM, GRU, or plain; its value is the whole sequence."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from parity.core.sides import Side
from parity.operations import windows
from parity.operations.code import changed
from parity.operations.operation import (
    Array,
    Arrays,
    Operation,
    Setting,
    Settings,
    Shape,
    Variation,
    WrittenOperation,
)
from parity.reference import layers

EVERY = ("*",)
"""All parameters of the layer."""
_ACTIVATIONS = ("tanh", "relu", "sigmoid", "hard_sigmoid", "linear", "softsign", "elu")


def _compute(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> tuple[Array, ...]:
    if settings.get("masked") and "steps" not in settings:
        raise ValueError("steps are masked")
    return layers.recurrent(settings, parameters, sources)


def _canonical(settings: dict[str, Any], rank: int) -> dict[str, Any]:
    if settings.get("cell") == "gru":
        settings.setdefault("reset_after", True)
    else:
        settings.pop("reset_after", None)
    return settings


def _variations(settings: Settings, shape: Shape) -> Iterator[Variation]:
    turned = {"backwards": not settings.get("backwards")}
    yield Variation("direction", "forwards", "backwards", turned)
    in_time = "backwards, in the order of time"
    yield Variation("direction", "forwards", in_time, turned, after=lambda out: out[:, ::-1])
    if settings["cell"] == "gru":
        after = settings.get("reset_after", True)
        yield Variation("reset_after", after, not after, {"reset_after": not after})
    for key, default in (("activation", "tanh"), ("recurrent_activation", "sigmoid")):
        own = settings.get(key) or default
        for name in _ACTIVATIONS:
            if name != own:
                yield Variation("activation", own, name, {key: name})
    if settings.get("has_state"):
        yield Variation("initial_state", "given", "zeros", {}, sources=1)


def _activation(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    if other.kind != "recurrent":
        return ""
    if side == "torch":
        return changed(mine.code, {"nonlinearity": other.settings["activation"]})
    keys = ("activation", "recurrent_activation")
    differ = [k for k in keys if mine.settings.get(k) != other.settings.get(k)]
    return changed(mine.code, {k: other.settings[k] for k in differ})


def _direction(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    both = other.settings.get("bidirectional")
    if both != mine.settings.get("bidirectional"):
        if side == "torch":
            return changed(mine.code, {"bidirectional": bool(both)})
        if both:
            units = {k: v for k, v in other.settings.items() if k == "units"}
            return f"layers.Bidirectional({changed(mine.code, units) or mine.code})"
        wrapped = re.fullmatch(r"(?:\w+\.)*Bidirectional\((.*)\)", mine.code)
        return wrapped.group(1) if wrapped else ""
    backwards = other.settings.get("backwards")
    if side == "keras" and backwards != mine.settings.get("backwards"):
        return changed(mine.code, {"go_backwards": bool(backwards)})
    return ""


def _keras(settings: Settings, shape: Shape) -> str:
    """A layer that gives the whole sequence; '' where it is more than one call."""
    name = {"lstm": "LSTM", "gru": "GRU", "rnn": "SimpleRNN"}.get(settings["cell"])
    odd = ("bidirectional", "backwards", "has_state", "masked")
    if name is None or "units" not in settings or any(settings.get(key) for key in odd):
        return ""
    arguments: dict[str, Any] = {"return_sequences": True}
    arguments |= {k: settings[k] for k in ("activation", "recurrent_activation") if k in settings}
    if not settings.get("bias", True):
        arguments["use_bias"] = False
    if settings.get("reset_after") is False:
        arguments["reset_after"] = False
    own = {"activation": "tanh", "recurrent_activation": "sigmoid"}
    said = {k: v for k, v in arguments.items() if own.get(k) != v and v is not None}
    return changed(f"layers.{name}({settings['units']})", said)


OPERATION = Operation(
    "recurrent",
    _compute,
    settings={
        "cell": Setting("operation", roles=EVERY),
        "units": Setting(
            "units",
            torch="hidden_size",
            keras="units",
            roles=("kernel", "recurrent_kernel", "bias"),
        ),
        "bias": windows.BIAS,
        "bidirectional": Setting("direction", False, torch="bidirectional", roles=EVERY),
        "backwards": Setting("direction", False, keras="go_backwards", roles=EVERY),
        "reset_after": Setting("reset_after", keras="reset_after", roles=("bias",)),
        "activation": Setting("activation", "tanh", torch="nonlinearity", keras="activation"),
        "recurrent_activation": Setting("activation", "sigmoid", keras="recurrent_activation"),
        "has_state": Setting("initial_state", False),
        "masked": Setting("mask", False),
    },
    weighted=True,
    steps_at_a_time=True,
    canonical=_canonical,
    variations=_variations,
    lines={"keras": _keras},
    corrected={"activation": _activation, "direction": _direction},
)
