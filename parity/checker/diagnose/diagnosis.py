"""From findings to an answer: which layers diverge by themselves, where first, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from parity.checker.align.matches import source_name
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.diagnose import bypass, chains, gradient_stops, latent, untied
from parity.checker.diagnose.other_inputs import differing_settings
from parity.checker.diagnose.search import Search, find_causes
from parity.checker.graph.model_interface import Array
from parity.checker.judge.attribution import AttributedLayer, LayerAttribution, Replay
from parity.checker.judge.judging import CheckFindings, RecordedRuns
from parity.checker.judge.stages import Stages
from parity.checker.result import wording
from parity.checker.result.check_result import (
    CheckResult,
    Divergence,
    Layer,
    LayerEdge,
    Operation,
)
from parity.checker.training import user_training
from parity.checker.transfer.comparison import ModelComparison
from parity.core.errors import ParityError
from parity.core.sides import SIDES, Precision, Side
from parity.diagnosis.causes import Cause
from parity.verdict.judgement import Verdict

_Nodes = Mapping[Side, CanonicalNode]
"""A layer's node on each side that has one."""


def explain(
    comparison: ModelComparison,
    findings: CheckFindings,
    recorded: RecordedRuns,
    *,
    trained: RecordedRuns | None,
    training: user_training.UserTraining | None = None,
    replay: Replay,
    unstopped: gradient_stops.Unstopped,
    own_weights: bool = False,
    titles: Mapping[str, str],
    inputs: tuple[str, ...],
    notes: tuple[str, ...],
    seconds: Mapping[str, float],
) -> CheckResult:
    """Everything that there is to say.

    Args:
        comparison: the two models.
        findings: findings of the runs.
        recorded: the run in evaluation mode.
        trained: the run in training mode, if there was one.
        training: the user's own loss and optimizer, if there are.
        replay: runs a node of the right's model alone.
        unstopped: judges the two models anew, while gradients pass that they stop.
        own_weights: both models keep the weights that they have.
        titles, inputs, notes, seconds: go into the result as they are.
    """
    stages = Stages()
    attribution = LayerAttribution(comparison, recorded, findings.layers, replay, stages)
    attributed = stages.listed("each pair alone", attribution.judge_all)
    settle = partial(chains.settled, attribution, attributed)
    attributed = stages.attempt("steps in another order", settle, attributed)
    if findings.agrees:
        attributed = [_innocent(layer) for layer in attributed]
    divergences: list[Divergence] = []
    causes: tuple[Cause, ...] = ()
    stops: list[gradient_stops.Stop] = []
    if not findings.agrees:
        untrained: tuple[LayerAttribution | None, list[AttributedLayer]] = (None, [])
        learning = partial(_in_training, comparison, findings, trained, attributed, stages)
        modes = stages.attempt("each pair in training mode", learning, untrained)
        stopped = partial(gradient_stops.stops, comparison, findings, unstopped)
        stops = stages.listed("stopped gradients", stopped)
        divergences = stages.listed(
            "the first divergence",
            partial(_divergences, attribution, attributed, findings, modes[1], stops),
        )
        search = Search(attribution, attributed, findings, trained, modes, stages, stops)
        causes = stages.attempt("the search for causes", partial(find_causes, search), causes)
        learnt = partial(_of_training, causes, comparison, findings, trained, training)
        causes = stages.attempt("the loss and the optimizer", learnt, causes)
    hidden = stages.listed(
        "differences without effect",
        partial(
            latent.latent,
            comparison,
            attributed,
            train=trained is not None,
            agree=findings.agrees,
        ),
    )
    layers, edges, feeds = _layers(comparison, attributed, stages)
    untold = "" if own_weights else untied.unproven(comparison, attributed, findings, causes)
    if untold:
        causes = tuple(replace(c, fix="") for c in causes)  # nobody is sent to change what is right
    return CheckResult(
        verdict="undecided" if untold else _verdict(findings),
        titles=titles,
        inputs=inputs,
        layers=tuple(layers),
        torch_only=tuple(n.name for n in comparison.left_only),
        keras_only=tuple(n.name for n in comparison.right_only),
        divergences=tuple(divergences),
        causes=causes,
        latent=tuple(hidden),
        parts=findings.parts,
        notes=(
            *((untold,) if untold else ()),
            *notes,
            *(() if comparison.tables else _different_steps(attributed, findings)),
            *_without_effect(attribution, attributed, findings),
            *stages.notes(),
        ),
        edges=tuple(edges),
        feeds=tuple(feeds),
        train=trained is not None,
        seconds=seconds,
        places={graph.side: graph.places for graph in comparison.graphs},
        made={graph.side: graph.made for graph in comparison.graphs},
        called={graph.side: graph.called for graph in comparison.graphs},
    )


def _of_training(
    causes: tuple[Cause, ...],
    comparison: ModelComparison,
    findings: CheckFindings,
    trained: RecordedRuns | None,
    training: user_training.UserTraining | None,
) -> tuple[Cause, ...]:
    """The causes with those of the user's own loss and optimizer."""
    if trained is None or training is None:
        return causes
    known = [c for c in causes if c.kind != "unknown"]
    learnt = user_training.training_causes(comparison, findings.parts, trained, training)
    return (*known, *learnt) or causes


def _in_training(
    comparison: ModelComparison,
    findings: CheckFindings,
    trained: RecordedRuns | None,
    layers: Sequence[AttributedLayer],
    stages: Stages,
) -> tuple[LayerAttribution | None, list[AttributedLayer]]:
    """Pairs judged in training mode, where all of them agree in evaluation.

    Noise is no node: where it differs, what takes it would be accused.
    """
    noisy = any(p.finding.rule in ("draw", "dropout") for p in findings.parts)
    if trained is None or noisy or any(s.status in ("diverges", "downstream") for s in layers):
        return None, []
    attribution = LayerAttribution(comparison, trained, findings.training, _no_replay, stages)
    return attribution, attribution.judge_all()


def _no_replay(node: str, sources: Sequence[Array], precision: Precision) -> Mapping[str, Array]:
    raise ParityError(f"{node} is not run alone in training mode.")


def _innocent(layer: AttributedLayer) -> AttributedLayer:
    """Where all that the models yield agrees, no layer is at fault."""
    at_fault = layer.status in ("diverges", "downstream")
    return replace(layer, status="inconclusive") if at_fault else layer


def _different_steps(layers: Sequence[AttributedLayer], findings: CheckFindings) -> tuple[str, ...]:
    odd = [
        s.match.left.name
        for s in layers
        if s.status == "inconclusive" and s.finding is not None and not any(latent.padded(s))
    ]
    if not findings.agrees or not odd:
        return ()
    return (
        f"{len(odd)} intermediate values differ though all that the models yield agrees: they "
        f"compute the same in other steps ({', '.join(odd[:4])}{' …' if len(odd) > 4 else ''}).",
    )


def _without_effect(
    attribution: LayerAttribution, layers: Sequence[AttributedLayer], findings: CheckFindings
) -> tuple[str, ...]:
    """Steps of one side alone that are no cause of what differs, and may be of other inputs."""
    names = [s.match.left.name for s in layers if s.status == "other_steps"]
    names += sorted(attribution.made_up)
    if findings.agrees or not names:
        return ()
    return (
        f"{len(names)} operations differ between the two sides, and come to the same numbers where "
        f"they end ({', '.join(names[:4])}{' …' if len(names) > 4 else ''}): no cause on these "
        "inputs.",
    )


def _verdict(findings: CheckFindings) -> Verdict:
    if not findings.parts:
        return "undecided"
    if findings.agrees:
        return "agree"
    failing = {p.finding.status for p in findings.parts if not p.finding.agrees}
    return "undecided" if failing <= {"nonfinite", "undecided"} else "differ"


def _divergences(
    attribution: LayerAttribution,
    layers: Sequence[AttributedLayer],
    findings: CheckFindings,
    trained: Sequence[AttributedLayer],
    stops: Sequence[gradient_stops.Stop],
) -> Iterator[Divergence]:
    """Where the two diverge, in causal order: weights, layers, then what follows from them."""
    for part in findings.parts:
        if part.stage == "weights" and not part.finding.agrees:
            graphs = attribution.comparison.torch, attribution.comparison.keras
            names = [_weight(*both) for both in zip(graphs, (part.torch, part.keras), strict=True)]
            text = wording.parted(part.finding, f"The weight {names[0]}") + "."
            yield Divergence(owner(names[0]), owner(names[1]), "weights", part.finding, text)
    of_layers = list(_layer_divergences(attribution, layers))
    yield from of_layers or _first_failing(layers)
    yield from _training(trained)
    for stop in stops:
        here, there = ("PyTorch", "Keras") if stop.side == "torch" else ("Keras", "PyTorch")
        text = f"{here} stops the gradient of what it gives, {there} does not."
        yield Divergence(stop.torch, stop.keras, "gradients", stop.finding, text)
    for part in findings.parts:
        if part.finding.agrees or part.stage == "weights":
            continue
        if of_layers and part.stage != "structure":
            continue  # it follows from what was found in the layers
        text = wording.parted(part.finding, _capital(part.finding.key)) + "."
        yield Divergence(owner(part.torch), owner(part.keras), part.stage, part.finding, text)


def _layer_divergences(
    attribution: LayerAttribution, layers: Sequence[AttributedLayer]
) -> Iterator[Divergence]:
    lost: set[str] = set()
    for layer in layers:
        mine, theirs = _places(attribution, layer)
        # What stands before a pair comes first, also where the pair itself diverges.
        standing = layer.status == "diverges" and any(layer.between)
        leads = bypass.leads_in(attribution, layer)
        if layer.status == "downstream" or (
            (standing or leads) and not layer.match.other_functions
        ):
            yield from _structural(layer, lost)
        if layer.status == "diverges" and layer.linked:
            assert layer.finding is not None
            text = "Its inputs agree; " + wording.parted(layer.finding, "its output") + "."
            yield Divergence(mine, theirs, "activations", layer.finding, text)
        elif layer.status == "diverges" and layer.alone is not None:
            text = "On its partner's input, " + wording.parted(layer.alone, "its output") + "."
            yield Divergence(mine, theirs, "activations", layer.alone, text, alone=True)
    for side, name, _, _ in attribution.lost_at_outputs():
        if f"{side} {name}" not in lost:
            here, there = ("PyTorch", "Keras") if side == "torch" else ("Keras", "PyTorch")
            text = f"Only {here} has it, at the end; {there}'s output is what goes into it."
            yield Divergence(
                name if side == "torch" else None,
                name if side == "keras" else None,
                "structure",
                None,
                text,
            )


def _places(attribution: LayerAttribution, layer: AttributedLayer) -> tuple[str | None, str | None]:
    """What people call a pair; of a chain of steps the one from which on the two part."""
    names = layer.match.left.name, layer.match.right.name
    step = chains.parting(attribution, layer) if layer.status == "diverges" else None
    if step is None:
        return names
    return step.left.name if step.left else None, step.right.name if step.right else None


def _first_failing(layers: Sequence[AttributedLayer]) -> Iterator[Divergence]:
    """Nothing could be told apart: the first pair that differs at all."""
    for layer in layers:
        finding = layer.finding
        if layer.status == "inconclusive" and finding is not None and not finding.agrees:
            text = wording.parted(finding, "Its output") + "; it could not be judged alone."
            names = layer.match.left.name, layer.match.right.name
            yield Divergence(*names, "activations", finding, text)
            return


def _training(trained: Sequence[AttributedLayer]) -> Iterator[Divergence]:
    """Pairs that agree in evaluation and diverge in training mode."""
    for layer in trained:
        if layer.status == "diverges" and layer.finding is not None:
            text = "In training mode its inputs agree; " + wording.parted(
                layer.finding, "its output"
            )
            names = layer.match.left.name, layer.match.right.name
            yield Divergence(*names, "training", layer.finding, text + ".")


def _structural(layer: AttributedLayer, lost: set[str]) -> Iterator[Divergence]:
    """An operation without a partner stands before a pair that agrees when fed alike."""
    for side, names in zip(("torch", "keras"), layer.between, strict=True):
        for name in names:
            if f"{side} {name}" in lost:
                continue
            lost.add(f"{side} {name}")
            here, there = ("PyTorch", "Keras") if side == "torch" else ("Keras", "PyTorch")
            text = (
                f"Only {here} has it; {there} has no partner. "
                + (
                    "What comes behind it agrees when it is fed alike"
                    if layer.status == "downstream"
                    else "It stands before"
                )
                + f" ({layer.match.left.name} / {layer.match.right.name})."
            )
            yield Divergence(
                name if side == "torch" else None,
                name if side == "keras" else None,
                "structure",
                layer.finding,
                text,
            )

    if not any(layer.between) and layer.rewired is not None:
        mine, theirs = layer.rewired
        text = f"It takes {mine} in PyTorch and {theirs} in Keras; fed alike, the two agree."
        yield Divergence(
            layer.match.left.name, layer.match.right.name, "structure", layer.finding, text
        )


def _weight(graph: CanonicalGraph, name: str) -> str:
    """What people call a weight; of one that the model computes, the operation that makes it."""
    known = graph.parameters.get(name)
    return known.names[0] if known is not None and known.computed else name


def owner(name: str) -> str:
    """The layer of a parameter's id."""
    return name.rpartition("/")[0] or name


def _capital(text: str) -> str:
    """Names of the user's own stay as they are."""
    return text[:1].upper() + text[1:] if text.startswith("the ") else text


def _layers(
    comparison: ModelComparison, layers: Sequence[AttributedLayer], stages: Stages
) -> tuple[list[Layer], list[LayerEdge], list[LayerEdge]]:
    """All layers in the order of execution, what flows between them, and what is fed to them."""
    rows: list[tuple[Layer, _Nodes]] = []
    for attributed in layers:
        a, b = attributed.match.left, attributed.match.right
        differing = stages.listed(
            f"the settings of {a.name} / {b.name}",
            partial(differing_settings, comparison, attributed.match),
        )
        layer = Layer(
            a.name,
            b.name,
            _kind(a) if a.kind == b.kind else f"{_kind(a)} / {_kind(b)}",
            attributed.status,
            attributed.finding.ratio if attributed.finding else None,
            attributed.alone.ratio if attributed.alone else None,
            attributed.match.order,
            attributed.finding,
            attributed.alone,
            {"torch": _operation(comparison.torch, a), "keras": _operation(comparison.keras, b)},
            tuple(key for one in differing for key in one.keys),
        )
        rows.append((layer, {"torch": a, "keras": b}))
    rows += _without_partner(comparison)
    rows.sort(key=lambda row: row[0].order)
    return [layer for layer, _ in rows], *_edges([nodes for _, nodes in rows], comparison)


def _without_partner(comparison: ModelComparison) -> Iterator[tuple[Layer, _Nodes]]:
    places = {n.id: at for at, n in enumerate(comparison.torch.nodes)}
    for n in comparison.left_only:
        own: dict[Side, Operation] = {"torch": _operation(comparison.torch, n)}
        order = places[n.id]
        yield (
            Layer(n.name, None, _kind(n), "unmatched", order=order, operations=own),
            {"torch": n},
        )
    # What only Keras has stands behind the partner of what it takes.
    partner = {v.id: m.order for m in comparison.matches for v in m.right.values}
    for n in comparison.right_only:
        own = {"keras": _operation(comparison.keras, n)}
        order = max((partner.get(s.value, 0) for s in n.sources), default=0)
        yield (
            Layer(None, n.name, _kind(n), "unmatched", order=order, operations=own),
            {"keras": n},
        )


def _edges(
    rows: Sequence[_Nodes], comparison: ModelComparison
) -> tuple[list[LayerEdge], list[LayerEdge]]:
    """By both sides' data flow, PyTorch's first: between layers, and from the inputs to layers."""
    between: dict[tuple[int, int], list[Side]] = {}
    fed: dict[tuple[int, int], list[Side]] = {}
    for side, graph in zip(SIDES, (comparison.torch, comparison.keras), strict=True):
        nodes = [(at, row[side]) for at, row in enumerate(rows) if side in row]
        makers = {value.id: at for at, node in nodes for value in node.values}
        inputs = {value.id: number for number, value in enumerate(graph.inputs)}
        for at, node in nodes:
            for value in dict.fromkeys(source.value for source in node.sources):
                for flow, sources in ((between, makers), (fed, inputs)):
                    if value in sources:
                        sides = flow.setdefault((sources[value], at), [])
                        sides += [] if side in sides else [side]
    edges, feeds = ([LayerEdge(*e, tuple(s)) for e, s in flow.items()] for flow in (between, fed))
    return edges, feeds


def _operation(graph: CanonicalGraph, node: CanonicalNode) -> Operation:
    return Operation(
        node.code,
        node.settings,
        tuple(value.shape for value in node.values),
        tuple(source_name(graph, source) for source in node.sources),
    )


def _kind(node: CanonicalNode) -> str:
    name = node.settings.get("name") or node.settings.get("mode")
    return (
        f"{node.kind} {name}"
        if name and node.kind in ("activation", "pool", "reduce")
        else (node.kind)
    )
