"""Which settings of a matched pair differ, read and brought to one form; nothing is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from parity.checker.graph.graph import Node
from parity.operations.known import operation
from parity.operations.operation import Operation, Suspicion


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
    known = operation(node.kind)
    settings = {**known.defaults, **{k: _tuple(v) for k, v in node.settings.items()}}
    rank = len(node.sources[0].shape) if node.sources else 0
    settings = known.canonical(settings, rank)
    if channels is not None and "channels" in settings:
        settings["channels"] = channels
    _move_axes(known, settings, rank + known.new_axes, axes)
    return settings


def _tuple(value: Any) -> Any:
    return tuple(_tuple(v) for v in value) if isinstance(value, (list, tuple)) else value


def _move_axes(
    known: Operation, settings: dict[str, Any], rank: int, axes: Sequence[int] | None
) -> None:
    moved = axes if axes is not None and len(axes) == rank else range(rank)
    if isinstance(settings.get("axes"), tuple) and rank:
        settings["axes"] = tuple(sorted(moved[a % rank] for a in settings["axes"]))
    if isinstance(settings.get("axis"), int) and rank:
        settings["axis"] = moved[settings["axis"] % rank]
    for key in known.per_axis:
        if rank and len(settings.get(key, ())) == rank:
            entries: list[Any] = [None] * rank
            for at, entry in enumerate(settings[key]):
                entries[moved[at]] = entry
            settings[key] = tuple(entries)


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
    roles = set(left.parameters) | set(right.parameters)
    shape = left.sources[0].shape if left.sources else ()
    suspicions = operation(left.kind).differing(a, b, roles, shape)
    return (*suspicions, *_precision(left, right))


def _another_kind(left: Node, right: Node, a: Mapping[str, Any], b: Mapping[str, Any]) -> Suspicion:
    kinds = {left.kind, right.kind}
    families = {operation(kind).family for kind in kinds}
    word = families.pop() if len(families) == 1 else "operation"
    if kinds == {"batch_norm", "affine"}:
        word = "normalisation"
    return Suspicion(word, operation_text(left.kind, a), operation_text(right.kind, b), whole=True)


def operation_text(kind: str, settings: Mapping[str, Any]) -> str:
    """An operation in a few words: ``average pool``, ``gelu``, ``layer_norm``."""
    name = settings.get("name") or settings.get("mode") or settings.get("cell")
    if kind in ("activation", "unary", "opaque", "cumulative"):
        return str(name or kind)
    both = operation(kind).family == "pooling" or kind in ("recurrent", "resize")
    return f"{name} {kind}" if name and both else kind


def _precision(left: Node, right: Node) -> tuple[Suspicion, ...]:
    kinds = [node.values[0].dtype if node.values else "" for node in (left, right)]
    if kinds[0] == kinds[1] or not all("float" in kind for kind in kinds):
        return ()
    return (Suspicion("precision", kinds[0], kinds[1]),)
