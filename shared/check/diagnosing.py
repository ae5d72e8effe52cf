"""From findings to an answer: which layers part by themselves, where first, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from shared.check import arrange, evidence, judging, words
from shared.check.align import Match
from shared.check.arrange import Arrangement
from shared.check.graph import Source
from shared.check.judging import Judged, Recorded, Subject
from shared.check.normalise import Merged, Normal
from shared.check.result import Divergence, Edge, Layer, Result, Standing
from shared.check.side import Array
from shared.errors import ParityError
from shared.jobs import Precision
from shared.noise import Finding
from shared.spec import Side
from shared.verdict import Verdict

Replay = Callable[[str, Sequence[Array], Precision], Mapping[str, Array]]
_PRECISIONS: tuple[Precision, ...] = ("float32", "float64")


@dataclass(frozen=True)
class Stand:
    """What was found of one matched pair.

    Attributes:
        match: the pair.
        standing: see `shared.check.result.Standing`.
        finding: in the run.
        alone: on the partner's input.
        linked: its sources correspond and agree.
        between: names of operations without a partner that stand before it, each side's.
        fed: sources of the right's node, in its layout, float64, that `seen` was computed from.
        seen: the right's output on them, float64.
    """

    match: Match
    standing: Standing
    finding: Finding | None
    alone: Finding | None = None
    linked: bool = True
    between: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    fed: tuple[Array, ...] | None = None
    seen: Array | None = None


@dataclass
class Stands:
    """Judges every pair in the order of execution, alone where its inputs differ already."""

    subject: Subject
    recorded: Recorded
    layers: Mapping[str, Finding]
    replay: Replay
    agreeing: dict[str, bool] = field(default_factory=dict)

    def all(self) -> list[Stand]:
        """One for each matched pair."""
        for i in range(len(self.recorded.left_inputs)):
            self.agreeing[f"input:{i}"] = True
        return [self._one(match) for match in self.subject.alignment.pairs]

    def _one(self, match: Match) -> Stand:
        finding = self.layers.get(match.left.id)
        linked = self._linked(match)
        between = self._between(match)
        agrees = finding is not None and finding.agrees
        for value in match.left.values:
            self.agreeing[value.id] = agrees
        if finding is None:
            return Stand(match, "untold", None, linked=linked, between=between)
        if agrees:
            return Stand(match, "agrees", finding, linked=linked, between=between)
        if linked:
            fed = tuple(self._right(s, "float64") for s in match.right.sources)
            key = f"values/{match.right.values[0].id}"
            seen = self.recorded.runs["keras", "float64"].get(key)
            told = None if any(f is None for f in fed) else tuple(f for f in fed if f is not None)
            return Stand(match, "parts", finding, linked=True, between=between, fed=told, seen=seen)
        return self._alone(match, finding, between)

    def _linked(self, match: Match) -> bool:
        """Every source has its partner, and they agree."""
        for at, link in enumerate(match.links):
            if link.left is None or link.right is None:
                return False
            if link.left_between or link.right_between:
                return False
            root = link.left.value
            if root.startswith(("parameter:", "constant:")):
                continue
            if not self.agreeing.get(root, False):
                return False
            if self.subject.across.sources.get((match.left.id, at)) is None:
                return False
        return True

    def _between(self, match: Match) -> tuple[tuple[str, ...], tuple[str, ...]]:
        left: list[str] = []
        right: list[str] = []
        for link in match.links:
            left += link.left_between
            right += link.right_between
        return tuple(dict.fromkeys(left)), tuple(dict.fromkeys(right))

    def _alone(
        self, match: Match, finding: Finding, between: tuple[tuple[str, ...], tuple[str, ...]]
    ) -> Stand:
        """The right's node on the left's sources."""
        fed = {p: self._fed(match, p) for p in _PRECISIONS}
        untold = Stand(match, "untold", finding, linked=False, between=between)
        if any(sources is None for sources in fed.values()):
            return untold
        try:
            answers = {p: self.replay(match.right.last, fed[p] or (), p) for p in _PRECISIONS}
        except ParityError:
            return untold
        mine, theirs = match.left.values[0], match.right.values[0]
        move = self.subject.across.values.get(mine.id)
        key = f"values/{theirs.id}"
        if any(key not in answers[p] for p in _PRECISIONS):
            return untold
        left = self.recorded.quad(f"values/{mine.id}", f"values/{theirs.id}", move)
        quad = replace(left, right32=answers["float32"][key], right64=answers["float64"][key])
        if match.left.kind in judging.MASKED_KINDS:
            quad = judging.unmasked(quad)
        exact = not match.right.settings.get("single")
        alone = judging.compare(
            Finding(match.left.name, finding.level, "identical"), quad, exact=exact
        )
        return Stand(
            match, "follows" if alone.agrees else "parts", finding, alone, linked=False,
            between=between, fed=tuple(fed["float64"] or ()), seen=answers["float64"][key],
        )  # fmt: skip

    def _fed(self, match: Match, precision: Precision) -> list[Array] | None:
        """The left's sources, in the order and layout of the right's node."""
        fed: list[Array] = []
        links = {link.right: (at, link) for at, link in enumerate(match.links) if link.right}
        for source in match.right.sources:
            array: Array | None = None
            if source in links:
                at, link = links[source]
                if link.left is not None:
                    array = self._moved(match, at, link.left, source, precision)
            if array is None and source.value.startswith(("parameter:", "constant:")):
                array = self._right(source, precision)
            if array is None or array.shape != source.shape:
                return None
            fed.append(array)
        return fed

    def _moved(
        self, match: Match, at: int, mine: Source, theirs: Source, precision: Precision
    ) -> Array | None:
        if mine.value.startswith("parameter:"):
            return self._right(theirs, precision)
        array = self._left(mine, precision)
        if array is None:
            return None
        move = self.subject.across.sources.get((match.left.id, at))
        if move is None:
            move = self._likely(mine, theirs)
        return None if move is None else np.ascontiguousarray(move(array))

    def _likely(self, mine: Source, theirs: Source) -> Arrangement | None:
        """Where the two take different values: as the value itself would go across."""
        root = self.subject.across.values.get(mine.value)
        if root is not None and not mine.ids and root.right == theirs.shape:
            return root
        return next(iter(arrange.candidates(mine.shape, theirs.shape)), None)

    def _left(self, source: Source, precision: Precision) -> Array | None:
        return taken(
            self.subject.torch, "torch", source, precision, self.recorded, self.subject.weights[0]
        )

    def _right(self, source: Source, precision: Precision) -> Array | None:
        return taken(
            self.subject.keras, "keras", source, precision, self.recorded, self.subject.weights[1]
        )


def taken(
    normal: Normal,
    side: Side,
    source: Source,
    precision: Precision,
    recorded: Recorded,
    weights: Mapping[str, Array],
) -> Array | None:
    """What a node saw, from what was recorded; None where it was not."""
    name, _, rest = source.value.partition(":")
    array: Array | None
    if name == "input":
        every = recorded.left_inputs if side == "torch" else recorded.right_inputs
        array = every[int(rest)]
        if array.dtype.kind == "f":
            array = array.astype(precision)
    elif name == "parameter":
        array = weights.get(rest)
        array = None if array is None else array.astype(precision)
    else:
        array = recorded.runs[side, precision].get(f"values/{source.value}")
    if array is None:
        return None
    ids = normal.indices(source)
    return array if ids is None else array.reshape(-1)[ids]


def explain(
    subject: Subject,
    judged: Judged,
    recorded: Recorded,
    *,
    trained: Recorded | None,
    replay: Replay,
    titles: Mapping[str, str],
    inputs: tuple[str, ...],
    notes: tuple[str, ...],
    seconds: Mapping[str, float],
) -> Result:
    """Everything that there is to say.

    Args:
        subject: the two models.
        judged: findings of the runs.
        recorded: the run in evaluation mode.
        trained: the run in training mode, if there was one.
        replay: runs a node of the right's model alone.
        titles, inputs, notes, seconds: go into the result as they are.
    """
    stands = Stands(subject, recorded, judged.layers, replay).all()
    if judged.agrees:
        stands = [_innocent(stand) for stand in stands]
    divergences = [] if judged.agrees else list(_divergences(subject, stands, judged))
    causes = evidence.causes(subject, stands, judged, recorded, trained, divergences)
    layers = _layers(subject, stands)
    return Result(
        verdict=_verdict(judged),
        titles=titles,
        inputs=inputs,
        layers=tuple(layers),
        torch_only=tuple(n.name for n in subject.alignment.left_only),
        keras_only=tuple(n.name for n in subject.alignment.right_only),
        divergences=tuple(divergences),
        causes=causes,
        latent=evidence.latent(subject, trained is not None),
        parts=judged.parts,
        notes=notes + _different_steps(stands, judged),
        edges=tuple(_edges(subject, layers)),
        train=trained is not None,
        seconds=seconds,
    )


def _innocent(stand: Stand) -> Stand:
    """Where all that the models yield agrees, no layer is at fault."""
    return replace(stand, standing="untold") if stand.standing in ("parts", "follows") else stand


def _different_steps(stands: Sequence[Stand], judged: Judged) -> tuple[str, ...]:
    odd = [s.match.left.name for s in stands if s.standing == "untold" and s.finding is not None]
    if not judged.agrees or not odd:
        return ()
    return (
        f"{len(odd)} intermediate values differ though all that the models yield agrees: they "
        f"compute the same in other steps ({', '.join(odd[:4])}{' …' if len(odd) > 4 else ''}).",
    )


def _verdict(judged: Judged) -> Verdict:
    if not judged.parts:
        return "undecided"
    return "agree" if judged.agrees else "differ"


def _divergences(subject: Subject, stands: Sequence[Stand], judged: Judged) -> Iterator[Divergence]:
    """Where the two part, in causal order: weights, layers, then what follows from them."""
    for part in judged.parts:
        if part.stage == "weights" and not part.finding.agrees:
            text = words.parted(part.finding, f"The weight {part.torch}") + "."
            yield Divergence(owner(part.torch), owner(part.keras), "weights", part.finding, text)
    yield from _layer_divergences(subject, stands)
    for part in judged.parts:
        if part.finding.agrees or part.stage == "weights":
            continue
        text = words.parted(part.finding, _capital(part.finding.key)) + "."
        yield Divergence(owner(part.torch), owner(part.keras), part.stage, part.finding, text)


def _layer_divergences(subject: Subject, stands: Sequence[Stand]) -> Iterator[Divergence]:
    lost: set[str] = set()
    for stand in stands:
        mine, theirs = stand.match.left.name, stand.match.right.name
        if stand.standing == "parts" and stand.linked:
            assert stand.finding is not None
            text = "Its inputs agree; " + words.parted(stand.finding, "its output") + "."
            yield Divergence(mine, theirs, "activations", stand.finding, text)
        elif stand.standing == "parts" and stand.alone is not None:
            text = "On its partner's input, " + words.parted(stand.alone, "its output") + "."
            yield Divergence(mine, theirs, "activations", stand.alone, text, alone=True)
        elif stand.standing == "follows":
            yield from _structural(subject, stand, lost)


def _structural(subject: Subject, stand: Stand, lost: set[str]) -> Iterator[Divergence]:
    """An operation without a partner stands before a pair that agrees when fed alike."""
    for side, names in zip(("torch", "keras"), stand.between, strict=True):
        for name in names:
            if f"{side} {name}" in lost:
                continue
            lost.add(f"{side} {name}")
            here, there = ("PyTorch", "Keras") if side == "torch" else ("Keras", "PyTorch")
            text = (
                f"Only {here} has it; {there} has no partner. What comes behind it agrees when it "
                f"is fed alike ({stand.match.left.name} / {stand.match.right.name})."
            )
            yield Divergence(
                name if side == "torch" else None,
                name if side == "keras" else None,
                "structure",
                stand.finding,
                text,
            )


def owner(name: str) -> str:
    """The layer of a parameter's id."""
    return name.rpartition("/")[0] or name


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _layers(subject: Subject, stands: Sequence[Stand]) -> list[Layer]:
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
                order=a.order,
                code={"torch": a.code, "keras": b.code},
            )  # fmt: skip
        )
    only = [
        *(Layer(n.name, None, _kind(n), "unmatched", order=n.order)
          for n in subject.alignment.left_only),
        *(Layer(None, n.name, _kind(n), "unmatched", order=_near(subject, n))
          for n in subject.alignment.right_only),
    ]  # fmt: skip
    return sorted([*found, *only], key=lambda layer: layer.order)


def _kind(node: Merged) -> str:
    name = node.settings.get("name") or node.settings.get("mode")
    return (
        f"{node.kind} {name}"
        if name and node.kind in ("activation", "pool", "reduce")
        else (node.kind)
    )


def _near(subject: Subject, node: Merged) -> int:
    """A place among the left's for what only the right has: behind the partner of its source."""
    partner = {v.id: m.left.order for m in subject.alignment.pairs for v in m.right.values}
    return max((partner[s.value] for s in node.sources if s.value in partner), default=0)


def _edges(subject: Subject, layers: Sequence[Layer]) -> Iterator[Edge]:
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
                yield Edge(edge[0], edge[1])
