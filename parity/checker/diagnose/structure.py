"""Causes that are read off the two graphs: what only one side has, or takes from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.judge.attribution import LayerAttribution, LayerStatus
from parity.checker.judge.comparing import MASKED_KINDS, MASKING
from parity.checker.judge.judging import CheckFindings
from parity.checker.result.causes import Cause, Status
from parity.checker.transfer.mapping import WeightMapping
from parity.checker.transfer.subject import Subject
from parity.core.sides import Side


def structural(stands: LayerAttribution, stand: LayerStatus) -> Iterator[Cause]:
    """The pair agrees when it is fed what its partner takes: what it takes is the cause."""
    subject = stands.subject
    match, alone = stand.match, stand.alone if stand.standing == "follows" else None
    status: Status = "suspected" if alone is None else "confirmed"
    ratio = alone.ratio if alone else None
    share = None if alone is None else 1.0
    consumer = (match.left.name, match.right.name)
    for name in stand.between[0]:
        layer = next(n for n in subject.torch.nodes if n.name == name)
        yield Cause(
            "mask" if _is_mask(stands, "torch", layer) else "missing_layer",
            (name, layer.code or layer.kind),
            (f"(before {consumer[1]})", "none"),
            status,
            ratio,
            share,
            "bypass",
            fix=missing(layer, consumer[1]),
        )
    for name in stand.between[1]:
        layer = next(n for n in subject.keras.nodes if n.name == name)
        yield Cause(
            "mask" if _is_mask(stands, "keras", layer) else "extra_layer",
            (f"(before {consumer[0]})", "none"),
            (name, layer.code or layer.kind),
            status,
            ratio,
            share,
            "bypass",
            fix=f"# without {layer.code or name}",
        )
    if not any(stand.between) and stand.rewired:
        mine, theirs = stand.rewired
        yield Cause(
            stand.rewired_kind,
            (match.left.name, mine),
            (match.right.name, theirs),
            status,
            ratio,
            share,
            "bypass",
            fix=f"{match.right.code}  # it must take {mine}" if match.right.code else "",
        )


def _is_mask(stands: LayerAttribution, side: Side, layer: CanonicalNode) -> bool:
    """Whether all that it does is to say "not this one" of some numbers."""
    run = stands.recorded.runs.get((side, "float32"), {})
    value = run.get(f"values/{layer.value}")
    return layer.kind in MASKED_KINDS and value is not None and bool(np.any(value < MASKING))


def missing(layer: CanonicalNode, before: str) -> str:
    """What to write where a layer is missing."""
    return f"# before {before}, as in PyTorch: {layer.code or layer.kind}"


def at_outputs(subject: Subject, stands: LayerAttribution) -> Iterator[Cause]:
    """An operation at the very end that only one side has: nothing comes behind it."""
    for lost in stands.lost_at_outputs():
        side, name, code, ratio = lost
        if side == "torch":
            yield Cause(
                "missing_layer",
                (name, code),
                ("(output)", "none"),
                "confirmed",
                ratio,
                1.0,
                "bypass",
                fix=f"# at the end, as in PyTorch: {code}",
            )
        else:
            yield Cause(
                "extra_layer",
                ("(output)", "none"),
                (name, code),
                "confirmed",
                ratio,
                1.0,
                "bypass",
                fix=f"# without {code}",
            )


def reordered(subject: Subject, stands: LayerAttribution) -> Iterator[Cause]:
    """All layers agree, and the outputs are their numbers in another order."""
    for left, right, kind in subject.reordered():
        maker = next((n for n in subject.torch.nodes if n.name == left), None)
        finding = stands.layers.get(maker.id) if maker else None
        if finding is not None and finding.agrees:
            yield Cause(
                kind,
                (left, "its numbers in one order"),
                (right, "in another"),
                "confirmed",
                finding.ratio,
                1.0,
                "values",
            )


def unshared(subject: Subject, judged: CheckFindings) -> Iterator[Cause]:
    """One weight on one side, used twice, is two on the other: seen where gradients part."""
    failing = {p.torch for p in judged.parts if p.stage == "gradients" and not p.finding.agrees}
    failing |= {p.keras for p in judged.parts if p.stage == "gradients" and not p.finding.agrees}
    for mine in (True, False):
        groups: dict[str, dict[str, WeightMapping]] = {}
        for one in subject.across.tied:
            roots = _whole(subject.torch, one.left.id), _whole(subject.keras, one.right.id)
            key, other = roots if mine else roots[::-1]
            groups.setdefault(key, {})[other] = one
        for key, others in groups.items():
            names = [o.left.id if mine else o.right.id for o in others.values()]
            normal = subject.torch if mine else subject.keras
            if len(others) < 2 or not {key, *names} & failing or not _overlapping(normal, names):
                continue
            first = next(iter(others.values()))
            told = (f"one {first.role}, used {len(others)} times", f"{len(others)} of their own")
            left, right = told if mine else told[::-1]
            yield Cause(
                "weights",
                (first.pair.left.name, left),
                (first.pair.right.name, right),
                "confirmed",
                None,
                1.0,
                "settings",
            )


def _whole(normal: CanonicalGraph, name: str) -> str:
    """The weight of the model that a piece of one, or another form of it, is taken from."""
    source = normal.pieces.get(f"parameter:{name}")
    return name if source is None else source.value.removeprefix("parameter:")


def _overlapping(normal: CanonicalGraph, names: Sequence[str]) -> bool:
    """Whether some element is used twice: the parts of a fused weight are no uses of one."""
    if len(set(names)) < len(names):
        return True
    pieces = [normal.pieces.get(f"parameter:{name}") for name in names]
    if any(p is None or not p.ids for p in pieces):
        return True
    picks = np.concatenate([normal.ids[p.ids].reshape(-1) for p in pieces if p is not None])
    return len(np.unique(picks)) < len(picks)


def frozen(judged: CheckFindings) -> Iterator[Cause]:
    """Weights that one side trains and the other does not."""
    for part in judged.parts:
        if part.finding.rule == "frozen":
            left, right = part.torch.rpartition("/")[0], part.keras.rpartition("/")[0]
            wanted = part.finding.left == "trainable"
            yield Cause(
                "frozen",
                (left, part.finding.left),
                (right, part.finding.right),
                "confirmed",
                None,
                1.0,
                "settings",
                fix=f"{right}.trainable = {wanted}",
            )


def dropouts(judged: CheckFindings) -> Iterator[Cause]:
    """Dropouts of another rate or kind, or active in evaluation."""
    for part in judged.parts:
        if part.finding.rule == "dropout":
            yield Cause(
                "dropout",
                (part.torch, part.finding.left),
                (part.keras, part.finding.right),
                "confirmed",
                None,
                1.0,
                "settings",
                fix=f"# as in PyTorch: {part.finding.left}" if part.torch else "",
            )


def masks(stands: LayerAttribution, found: Sequence[LayerStatus]) -> Iterator[Cause]:
    """Scores that one side masks and the other does not."""
    recorded = stands.recorded
    for stand in found:
        left, right = stand.match.left, stand.match.right
        if stand.finding is None or stand.finding.agrees or left.kind not in MASKED_KINDS:
            continue
        move = stands.subject.across.values.get(left.value)
        quad = recorded.quad(f"values/{left.value}", f"values/{right.value}", move)
        if quad.left32 is None or quad.right32 is None or quad.left32.shape != quad.right32.shape:
            continue
        mine, theirs = quad.left32 < MASKING, quad.right32 < MASKING
        if np.array_equal(mine, theirs):
            continue
        told = [f"{int(m.sum())} of {m.size} masked" for m in (mine, theirs)]
        if np.array_equal(mine, ~theirs):
            told[1] += ", just the others"
        yield Cause(
            "mask", (left.name, told[0]), (right.name, told[1]), "confirmed", None, 1.0, "values"
        )
        return
