"""The search for causes: an ordered list of small rules, and what a cause must withstand.

A *rule* (`RULES`) looks at everything that is known and names causes; it says by itself what it
has proven. A *test* (`TESTS`) then looks at a cause that is called confirmed, and says whether it
still is: a cause that fails one is only suspected. A new rule is a function and a line in a list.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from parity.checker.align.matches import Link, Match
from parity.checker.align.untraced import is_untraced
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.diagnose import (
    bypass,
    chains,
    combined_fix,
    gradient_stops,
    library_advice,
    other_inputs,
    region_tables,
    running_statistics,
    structure,
    tables,
    torch_lines,
    untied,
    written_out,
)
from parity.checker.diagnose.evidence import proven, suspected, unknown
from parity.checker.diagnose.statement_edit import changes, is_statement
from parity.checker.judge import float32_constants
from parity.checker.judge.attribution import AttributedLayer, LayerAttribution
from parity.checker.judge.judging import CheckFindings, RecordedRuns
from parity.checker.judge.stages import Stages
from parity.checker.transfer.comparison import ModelComparison
from parity.core.sides import side_named
from parity.diagnosis.causes import Cause, group
from parity.operations.code import function_name

_ENOUGH = 3
"""So many layers with the same differing settings are proven; further ones are counted."""
_PATIENCE = 60.0
"""Seconds for proofs; what is not reached by then stays suspected."""
_GIVEN = ("constant:", "parameter:")


@dataclass
class Search:
    """All that a rule can look at.

    Attributes:
        attribution: the pairs in evaluation mode.
        layers: what was found of them.
        findings: all findings.
        trained: the run in training mode.
        learning: the pairs in training mode, and what was found of them.
        stages: runs what may fail.
        stops: of gradients, of one side alone, proven.
        found: the causes so far, each with the pair that it was found at, if it was at one.
    """

    attribution: LayerAttribution
    layers: Sequence[AttributedLayer]
    findings: CheckFindings
    trained: RecordedRuns | None
    learning: tuple[LayerAttribution | None, Sequence[AttributedLayer]]
    stages: Stages
    stops: Sequence[gradient_stops.Stop]
    found: list[tuple[Cause, AttributedLayer | None]] = field(default_factory=list)

    @property
    def comparison(self) -> ModelComparison:
        """The two models."""
        return self.attribution.comparison

    @cached_property
    def prover(self) -> _Prover:
        """Proves pair after pair."""
        return _Prover(self.attribution)

    @cached_property
    def exchanges(self) -> list[chains.Exchange]:
        """Where the same steps stand in another order."""
        find = partial(chains.exchanges, self.attribution, self.layers)
        return self.stages.listed("steps in another order", find)


Found = Iterable[tuple[Cause, AttributedLayer | None]]


def find_causes(search: Search) -> tuple[Cause, ...]:
    """Everything that explains a difference, grouped, in the order of execution."""
    for rule in RULES:
        if rule.otherwise and search.found:
            continue
        search.found += search.stages.listed(rule.name, partial(rule.find, search))
    tested = [_tested(search, cause, layer) for cause, layer in search.found]
    known = [c for c in tested if c.kind != "unknown"]
    known = [c for c in known if c.confirmed or not _has_moved(search, c)] or known
    if not known:
        return group(replace(c, fix="") for c in tested[:1])
    codes = {node.name: node.code for node in search.comparison.keras.nodes}
    if search.comparison.corrected == "torch":
        known = [torch_lines.of_torch(search.comparison, cause) for cause in known]
    libraries = search.comparison.graphs[1].libraries
    joined = [_in_its_place(search, c) for c in combined_fix.together(_once(known), codes)]
    return group(library_advice.advised(cause, libraries) for cause in joined)


def _tested(search: Search, cause: Cause, layer: AttributedLayer | None) -> Cause:
    """The cause as it stands; suspected where a test finds that it is not proven."""
    if not cause.confirmed or layer is None:
        return cause
    for test in TESTS:
        holds = partial(test, search, cause, layer)
        if not search.stages.attempt(f"{cause.kind} of {cause.right[0]}", holds, False):
            line = cause.fix if _is_stated(cause, layer) else ""  # nobody is sent to change that
            return replace(
                cause, status="suspected", residual_ratio=None, share=None, proof="none", fix=line
            )
    return cause


def _in_its_place(search: Search, cause: Cause) -> Cause:
    """The cause, in words where the line changes another call than the one that was executed.

    ``self.act(x + ops.sigmoid(y))`` has two that may be the sigmoid which has to be a tanh.
    """
    graph, name = search.comparison.graphs[1], cause.right[0]
    code = next((n.code for n in search.comparison.keras.nodes if n.name == name), "")
    part = graph.executed(name)
    if not part or not cause.fix or cause.fix.startswith("#") or not is_statement(code):
        return cause
    if cause.kind == "epsilon":  # of a normalisation in several operations: none of them alone
        return cause
    if "\n" in cause.fix or changes(code, cause.fix, part):
        return cause
    called = (function_name(part) and part.partition("(")[0]) or part
    return replace(cause, fix=f"# {code}: {called} in it must be {cause.left[1]}")


def _once(found: Sequence[Cause]) -> list[Cause]:
    """Each structural cause is seen by every consumer, and named once."""
    seen: dict[tuple[str, str, str], Cause] = {}
    for cause in found:
        key = (cause.kind, cause.left[0], cause.right[0])
        if key not in seen or (cause.confirmed and not seen[key].confirmed):
            seen[key] = cause
    return list(seen.values())


class _Prover:
    """Proves pair after pair; what is proven often enough is only counted from then on."""

    def __init__(self, attribution: LayerAttribution) -> None:
        self._attribution, self._begun = attribution, time.monotonic()
        self._proven: dict[tuple[object, ...], list[list[Cause]]] = {}

    def __call__(self, layer: AttributedLayer) -> list[Cause]:
        match = layer.match
        told = suspected(match)
        key = tuple((c.kind, c.left[1], c.right[1]) for c in told)
        known = self._proven.setdefault((match.left.kind, *key), [])
        # Only where settings say all: hidden faults are of each layer's own.
        alike = [c for c in known if {(x.kind, x.left[1], x.right[1]) for x in c} <= set(key)]
        if len(alike) >= _ENOUGH and len(alike) == len(known):
            return [
                replace(c, left=(match.left.name, c.left[1]), right=(match.right.name, c.right[1]))
                for c in known[0]
            ]
        if time.monotonic() - self._begun > _PATIENCE:
            return told or [unknown(match)]
        found = proven(self._attribution, layer, "evaluate")
        if all(c.confirmed for c in found):
            known.append(found)
        return found


# Rules


def _exchanged(search: Search) -> Found:
    """Steps in another order, where what is returned differs: else that changes nothing."""
    if all(p.finding.agrees for p in search.findings.parts if p.stage == "outputs"):
        return
    for one in search.exchanges:
        yield chains.exchange_cause(search.attribution, one), None


def _of_pairs(search: Search) -> Found:
    """Pairs that diverge by themselves, and what stands before them on one side only."""
    moved = {id(layer) for one in search.exchanges for layer in one.layers}
    for layer in search.layers:
        if id(layer) in moved and layer.status != "diverges":
            continue  # it takes another thing for the order of the steps alone
        standing_out = layer.status == "diverges" and any(layer.between)
        leads = bypass.leads_in(search.attribution, layer)
        if layer.status == "downstream" or standing_out or leads:
            yield from ((c, layer) for c in _standing_before(search, layer, leads=leads))
        if layer.status == "diverges" and not float32_constants.few_digits(layer):
            yield from ((c, layer) for c in _of_pair(search, layer))


def _few_digits(search: Search) -> Found:
    """Pairs that differ by the digits of a number: a cause where there is no other."""
    for layer in search.layers:
        if layer.status == "diverges" and float32_constants.few_digits(layer):
            yield from ((c, layer) for c in _of_pair(search, layer))


def _standing_before(search: Search, layer: AttributedLayer, *, leads: bool) -> list[Cause]:
    what = f"what stands before {layer.match.right.name}"
    if leads:  # to two kinds of layer: the steps and the one may stand in place of the other
        replaced = partial(other_inputs.replacement_causes, search.attribution, layer)
        if found := search.stages.listed(what, replaced):
            return found
    return search.stages.listed(what, partial(structure.structural, search.attribution, layer))


def _of_pair(search: Search, layer: AttributedLayer) -> list[Cause]:
    match = layer.match
    what = f"the proof of {match.left.name} / {match.right.name}"
    # Of tables and masks the place tells, and no factor between two huge numbers.
    for find in (tables.table_causes, structure.masked_otherwise, chains.chain_causes):
        if found := search.stages.listed(what, partial(find, search.attribution, layer)):
            return found
    told = suspected(match) or [unknown(match)]
    found = search.stages.attempt(what, partial(search.prover, layer), told)
    if not all(c.confirmed for c in found):
        taking = partial(other_inputs.input_causes, search.attribution, layer)
        taken = search.stages.listed(what, taking)
        found = taken or found
    if is_untraced(match.left) or is_untraced(match.right):
        found = [replace(c, fix="") for c in found]  # which line it is, nobody knows
    return found


def _at_outputs(search: Search) -> Found:
    """An operation at the very end that only one side has."""
    for cause in structure.at_outputs(search.comparison, search.attribution):
        yield cause, None


def _masks(search: Search) -> Found:
    """Scores that one side masks and the other does not."""
    for cause in structure.masks(search.attribution, search.layers):
        yield cause, None


def _written_out(search: Search) -> Found:
    """One side's function that stands in steps on the other; its steps are no causes then."""
    for names, cause in written_out.causes(search.attribution):
        steps = {id(c): c for c, _ in search.found if names & {c.left[0], c.right[0]}}
        # Which places are masked is seen in the numbers, whatever steps they are made in.
        masks = {at for at, c in steps.items() if c.kind == "mask" and not cause.confirmed}
        gone = steps.keys() - masks
        search.found[:] = [(c, at) for c, at in search.found if id(c) not in gone]
        if not masks:
            yield cause, None


def _tables_of_regions(search: Search) -> Found:
    """A table that differs in steps which both sides write otherwise; the steps are no causes."""
    for names, cause in region_tables.causes(search.attribution):
        found = [(c, at) for c, at in search.found if names & {c.left[0], c.right[0]}]
        if any(_tested(search, c, at).confirmed for c, at in found):
            continue
        inside = [c for c, _ in found]
        search.found[:] = [(c, at) for c, at in search.found if c not in inside]
        search.attribution.settle_unlike(names)
        yield cause, None


def _reordered(search: Search) -> Found:
    """All layers agree, and the outputs are their numbers in another order."""
    for cause in structure.reordered(search.comparison, search.attribution):
        yield cause, None


def _first_failing(search: Search) -> Found:
    """Nothing could be recomputed: what the first pair that differs tells by itself."""
    for layer in search.layers:
        if layer.status != "inconclusive" or layer.finding is None or layer.finding.agrees:
            continue
        left, right = layer.match.left, layer.match.right
        known = other_inputs.input_causes(
            search.attribution, layer
        ) or other_inputs.replacement_causes(search.attribution, layer)
        if not known:
            known = [
                *(Cause("missing_layer", (name, name), ("", "none")) for name in layer.between[0]),
                *(Cause("extra_layer", ("", "none"), (name, name)) for name in layer.between[1]),
            ]
            if left.kind != right.kind:
                known.append(Cause("operation", (left.name, left.kind), (right.name, right.kind)))
        for cause in known or suspected(layer.match):
            yield cause, layer
        return


def _unshared(search: Search) -> Found:
    """One weight, used twice, that is two on the other side."""
    for cause in structure.unshared(search.comparison, search.findings):
        yield cause, None


def _frozen(search: Search) -> Found:
    """Weights that one side trains and the other does not."""
    for cause in structure.frozen(search.findings):
        yield cause, None


def _unlearnt(search: Search) -> Found:
    """Rows of a table that one side never learns."""
    attribution = search.attribution
    for cause in tables.unlearnt_rows(search.comparison, search.findings, attribution.recorded):
        yield cause, None


def _stopped(search: Search) -> Found:
    """Gradients that one side stops."""
    for cause in gradient_stops.gradient_causes(search.stops):
        yield cause, None


def _dropouts(search: Search) -> Found:
    """Dropouts of another rate or kind, or active in evaluation."""
    for cause in structure.dropped(search.comparison, search.findings):
        yield cause, None


def _in_training(search: Search) -> Found:
    """Pairs that agree in evaluation and diverge in training mode."""
    attribution, layers = search.learning
    for layer in layers:
        if attribution is not None and layer.status == "diverges":
            match = layer.match
            what = f"the proof of {match.left.name} / {match.right.name} in training"
            told = suspected(match) or [unknown(match)]
            proof = partial(proven, attribution, layer, "train")
            yield from ((c, None) for c in search.stages.attempt(what, proof, told))


def _momenta(search: Search) -> Found:
    """Running statistics that parted."""
    if search.trained is not None:
        for cause in running_statistics.momenta(search.comparison, search.findings, search.trained):
            yield cause, None


@dataclass(frozen=True)
class CauseRule:
    """One way to find causes.

    Attributes:
        name: in words, as a note says it when the rule fails.
        find: yields each cause with the pair that it was found at, or None.
        otherwise: asked only if no rule before it has found anything.
    """

    name: str
    find: Callable[[Search], Found]
    otherwise: bool = False


RULES: tuple[CauseRule, ...] = (
    CauseRule("steps in another order", _exchanged),
    CauseRule("pairs that diverge", _of_pairs),
    CauseRule("numbers with few digits", _few_digits, otherwise=True),
    CauseRule("operations at the end", _at_outputs),
    CauseRule("masked scores", _masks),
    CauseRule("tables in other steps", _tables_of_regions),
    CauseRule("functions written out", _written_out),
    CauseRule("outputs in another order", _reordered, otherwise=True),
    CauseRule("the first pair that differs", _first_failing, otherwise=True),
    CauseRule("shared weights", _unshared),
    CauseRule("frozen weights", _frozen),
    CauseRule("rows that never learn", _unlearnt),
    CauseRule("stopped gradients", _stopped),
    CauseRule("dropouts", _dropouts),
    CauseRule("pairs in training mode", _in_training),
    CauseRule("running statistics", _momenta),
)


# Tests


CauseTest = Callable[[Search, Cause, AttributedLayer], bool]
"""Whether a confirmed cause withstands it."""


def _is_used(search: Search, cause: Cause, layer: AttributedLayer) -> bool:
    """What the repaired pair gives is what the next pair takes, and that then agrees.

    Two nodes that merely look alike, as a product and a sum of two formulas written otherwise, can
    always be made to agree by replacing the one with the other; what comes behind gives them away.
    """
    if cause.proof not in ("recomputed", "values") or cause.kind == "units":
        return True  # how wide a layer is stands in its weights
    pair, attribution = layer.match, search.attribution
    if any(_joins(link, pair) for link in search.comparison.output_links):
        return True
    used = seen = False
    alike = layer.linked
    for other in search.layers:
        links = [link for link in other.match.links if _joins(link, pair)]
        alike = alike and all(attribution.takes_same(other.match, link) for link in links)
        right = other.status in ("agrees", "downstream", "other_steps")
        sound = right or _understood(search, other) or _only_wider(search, other)
        traced = not (is_untraced(other.match.left) or is_untraced(other.match.right))
        used, seen = used or bool(links and sound), seen or bool(links and (traced or sound))
    if not seen:  # what takes it was not seen by the tracer, or has no partner
        elsewhere = _lone_behind(search, layer) or _is_taken_apart(search, layer)
        return _is_stated(cause, layer) and (not elsewhere or _agrees_behind(search, layer))
    # Of a pad that is cropped again the next pair sees nothing.
    return used and not alike


def _is_one_layer(search: Search, cause: Cause, layer: AttributedLayer) -> bool:
    """What is read off the weights, as a width is, is said of two layers in the same place.

    Both take one thing, and something takes both: two layers of another width that lie elsewhere,
    a projection here and one of an expert there, are two layers.
    """
    if cause.proof != "settings" and cause.kind != "units":
        return True
    pair = layer.match
    flowing = [
        link
        for link in pair.links
        if any(s is None or not s.value.startswith(_GIVEN) for s in (link.left, link.right))
    ]
    behind = [*search.comparison.output_links, *(k for o in search.layers for k in o.match.links)]
    same = bool(flowing) and all(link.same for link in flowing) and not any(layer.between)
    return same and any(_joins(link, pair) for link in behind)


def _stands_alone(search: Search, cause: Cause, layer: AttributedLayer) -> bool:
    """No step that only one side has stands beside a pair whose settings do not tell.

    Such a pair and the step may be one formula in two spellings: a norm, and the root of a sum of
    squares. Where the settings of one kind of layer differ, no spelling explains that.
    """
    if cause.proof not in ("recomputed", "values") or _is_stated(cause, layer):
        return True
    if layer.status == "inconclusive":
        return True  # the steps beside it are part of what is said
    return not any(layer.between) and not _lone_behind(search, layer)


def _lone_behind(search: Search, layer: AttributedLayer) -> bool:
    """Whether a step that one side has alone works on what the pair gives."""
    comparison, attribution = search.comparison, search.attribution
    mine = _behind(comparison.torch, layer.match.left)
    theirs = _behind(comparison.keras, layer.match.right)
    lone = [
        *(("torch", node) for node in mine if node in comparison.left_only),
        *(("keras", node) for node in theirs if node in comparison.right_only),
    ]
    return any(not attribution.idle(side_named(side), node.name) for side, node in lone)


def _is_taken_apart(search: Search, layer: AttributedLayer) -> bool:
    """Whether what a pair without weights gives is taken by nodes that have other partners.

    Such steps look alike everywhere: a sum by which one side divides, and another sum. Where the
    two take what agrees, they stand in one place.
    """
    pair = layer.match
    return not (pair.left.parameters or layer.linked) and any(
        (pair.left.value in _takes(other.match.left))
        != (pair.right.value in _takes(other.match.right))
        for other in search.layers
        if not (is_untraced(other.match.left) or is_untraced(other.match.right))
    )


def _takes(node: CanonicalNode) -> set[str]:
    """The values that a node takes."""
    return {source.value for source in node.sources}


def _agrees_behind(search: Search, layer: AttributedLayer) -> bool:
    """Whether a pair behind such steps agrees when it is fed alike; of a pair without weights,
    when the right takes there what the left gives here."""
    attribution, pair = search.attribution, layer.match
    downstream = [other for other in search.layers if other.status == "downstream"]
    if not pair.left.parameters:
        return any(attribution.agrees_from(pair, other.match) for other in downstream)
    starts = partial(bypass.starts, attribution)
    return any(any(o.between) and pair.left.value in starts(o) for o in downstream)


def _has_tied_weights(search: Search, cause: Cause, layer: AttributedLayer) -> bool:
    """The pair takes no weights that have as many numbers on both sides and no partners there.

    Such weights have numbers of their own, and what is made of them differs for that alone. A
    setting that says so differs whatever they are.
    """
    if cause.proof not in ("recomputed", "values") or _is_stated(cause, layer):
        return True
    return not untied.takes_unrelated(search.comparison, layer.match)


def _begins_soundly(search: Search, cause: Cause, layer: AttributedLayer) -> bool:
    """What goes into a step that one side has alone is right, or wrong for a setting that says so.

    Behind a pair that diverges for reasons that nobody sees, the pair and the step may be one.
    """
    if cause.proof != "bypass":
        return True
    attribution = search.attribution
    made = {value.id: x for x in search.layers for value in x.match.left.values}
    for value in bypass.starts(attribution, layer):
        if attribution.agreeing.get(value) or value in attribution.following:
            continue
        maker = made.get(value)
        if maker is None and value.startswith(("constant:", "parameter:")):
            continue
        own = [c for c, at in search.found if at is maker and maker is not None]
        if maker is None or not own or not all(c.confirmed and _is_stated(c, maker) for c in own):
            return False
    return True


_OF_PLACES = frozenset({"order", "wiring"})
"""Kinds of cause that say which value stands where."""


def _follows_what_is_known(search: Search, cause: Cause, layer: AttributedLayer) -> bool:
    """What a step or an order of operands is about differs for no reason that nobody knows.

    A deviation and an epsilon behind it stand for a variance, an epsilon and a root: each of them
    fed alike agrees, and the root is missing; it is one formula written otherwise. Walked back to
    what agrees or has weights, which no formula goes beyond.
    """
    if layer.linked or (cause.proof != "bypass" and cause.kind not in _OF_PLACES):
        return True
    made = {value.id: x for x in search.layers for value in x.match.left.values}
    waiting, seen = [s.value for s in layer.match.left.sources], set[str]()
    while waiting:
        value = waiting.pop()
        node = search.comparison.torch.producers.get(value)
        if value in seen or node is None or search.attribution.agreeing.get(value):
            continue
        seen.add(value)
        at = made.get(value)
        if at is not None and at.status == "diverges":
            own = [_tested(search, cause, at) for cause, found in search.found if found is at]
            if not own or not all(one.confirmed for one in own):
                return False
        if not node.parameters:
            waiting += [s.value for s in node.sources]
    return True


def _is_nowhere_else(search: Search, cause: Cause, layer: AttributedLayer) -> bool:
    """A layer with weights that is left over here is not left over there, too: then it has moved.

    With norms before the convolutions instead of behind them, one convolution of a block is too
    many at the one place and missing at the other, and neither is. A direction that a layer lacks
    may be a layer of its own.
    """
    comparison = search.comparison
    if cause.kind == "direction":
        lone = (*comparison.left_only, *comparison.right_only)
        return not any(node.kind == "recurrent" for node in lone)
    if cause.proof != "bypass":
        return True
    mine = [comparison.lone("torch", name) for name in layer.between[0]]
    theirs = [comparison.lone("keras", name) for name in layer.between[1]]
    there = _weighted(comparison.keras, comparison.right_only)
    here = _weighted(comparison.torch, comparison.left_only)
    moved = [*_weighted(comparison.torch, mine), *_weighted(comparison.keras, theirs)]
    return not any(weights in (there if mine else here) for weights in moved)


def _has_moved(search: Search, cause: Cause) -> bool:
    """Whether a layer with weights is called missing or extra that is left over there, too."""
    comparison = search.comparison
    sides = (
        ("missing_layer", cause.left[0], comparison.torch, comparison.left_only),
        ("extra_layer", cause.right[0], comparison.keras, comparison.right_only),
    )
    for (kind, name, graph, only), (*_, other, rest) in (sides, sides[::-1]):
        if cause.kind == kind:
            moved = _weighted(graph, [node for node in only if node.name == name])
            return any(weights in _weighted(other, rest) for weights in moved)
    return False


def _weighted(
    graph: CanonicalGraph, nodes: Sequence[CanonicalNode]
) -> list[tuple[str, list[tuple[int, ...]]]]:
    """The kind and the shapes of the weights of each node that has any."""
    return [
        (node.kind, sorted(tuple(graph.parameters[p].shape) for p in node.parameters.values()))
        for node in nodes
        if node.parameters
    ]


def _behind(graph: CanonicalGraph, start: CanonicalNode) -> Iterator[CanonicalNode]:
    """What comes behind a node, up to the next layer that has weights."""
    reached = {start.value}
    for node in graph.nodes:
        if any(source.value in reached for source in node.sources):
            yield node
            if not node.parameters:
                reached.add(node.value)


def _is_stated(cause: Cause, layer: AttributedLayer) -> bool:
    """Whether a setting of one kind of layer says so on both sides."""
    if cause.kind in ("operation", "pooling", "normalisation"):
        return False
    return any(told.kind == cause.kind for told in suspected(layer.match))


def _only_wider(search: Search, layer: AttributedLayer) -> bool:
    """Whether a pair differs in how many channels its kernel takes, which is a consequence."""
    left, right = layer.match.left, layer.match.right
    if left.kind != right.kind or "kernel" not in left.parameters or suspected(layer.match):
        return False
    mine = search.comparison.torch.parameters[left.parameters["kernel"]].shape
    theirs = search.comparison.keras.parameters[right.parameters["kernel"]].shape
    return (*mine[:-2], mine[-1]) == (*theirs[:-2], theirs[-1]) and mine[-2] != theirs[-2]


def _joins(link: Link, pair: Match) -> bool:
    """Whether a link takes what a pair gives on both sides, with nothing between."""
    return (
        link.left is not None
        and link.right is not None
        and not (link.left_between or link.right_between)
        and any(link.left.value == value.id for value in pair.left.values)
        and any(link.right.value == value.id for value in pair.right.values)
    )


def _understood(search: Search, layer: AttributedLayer) -> bool:
    """Whether a pair diverges for reasons of its own, which are proven."""
    own = [cause for cause, at in search.found if at is layer]
    return layer.status == "diverges" and bool(own) and all(c.confirmed for c in own)


TESTS: tuple[CauseTest, ...] = (
    _is_used,
    _is_one_layer,
    _has_tied_weights,
    _stands_alone,
    _begins_soundly,
    _follows_what_is_known,
    _is_nowhere_else,
)
