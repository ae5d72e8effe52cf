"""Differences of settings that no input of a run shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from parity.checker.align.matches import Match
from parity.checker.canonical.canonical_graph import CanonicalNode
from parity.checker.diagnose import fix
from parity.checker.diagnose.other_inputs import as_node
from parity.checker.diagnose.running_statistics import CUMULATIVE, averaging
from parity.checker.diagnose.settings import canonical, differing
from parity.checker.judge import dropouts
from parity.checker.judge.attribution import AttributedLayer
from parity.checker.transfer.comparison import ModelComparison
from parity.diagnosis.causes import Cause, group, value_text
from parity.operations.code import changed
from parity.reference import activations

BOUNDED = ("clip", "relu6", "hard_tanh", "threshold")


def latent(
    comparison: ModelComparison, layers: Sequence[AttributedLayer], *, train: bool, agree: bool
) -> tuple[Cause, ...]:
    """What differs without effect on what was run.

    Args:
        comparison: the two models.
        layers: its pairs, as they stand.
        train: whether training was compared, which shows momentum and dropout.
        agree: whether all that the models yield agrees.
    """
    causes: list[Cause] = []
    if agree:
        causes += _bounds(comparison)
        causes += [cause for layer in layers for cause in padded(layer)]
    if train:
        causes += _penalties(comparison)
        return group(causes)
    for match in comparison.matches:
        causes += _momentum(match)
    for name, left, right in dropouts.differing_rates(comparison):
        causes.append(Cause("dropout", (name[0], left), (name[1], right), proof="settings"))
    return group(causes)


def padded(layer: AttributedLayer) -> Iterator[Cause]:
    """Maxima over another padding that diverge, though what follows hides it."""
    match = layer.match
    nodes = as_node(match.left), as_node(match.right)
    if layer.finding is None or layer.finding.agrees or {n.kind for n in nodes} != {"pool"}:
        return
    for one in differing(*nodes):
        if one.kind == "padding" and "pad_value" in one.keys:
            texts = value_text(one.left), value_text(one.right)
            yield Cause(
                one.kind,
                (match.left.name, texts[0]),
                (match.right.name, texts[1]),
                proof="settings",
                fix=fix.fix("padding", nodes[1], nodes[0], "keras", wanted=texts[0]),
            )


def _momentum(match: Match) -> Iterator[Cause]:
    if not match.left.kind == match.right.kind == "batch_norm":
        return
    mine, theirs = (n.settings.get("momentum") for n in (match.left, match.right))
    cumulative = bool(match.left.settings.get("cumulative"))
    if theirs is None or (not cumulative and (mine is None or abs(mine - theirs) < 1e-7)):
        return
    yield Cause(
        "momentum",
        (match.left.name, CUMULATIVE if cumulative else f"{1 - (mine or 0.0):.6g}"),
        (match.right.name, f"{theirs:.6g}"),
        proof="settings",
        fix=averaging(match.right)
        if cumulative
        else changed(match.right.code, {"momentum": round(mine or 0.0, 12)}),
    )


def _bounds(comparison: ModelComparison) -> Iterator[Cause]:
    """Limits that no number came near: ``relu6`` against ``relu``, a clip on one side only."""
    for match in comparison.matches:
        names = [canonical(as_node(n)).get("name") for n in (match.left, match.right)]
        if match.left.kind == match.right.kind == "activation" and any(n in BOUNDED for n in names):
            for one in differing(as_node(match.left), as_node(match.right)):
                if one.kind == "activation":
                    yield Cause(
                        one.kind,
                        (match.left.name, value_text(one.left)),
                        (match.right.name, value_text(one.right)),
                        proof="settings",
                    )
    for node in comparison.left_only:
        if _bounded(node):
            yield Cause(
                "activation", (node.name, _operation_text(node)), ("", "none"), proof="settings"
            )
    for node in comparison.right_only:
        if _bounded(node):
            yield Cause(
                "activation", ("", "none"), (node.name, _operation_text(node)), proof="settings"
            )


def _bounded(node: CanonicalNode) -> bool:
    limited = node.kind in ("minimum", "maximum") and len(node.sources) == 1
    named = node.kind == "activation" and canonical(as_node(node)).get("name") in BOUNDED
    return limited or named


def _operation_text(node: CanonicalNode) -> str:
    if node.kind != "activation":
        return node.kind
    return value_text(activations.spoken(canonical(as_node(node))))


def _penalties(comparison: ModelComparison) -> Iterator[Cause]:
    """What Keras' own training adds; the check's steps do not, and nor does PyTorch's model."""
    partner = {m.right.name: m.left.name for m in comparison.matches}
    for name, what in comparison.graphs[1].penalties:
        yield Cause(
            "regularisation",
            (partner.get(name, ""), "none in the model"),
            (name, what),
            proof="settings",
        )
