"""Which settings of a matched pair differ, read and brought to one form; nothing is computed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from parity.checker.graph.graph import Node
from parity.diagnosis.causes import Suspicion
from parity.reference import activations

ARITHMETIC = ("add", "subtract", "multiply", "divide", "power", "maximum", "minimum")
NORMS = ("batch_norm", "layer_norm", "group_norm", "rms_norm")
POOLS = ("pool", "adaptive_pool", "reduce")

_WINDOW: dict[str, str] = {
    "stride": "stride",
    "dilation": "dilation",
    "groups": "groups",
    "bias": "bias",
}
_NORM: dict[str, str] = {"epsilon": "epsilon", "scale": "affine", "center": "affine"}
CAUSE_OF: dict[str, dict[str, str]] = {
    "convolution": {**_WINDOW, "kernel": "kernel_size", "padding": "padding", "mode": "padding"},
    "transposed": {**_WINDOW, "kernel": "kernel_size", "crop": "padding"},
    "dense": {"units": "units", "bias": "bias"},
    "batch_norm": {
        **_NORM,
        "momentum": "momentum",
        "tracked": "normalisation",
        "training": "normalisation",
    },
    "layer_norm": {
        **_NORM,
        "axes": "axis",
        "correction": "normalisation",
        "epsilon_outside": "epsilon",
    },
    "group_norm": {**_NORM, "groups": "groups"},
    "rms_norm": {**_NORM, "axes": "axis"},
    "pool": {
        "mode": "pooling",
        "kernel": "pooling",
        "stride": "stride",
        "dilation": "dilation",
        "padding": "padding",
        "pad_value": "padding",
        "counts_padding": "padding_counted",
        "ceil_mode": "padding_counted",
        "divisor": "pooling",
    },
    "adaptive_pool": {"mode": "pooling", "output": "pooling"},
    "reduce": {
        "mode": "operation",
        "axes": "axis",
        "keepdims": "axis",
        "correction": "operation",
        "order": "operation",
    },
    "resize": dict.fromkeys(
        (
            "size",
            "mode",
            "align_corners",
            "antialias",
            "cubic",
            "fractional",
            "half_pixel",
            "scale",
        ),
        "resize",
    ),
    "pad": {"padding": "padding", "mode": "padding", "value": "padding"},
    "embedding": {
        "rows": "units",
        "size": "units",
        "zero_index": "mask_zero",
        "mask_zero": "mask_zero",
    },
    "recurrent": {
        "cell": "operation",
        "units": "units",
        "bias": "bias",
        "bidirectional": "direction",
        "backwards": "direction",
        "reset_after": "reset_after",
        "activation": "activation",
        "recurrent_activation": "activation",
        "has_state": "initial_state",
        "masked": "mask",
    },
    "matmul": {"transpose_left": "operation", "transpose_right": "operation", "scale": "scale"},
    "concatenate": {"axis": "axis"},
    "stack": {"axis": "axis"},
    "affine": {"scale": "scale", "offset": "offset", "axis": "axis", "steps": "constant"},
    "einsum": {"equation": "operation"},
    "unary": {"name": "operation"},
    "cumulative": {"name": "operation", "axis": "axis"},
    "gather": {"axis": "axis"},
    "compare": {"name": "operation", "scalar": "constant"},
    "where": {"then": "constant", "otherwise": "constant"},
    "dropout": {"rate": "dropout", "noise": "dropout", "active": "dropout"},
}
"""Kind of node → setting → kind of cause. Settings not listed here are not compared."""

_DEFAULTS: dict[str, dict[str, Any]] = {
    "convolution": {"groups": 1, "mode": "zeros", "bias": True},
    "transposed": {"groups": 1, "bias": True},
    "dense": {"bias": True},
    "batch_norm": {"scale": True, "center": True, "tracked": True, "training": False},
    "layer_norm": {"scale": True, "center": True, "correction": 0, "epsilon_outside": False},
    "group_norm": {"scale": True, "center": True},
    "rms_norm": {"scale": True},
    "pool": {"counts_padding": False, "ceil_mode": False, "divisor": None},
    "reduce": {"keepdims": False, "correction": 0, "order": 2.0},
    "resize": {"align_corners": False, "antialias": False, "half_pixel": True, "scale": None},
    "pad": {"mode": "zeros", "value": 0.0},
    "embedding": {"mask_zero": False},
    "recurrent": {
        "bias": True,
        "bidirectional": False,
        "backwards": False,
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "has_state": False,
        "masked": False,
    },
    "matmul": {"transpose_left": False, "transpose_right": False, "scale": 1.0},
    "dropout": {"active": False, "noise": "dropout"},
    "affine": {"scale": 1.0, "offset": 0.0},
}
_ROLES = {
    ("kernel_size",): ("kernel",),
    ("groups",): ("kernel",),
    ("bias",): ("bias",),
    ("units",): ("kernel", "recurrent_kernel", "bias", "embeddings"),
    ("reset_after",): ("bias",),
    ("axis",): ("gamma", "beta"),
}


def same(a: Any, b: Any) -> bool:
    """Equal settings: numbers to float32, sequences element by element; NaN is NaN."""
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    number = (int, float)
    if isinstance(a, number) and isinstance(b, number):
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=0.0) or (math.isnan(a) and math.isnan(b))
    return bool(a == b)


def canonical(
    node: Node, *, axes: Sequence[int] | None = None, channels: str | None = None
) -> dict[str, Any]:
    """A node's settings in one form, so that equal ones are equal.

    Args:
        node: of either side.
        axes: where each axis of the node's first source lies on the other side.
        channels: where the other side has its channels.

    Returns:
        The settings, with what is not stated filled in, no negative axes, and sequences as tuples.
    """
    settings = {**_DEFAULTS.get(node.kind, {}), **{k: _tuple(v) for k, v in node.settings.items()}}
    rank = len(node.sources[0].shape) if node.sources else 0
    if node.kind == "activation":
        settings = _activation(settings)
    if node.kind in ("convolution", "transposed", "pool"):
        _fill_window(node.kind, settings)
    if channels is not None and "channels" in settings:
        settings["channels"] = channels
    _move_axes(node.kind, settings, rank + (node.kind == "stack"), axes)
    if node.kind == "resize":
        single = bool(settings.get("single"))
        if settings.get("mode") == "bicubic":
            settings.setdefault("cubic", -0.5 if single or settings["antialias"] else -0.75)
        if settings.get("mode") == "area":
            settings.setdefault("fractional", single)
    if node.kind == "pad" and settings.get("mode") == "constant":
        settings["mode"] = "zeros"
    if node.kind == "recurrent" and settings.get("cell") != "gru":
        settings.pop("reset_after", None)
    elif node.kind == "recurrent":
        settings.setdefault("reset_after", True)
    if node.kind in ARITHMETIC and isinstance(settings.get("scalar_left"), float | int):
        settings.update(_scalar(settings))
    return settings


def _tuple(value: Any) -> Any:
    return tuple(_tuple(v) for v in value) if isinstance(value, (list, tuple)) else value


def _scalar(settings: Mapping[str, Any]) -> dict[str, Any]:
    left = settings["scalar_left"]
    if isinstance(left, bool):
        return {"scalar_left": left}
    return {"scalar": left, "scalar_left": True}


def _fill_window(kind: str, settings: dict[str, Any]) -> None:
    kernel = settings.get("kernel")
    if kernel is None:
        return
    blank = {
        "stride": tuple(kernel) if kind == "pool" else (1,) * len(kernel),
        "dilation": (1,) * len(kernel),
        "crop" if kind == "transposed" else "padding": ((0, 0),) * len(kernel),
    }
    for key, value in blank.items():
        if settings.get(key) is None:
            settings[key] = value
    plain = kind == "pool" and not any(b or a for b, a in settings["padding"])
    if plain or settings.get("mode") == "max":
        settings.pop("counts_padding", None)
        settings.pop("ceil_mode", None)
    if kind == "pool" and settings.get("mode") == "max":
        settings.setdefault("pad_value", -math.inf)


def _move_axes(kind: str, settings: dict[str, Any], rank: int, axes: Sequence[int] | None) -> None:
    moved = axes if axes is not None and len(axes) == rank else range(rank)
    if isinstance(settings.get("axes"), tuple) and rank:
        settings["axes"] = tuple(sorted(moved[a % rank] for a in settings["axes"]))
    if settings.get("axes", 0) is None and kind == "reduce":
        settings["axes"] = tuple(range(rank))
    if isinstance(settings.get("axis"), int) and rank:
        settings["axis"] = moved[settings["axis"] % rank]
    if kind == "pad" and rank and len(settings.get("padding", ())) == rank:
        padding: list[Any] = [None] * rank
        for at, pair in enumerate(settings["padding"]):
            padding[moved[at]] = pair
        settings["padding"] = tuple(padding)


def _activation(settings: Mapping[str, Any]) -> dict[str, Any]:
    """One name for what is the same function."""
    name = settings.get("name")
    unsaid = ("channels", "threshold") if name == "softplus" else ("channels",)
    shown = {k: settings[k] for k in unsaid if k in settings}
    wanted = activations.PARAMETERS.get(str(name), ())
    more = {
        **activations.DEFAULTS.get(str(name), {}),
        **{k: settings.get(k) for k in wanted if settings.get(k) is not None},
    }
    if name == "hard_tanh":
        name = "clip"
    if name == "clip":
        low, high = more.get("low"), more.get("high")
        limits = (0, None, 0, 6)
        if low == limits[0] and high is None:
            name, more = "relu", {}
        elif (low, high) == limits[2:]:
            name, more = "relu6", {}
        else:
            more = {"low": low, "high": high}
    if name == "leaky_relu" and more.get("slope") == 0:
        name, more = "relu", {}
    if name == "celu" and more.get("alpha") == 1:
        name = "elu"
    if name == "identity":
        name = "linear"
    return {"name": name, **more, **shown}


def differing(
    left: Node, right: Node, *, axes: Sequence[int] | None = None
) -> tuple[Suspicion, ...]:
    """What differs in the settings of a matched pair.

    Args:
        left, right: the nodes.
        axes: ``axes[i]`` is the right side's axis for the left's axis i of the first source; None
            where both count alike.

    Returns:
        One suspicion for each thing that differs, most telling first; a difference of layout
        (``channels``) is none.
    """
    channels = right.settings.get("channels")
    a, b = canonical(left, axes=axes, channels=channels), canonical(right)
    if left.kind != right.kind:
        return (_another_kind(left, right, a, b), *_precision(left, right))
    suspicions: list[Suspicion] = []
    if left.kind == "activation":
        suspicions += _activations(a, b)
    elif left.kind in ARITHMETIC:
        suspicions += _numbers(left, right, a, b)
    else:
        suspicions += _settings(left, right, a, b)
    return (*suspicions, *_precision(left, right))


def _settings(
    left: Node, right: Node, a: Mapping[str, Any], b: Mapping[str, Any]
) -> list[Suspicion]:
    gathered: dict[str, list[str]] = {}
    for key, cause in CAUSE_OF.get(left.kind, {}).items():
        # A setting that only one side states is known to be different nowhere.
        if key in a and key in b and not same(a[key], b[key]):
            word = _pooled(cause, key, left)
            gathered.setdefault(f"{word}/{_together(left.kind, key)}", []).append(key)
    have = set(left.parameters) | set(right.parameters)
    suspicions = []
    for label, keys in gathered.items():
        kind = label.split("/")[0]
        roles = _ROLES.get((kind,), ()) + tuple(
            role
            for key, role in (("scale", "gamma"), ("center", "beta"))
            if kind == "affine" and key in keys
        )
        if left.kind == "recurrent" and kind in ("operation", "direction"):
            roles = tuple(have)
        chosen = tuple(r for r in have if any(r == w or r.endswith(f"ward_{w}") for w in roles))
        values = [_value(settings, keys) for settings in (a, b)]
        if kind == "affine":
            name = "gamma" if "scale" in keys else "beta"
            values = [name if value else f"no {name}" for value in values]
        if keys == ["epsilon_outside"]:
            values = ["added to the root" if value else "under the root" for value in values]
        suspicions.append(Suspicion(kind, values[0], values[1], tuple(keys), tuple(sorted(chosen))))
    return suspicions


def _together(kind: str, key: str) -> str:
    """Settings that only make sense together are replaced together."""
    if kind in ("convolution", "pad", "resize", "adaptive_pool", "reduce") and key != "axes":
        return kind
    if kind == "pool" and key in ("counts_padding", "ceil_mode"):
        return "counting"
    return "padding" if kind == "pool" and key == "pad_value" else key


def _pooled(cause: str, key: str, node: Node) -> str:
    """A reduction over all of space is a global pooling."""
    rank = len(node.sources[0].shape) if node.sources else 0
    axes = node.settings.get("axes")
    spatial = (
        axes is not None
        and rank >= 3
        and {a % rank for a in axes}
        in (
            set(range(1, rank - 1)),
            set(range(2, rank)),
        )
    )
    return "pooling" if node.kind == "reduce" and key == "mode" and spatial else cause


def _value(settings: Mapping[str, Any], keys: Sequence[str]) -> Any:
    if [*keys] == ["pad_value"]:
        return f"filled with {settings['pad_value']:g}"
    return settings[keys[0]] if len(keys) == 1 else {k: settings[k] for k in keys}


def _activations(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Suspicion]:
    a, b = (activations.spoken(s) for s in (a, b))
    if same(a, b):
        return []
    keys = tuple(dict.fromkeys([*a, *b]))
    if a["name"] == b["name"] and {k for k in keys if not same(a.get(k), b.get(k))} == {"axis"}:
        return [Suspicion("axis", a["axis"], b["axis"], ("axis",))]
    roles = ("alpha",) if "prelu" in (a["name"], b["name"]) else ()
    return [Suspicion("activation", a, b, keys, roles)]


def _numbers(
    left: Node, right: Node, a: Mapping[str, Any], b: Mapping[str, Any]
) -> list[Suspicion]:
    suspicions = []
    if not same(a.get("scalar"), b.get("scalar")):
        kind = {"add": "offset", "subtract": "offset", "multiply": "scale", "divide": "scale"}
        suspicions.append(
            Suspicion(
                kind.get(left.kind, "constant"), a.get("scalar"), b.get("scalar"), ("scalar",)
            )
        )
    if bool(a.get("scalar_left")) != bool(b.get("scalar_left")) and left.kind in (
        "subtract",
        "divide",
        "power",
    ):
        sides = {False: "number right", True: "number left"}
        suspicions.append(
            Suspicion(
                "order",
                sides[bool(a.get("scalar_left"))],
                sides[bool(b.get("scalar_left"))],
                ("scalar_left",),
            )
        )
    return suspicions


def _another_kind(left: Node, right: Node, a: Mapping[str, Any], b: Mapping[str, Any]) -> Suspicion:
    kinds = {left.kind, right.kind}
    word = "operation"
    if kinds <= set(NORMS):
        word = "normalisation"
    elif kinds <= set(POOLS):
        word = "pooling"
    elif kinds <= {"batch_norm", "affine"}:
        word = "normalisation"
    return Suspicion(word, operation_text(left.kind, a), operation_text(right.kind, b), whole=True)


def operation_text(kind: str, settings: Mapping[str, Any]) -> str:
    """An operation in a few words: ``average pool``, ``gelu``, ``layer_norm``."""
    name = settings.get("name") or settings.get("mode") or settings.get("cell")
    if kind in ("activation", "unary", "opaque", "cumulative"):
        return str(name or kind)
    return f"{name} {kind}" if name and kind in (*POOLS, "recurrent", "resize") else kind


def _precision(left: Node, right: Node) -> tuple[Suspicion, ...]:
    kinds = [node.values[0].dtype if node.values else "" for node in (left, right)]
    if kinds[0] == kinds[1] or not all("float" in kind for kind in kinds):
        return ()
    return (Suspicion("precision", kinds[0], kinds[1]),)
