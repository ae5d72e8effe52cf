"""What can be the cause of a difference: its kinds, its data, and its JSON.

`parity check` and `parity run` name causes with the same words.
"""

from __future__ import annotations

import ast
import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from parity.diagnosis.edits import Edit

KINDS: dict[str, str] = {
    "epsilon": "What a normalisation adds to the variance before it divides.",
    "momentum": "How much of the old running statistics a batch norm keeps.",
    "padding": "How much is added around the input, where, and with what.",
    "stride": "How far a window moves from one output to the next.",
    "kernel_size": "How large the window of a convolution is.",
    "dilation": "How far apart the places of a window are.",
    "groups": "Into how many groups the channels are divided, or the features into heads.",
    "activation": "Another activation, another slope or alpha, one too many, or none.",
    "bias": "A bias is missing on one side, or is not used.",
    "kernel_order": "The elements of a kernel stand in another order (flipped or transposed).",
    "flatten_order": "An image was flattened channels first on one side only.",
    "axis": "An operation goes along another axis.",
    "pooling": "Maximum against average, or another window.",
    "padding_counted": "Whether an average counts the zeros of the padding.",
    "resize": "How an image is enlarged or reduced: method, corners, antialiasing, size.",
    "normalisation": "Another kind of normalisation, or of its statistics.",
    "dropout": "Rate or kind of dropout differ, or it is active where it should not be.",
    "missing_layer": "A layer that the left side has is missing on the right.",
    "extra_layer": "The right side has a layer that the left has not, or applies one twice.",
    "scale": "A factor differs.",
    "offset": "A summand differs.",
    "units": "A layer has another width.",
    "gate_order": "The gates of a recurrent layer stand in another order.",
    "reset_after": "Whether a GRU resets after or before the matrix product.",
    "direction": "A recurrent layer runs backwards, or both ways, on one side only.",
    "initial_state": "A recurrent layer starts from another state.",
    "mask": "Some steps or scores are masked on one side only.",
    "mask_zero": "What an embedding does with row 0, or with a padding index.",
    "frozen": "A weight is trained on one side only.",
    "stop_gradient": "The gradient is stopped (detach, stop_gradient) on one side only.",
    "regularisation": "A penalty or a constraint on weights or outputs that Keras' fit applies.",
    "affine": "A normalisation lacks its gamma or beta, or has them swapped.",
    "order": "The operands stand in another order.",
    "wiring": "An operand comes from another place of the model.",
    "weights": "The weights themselves differ.",
    "constant": "A number in the code differs.",
    "precision": "One side computes in a lower precision.",
    "loss": "Another loss function, or another reduction of it.",
    "optimizer": "Another optimizer, or one with other settings.",
    "operation": "Another operation stands at this place.",
    "transposed": "The axes stand in another order.",
    "shift": "All elements stand some places further along an axis.",
    "reordered": "The same numbers stand in another order.",
    "element": "A single element differs.",
    "zero": "One side is zero everywhere: dropped, or never computed.",
    "unknown": "Nothing that was tried explains the difference.",
}
"""Kind → what it means, in one sentence."""

Status = Literal["confirmed", "suspected"]
Proof = Literal["recomputed", "values", "state", "bypass", "settings", "none"]


@dataclass(frozen=True)
class Cause:
    """Why a pair differs.

    Attributes:
        kind: a key of `KINDS`.
        left, right: (name of the layer or of the recorded key, value as text or as data).
        status: confirmed where the recomputed layer no longer differs, or where the settings
            themselves are the difference (proof ``settings``); else suspected.
        residual_ratio: distance that is left after the repair over the bound; at most 1 where
            confirmed. None where nothing was computed.
        share: how much of the distance goes with this cause: 1 where it is the only one; among
            several, how much remains if this one alone is not repaired.
        proof: ``recomputed`` by the reference, ``values`` of outputs alone, ``bypass`` of a
            layer, ``settings`` as they were read, or ``none``.
        fix: the corrected line of code.
        edit: the same as data, where the line does not say all; counts only while `fix` is its
            text.
        fix_side: whose line it is.
        layers: in how many pairs the same cause was found.
        places: (left, right) names of all of them, in order.
    """

    kind: str
    left: tuple[str, Any]
    right: tuple[str, Any]
    status: Status = "suspected"
    residual_ratio: float | None = None
    share: float | None = None
    proof: Proof = "none"
    fix: str = ""
    edit: Edit | None = None
    fix_side: Literal["left", "right"] = "right"
    layers: int = 1
    places: tuple[tuple[str, str], ...] = field(default=())

    @property
    def corrected(self) -> tuple[str, Any]:
        """The layer or key whose line it is, and its value."""
        return self.right if self.fix_side == "right" else self.left

    @property
    def confirmed(self) -> bool:
        """Whether it was proven."""
        return self.status == "confirmed"


def group(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """One cause for all layers that have the same one, in the order of the first of each.

    The numbers are the worst of the group; layers and the line of code are the first's.
    """
    groups: dict[tuple[str, str, str, Status, str], list[Cause]] = {}
    for cause in causes:
        key = (cause.kind, cause.left[1], cause.right[1], cause.status, cause.fix_side)
        groups.setdefault(key, []).append(cause)
    return tuple(_merged(members) for members in groups.values())


def _merged(members: Sequence[Cause]) -> Cause:
    first = members[0]
    ratios = [c.residual_ratio for c in members if c.residual_ratio is not None]
    shares = [c.share for c in members if c.share is not None]
    places = tuple(p for c in members for p in (c.places or ((c.left[0], c.right[0]),)))
    return replace(
        first,
        residual_ratio=max(ratios, default=None),
        share=min(shares, default=None),
        layers=sum(c.layers for c in members),
        places=places,
    )


def value_text(value: Any) -> str:
    """A setting as people write it: ``0.001``, ``[1, 1]``, ``leaky_relu(slope=0.3)``, ``none``."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        named = dict(value)
        name = str(named.pop("name", ""))
        rest = ", ".join(f"{k}={value_text(v)}" for k, v in named.items() if v is not None)
        return f"{name}({rest})" if name and rest else name or rest
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(value_text(v) for v in value) + "]"
    return str(value)


_WORDS = {"yes": True, "no": False, "none": None}


def cause_json(cause: Cause, sides: tuple[str, str]) -> dict[str, Any]:
    """A cause as every JSON document has it.

    Args:
        cause: what was found.
        sides: how the document calls the left and the right side, ``torch`` and ``keras`` say.
    """
    left, right = (
        {"layer": layer, "value": plain(value)} for layer, value in (cause.left, cause.right)
    )
    return {
        "kind": cause.kind,
        sides[0]: left,
        sides[1]: right,
        "layers": cause.layers,
        "status": cause.status,
        "residual_ratio": _finite(cause.residual_ratio),
        "share": _finite(cause.share),
        "fix": cause.fix,
    }


def _finite(value: float | None) -> float | None:
    """JSON has no NaN and no infinity."""
    return value if value is not None and math.isfinite(value) else None


def plain(value: Any) -> Any:
    """A value as JSON has it: numbers, lists, objects, true, false and null; else its words.

    A text that is one of these is read: ``[1, 1]``, ``0.001``, ``yes``, ``none``.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {key: plain(part) for key, part in dataclasses.asdict(value).items()}
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if not isinstance(value, str):
        return _finite(value) if isinstance(value, float) else value
    if value in _WORDS:
        return _WORDS[value]
    try:
        read = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
    return read if isinstance(read, (int, float, list)) else value
