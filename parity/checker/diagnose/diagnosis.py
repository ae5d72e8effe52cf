"""From findings to an answer: which layers part by themselves, where first, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from parity.checker.canonical.canonical_graph import CanonicalNode
from parity.checker.diagnose import evidence, gradient_stops, latent
from parity.checker.graph.model_interface import Array
from parity.checker.judge.attribution import LayerAttribution, LayerStatus, Replay
from parity.checker.judge.judging import CheckFindings, Recorded
from parity.checker.result import wording
from parity.checker.result.causes import Cause
from parity.checker.result.check_result import CheckResult, Divergence, Layer, LayerEdge
from parity.checker.training import user_training
from parity.checker.transfer.subject import Subject
from parity.core.errors import ParityError
from parity.core.sides import Precision
from parity.verdict.judgement import Verdict


def explain(
    subject: Subject,
    judged: CheckFindings,
    recorded: Recorded,
    *,
    trained: Recorded | None,
    lessons: user_training.UserTraining | None = None,
    replay: Replay,
    titles: Mapping[str, str],
    inputs: tuple[str, ...],
    notes: tuple[str, ...],
    seconds: Mapping[str, float],
) -> CheckResult:
    """Everything that there is to say.

    Args:
        subject: the two models.
        judged: findings of the runs.
        recorded: the run in evaluation mode.
        trained: the run in training mode, if there was one.
        lessons: the user's own loss and optimizer, if there are.
        replay: runs a node of the right's model alone.
        titles, inputs, notes, seconds: go into the result as they are.
    """
    judge = LayerAttribution(subject, recorded, judged.layers, replay)
    stands = judge.all()
    if judged.agrees:
        stands = [_innocent(stand) for stand in stands]
    divergences: list[Divergence] = []
    causes: tuple[Cause, ...] = ()
    if not judged.agrees:
        modes = _in_training(subject, judged, trained, stands)
        divergences = list(_divergences(judge, stands, judged, modes[1]))
        causes = evidence.find_causes(judge, stands, judged, trained, modes)
        if trained is not None and lessons is not None:
            known = [c for c in causes if c.kind != "unknown"]
            causes = (
                *known,
                *user_training.training_causes(subject, judged.parts, trained, lessons),
            ) or causes
    layers = _layers(subject, stands)
    return CheckResult(
        verdict=_verdict(judged),
        titles=titles,
        inputs=inputs,
        layers=tuple(layers),
        torch_only=tuple(n.name for n in subject.left_only),
        keras_only=tuple(n.name for n in subject.right_only),
        divergences=tuple(divergences),
        causes=causes,
        latent=latent.latent(subject, stands, train=trained is not None, agree=judged.agrees),
        parts=judged.parts,
        notes=notes + (() if subject.tables else _different_steps(stands, judged)),
        edges=tuple(_edges(subject, layers)),
        train=trained is not None,
        seconds=seconds,
    )


def _in_training(
    subject: Subject, judged: CheckFindings, trained: Recorded | None, stands: Sequence[LayerStatus]
) -> tuple[LayerAttribution | None, list[LayerStatus]]:
    """Pairs judged in training mode, where all of them agree in evaluation."""
    if trained is None or any(s.standing in ("parts", "follows") for s in stands):
        return None, []
    judge = LayerAttribution(subject, trained, judged.training, _no_replay)
    return judge, judge.all()


def _no_replay(node: str, sources: Sequence[Array], precision: Precision) -> Mapping[str, Array]:
    raise ParityError(f"{node} is not run alone in training mode.")


def _innocent(stand: LayerStatus) -> LayerStatus:
    """Where all that the models yield agrees, no layer is at fault."""
    return replace(stand, standing="untold") if stand.standing in ("parts", "follows") else stand


def _different_steps(stands: Sequence[LayerStatus], judged: CheckFindings) -> tuple[str, ...]:
    odd = [
        s.match.left.name
        for s in stands
        if s.standing == "untold" and s.finding is not None and not any(latent.padded(s))
    ]
    if not judged.agrees or not odd:
        return ()
    return (
        f"{len(odd)} intermediate values differ though all that the models yield agrees: they "
        f"compute the same in other steps ({', '.join(odd[:4])}{' …' if len(odd) > 4 else ''}).",
    )


def _verdict(judged: CheckFindings) -> Verdict:
    if not judged.parts:
        return "undecided"
    if judged.agrees:
        return "agree"
    failing = {p.finding.status for p in judged.parts if not p.finding.agrees}
    return "undecided" if failing == {"nonfinite"} else "differ"


def _divergences(
    judge: LayerAttribution,
    stands: Sequence[LayerStatus],
    judged: CheckFindings,
    trained: Sequence[LayerStatus],
) -> Iterator[Divergence]:
    """Where the two part, in causal order: weights, layers, then what follows from them."""
    for part in judged.parts:
        if part.stage == "weights" and not part.finding.agrees:
            text = wording.parted(part.finding, f"The weight {part.torch}") + "."
            yield Divergence(owner(part.torch), owner(part.keras), "weights", part.finding, text)
    found = list(_layer_divergences(judge, stands))
    yield from found or _first_failing(stands)
    yield from _training(trained)
    for stop in gradient_stops.stops(judge.subject, judged):
        here, there = ("PyTorch", "Keras") if stop.side == "torch" else ("Keras", "PyTorch")
        text = f"{here} stops the gradient of what it gives, {there} does not."
        yield Divergence(stop.torch, stop.keras, "gradients", stop.finding, text)
    for part in judged.parts:
        if part.finding.agrees or part.stage == "weights":
            continue
        if found and part.stage != "structure":
            continue  # it follows from what was found in the layers
        text = wording.parted(part.finding, _capital(part.finding.key)) + "."
        yield Divergence(owner(part.torch), owner(part.keras), part.stage, part.finding, text)


def _layer_divergences(
    judge: LayerAttribution, stands: Sequence[LayerStatus]
) -> Iterator[Divergence]:
    lost: set[str] = set()
    for stand in stands:
        mine, theirs = stand.match.left.name, stand.match.right.name
        # What stands before a pair comes first, also where the pair itself parts.
        if stand.standing == "follows" or (stand.standing == "parts" and any(stand.between)):
            yield from _structural(stand, lost)
        if stand.standing == "parts" and stand.linked:
            assert stand.finding is not None
            text = "Its inputs agree; " + wording.parted(stand.finding, "its output") + "."
            yield Divergence(mine, theirs, "activations", stand.finding, text)
        elif stand.standing == "parts" and stand.alone is not None:
            text = "On its partner's input, " + wording.parted(stand.alone, "its output") + "."
            yield Divergence(mine, theirs, "activations", stand.alone, text, alone=True)
    for side, name, _, _ in judge.lost_at_outputs():
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


def _first_failing(stands: Sequence[LayerStatus]) -> Iterator[Divergence]:
    """Nothing could be told apart: the first pair that differs at all."""
    for stand in stands:
        if stand.standing == "untold" and stand.finding is not None and not stand.finding.agrees:
            text = wording.parted(stand.finding, "Its output") + "; it could not be judged alone."
            names = stand.match.left.name, stand.match.right.name
            yield Divergence(*names, "activations", stand.finding, text)
            return


def _training(trained: Sequence[LayerStatus]) -> Iterator[Divergence]:
    """Pairs that agree in evaluation and part in training mode."""
    for stand in trained:
        if stand.standing == "parts" and stand.finding is not None:
            text = "In training mode its inputs agree; " + wording.parted(
                stand.finding, "its output"
            )
            names = stand.match.left.name, stand.match.right.name
            yield Divergence(*names, "training", stand.finding, text + ".")


def _structural(stand: LayerStatus, lost: set[str]) -> Iterator[Divergence]:
    """An operation without a partner stands before a pair that agrees when fed alike."""
    for side, names in zip(("torch", "keras"), stand.between, strict=True):
        for name in names:
            if f"{side} {name}" in lost:
                continue
            lost.add(f"{side} {name}")
            here, there = ("PyTorch", "Keras") if side == "torch" else ("Keras", "PyTorch")
            text = (
                f"Only {here} has it; {there} has no partner. "
                + (
                    "What comes behind it agrees when it is fed alike"
                    if stand.standing == "follows"
                    else "It stands before"
                )
                + f" ({stand.match.left.name} / {stand.match.right.name})."
            )
            yield Divergence(
                name if side == "torch" else None,
                name if side == "keras" else None,
                "structure",
                stand.finding,
                text,
            )

    if not any(stand.between) and stand.rewired is not None:
        mine, theirs = stand.rewired
        text = f"It takes {mine} in PyTorch and {theirs} in Keras; fed alike, the two agree."
        yield Divergence(
            stand.match.left.name, stand.match.right.name, "structure", stand.finding, text
        )


def owner(name: str) -> str:
    """The layer of a parameter's id."""
    return name.rpartition("/")[0] or name


def _capital(text: str) -> str:
    """Names of the user's own stay as they are."""
    return text[:1].upper() + text[1:] if text.startswith("the ") else text


def _layers(subject: Subject, stands: Sequence[LayerStatus]) -> list[Layer]:
    found = []
    for stand in stands:
        a, b = stand.match.left, stand.match.right
        kind = _kind(a) if a.kind == b.kind else f"{_kind(a)} / {_kind(b)}"
        found.append(
            Layer(
                a.name,
                b.name,
                kind,
                stand.standing,
                stand.finding.ratio if stand.finding else None,
                stand.alone.ratio if stand.alone else None,
                order=stand.match.order,
                code={"torch": a.code, "keras": b.code},
            )
        )
    only = [
        *(
            Layer(n.name, None, _kind(n), "unmatched", order=_at(subject, n))
            for n in subject.left_only
        ),
        *(
            Layer(None, n.name, _kind(n), "unmatched", order=_near(subject, n))
            for n in subject.right_only
        ),
    ]
    return sorted([*found, *only], key=lambda layer: layer.order)


def _kind(node: CanonicalNode) -> str:
    name = node.settings.get("name") or node.settings.get("mode")
    return (
        f"{node.kind} {name}"
        if name and node.kind in ("activation", "pool", "reduce")
        else (node.kind)
    )


def _near(subject: Subject, node: CanonicalNode) -> int:
    """A place among the left's for what only the right has: behind the partner of its source."""
    partner = {v.id: m.order for m in subject.matches for v in m.right.values}
    return max((partner[s.value] for s in node.sources if s.value in partner), default=0)


def _at(subject: Subject, node: CanonicalNode) -> int:
    return next(at for at, n in enumerate(subject.torch.nodes) if n.id == node.id)


def _edges(subject: Subject, layers: Sequence[Layer]) -> Iterator[LayerEdge]:
    """By the left's data flow; what only the right has hangs on its own."""
    places = {layer.torch: at for at, layer in enumerate(layers) if layer.torch}
    right = {layer.keras: at for at, layer in enumerate(layers) if layer.keras}
    seen: set[tuple[int, int]] = set()
    for normal, at in ((subject.torch, places), (subject.keras, right)):
        makers = {v.id: n.name for n in normal.nodes for v in n.values}
        for node in normal.nodes:
            for source in node.sources:
                if source.value not in makers:
                    continue
                edge = at.get(makers[source.value]), at.get(node.name)
                if edge[0] is None or edge[1] is None or edge in seen:
                    continue
                both = layers[edge[0]].torch and layers[edge[1]].torch
                if normal is subject.keras and both:
                    continue
                seen.add((edge[0], edge[1]))
                yield LayerEdge(edge[0], edge[1])
