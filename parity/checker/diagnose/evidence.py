"""What a proof needs of a pair that diverges: nodes, arrays and bounds; and the causes found."""

from __future__ import annotations

import itertools
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from parity.checker.align.matches import Match
from parity.checker.align.untraced import is_untraced
from parity.checker.canonical.canonical_graph import CanonicalNode
from parity.checker.diagnose import (
    combined_fix,
    gradient_stops,
    other_inputs,
    structure,
    tables,
    written_out,
)
from parity.checker.diagnose.other_inputs import as_node
from parity.checker.diagnose.repair import ProofInput, prove
from parity.checker.diagnose.settings import differing
from parity.checker.graph import arrangement
from parity.checker.graph.model_interface import Array, Mode
from parity.checker.judge.attribution import AttributedLayer, LayerAttribution, source_array
from parity.checker.judge.judging import CheckFindings, RecordedRuns, weight_arrays
from parity.checker.transfer.comparison import ModelComparison, unique_mappings
from parity.checker.transfer.mapping import WeightMapping
from parity.comparator.noise import FALLBACK, SHRINK, U64, C, Finding
from parity.diagnosis.causes import Cause, group, value_text
from parity.operations.function import apply
from parity.reference.layers import channel_axis

_LOG = logging.getLogger("parity")
_ENOUGH = 3
"""So many layers with the same differing settings are proven; further ones are counted."""
CUMULATIVE = "none: the average of all batches"
_PATIENCE = 60.0
"""Seconds for proofs; what is not reached by then stays suspected."""


def find_causes(
    attribution: LayerAttribution,
    layers: Sequence[AttributedLayer],
    findings: CheckFindings,
    trained: RecordedRuns | None,
    learning: tuple[LayerAttribution | None, Sequence[AttributedLayer]],
) -> tuple[Cause, ...]:
    """Everything that explains a difference, grouped, in the order of execution.

    Args:
        attribution: the pairs in evaluation mode.
        layers: what was found of them.
        findings: all findings.
        trained: the run in training mode.
        learning: the pairs in training mode, and what was found of them.
    """
    comparison = attribution.comparison
    listed: list[Cause] = []
    prove_ = _Prover(attribution)
    for layer in layers:
        if layer.status == "downstream" or (layer.status == "diverges" and any(layer.between)):
            listed += structure.structural(attribution, layer)
        if layer.status == "diverges":
            # Of masks the place tells, and no factor between two huge numbers.
            found_ = (
                tables.table_causes(attribution, layer)
                or list(structure.masked_otherwise(attribution, layer))
                or prove_(layer)
            )
            if not all(c.confirmed for c in found_):
                found_ = other_inputs.input_causes(attribution, layer) or found_
            if is_untraced(layer.match.left) or is_untraced(layer.match.right):
                found_ = [replace(c, fix="") for c in found_]  # which line it is, nobody knows
            listed += found_
    listed += structure.at_outputs(comparison, attribution)
    listed += structure.masks(attribution, layers)
    for names, cause in written_out.causes(attribution):
        listed = [c for c in listed if not names & {c.left[0], c.right[0]}] + [cause]
    if not listed:
        listed += structure.reordered(comparison, attribution)
    if not listed:
        listed += _at_first_failing(attribution, layers)
    listed += structure.unshared(comparison, findings)
    listed += structure.frozen(findings)
    listed += tables.unlearnt_rows(comparison, findings, attribution.recorded)
    listed += gradient_stops.gradient_causes(gradient_stops.stops(comparison, findings))
    listed += structure.dropped(comparison, findings)
    if learning[0] is not None:
        for layer in learning[1]:
            if layer.status == "diverges":
                listed += _proven(learning[0], layer, "train")
    if trained is not None:
        listed += _momentum(comparison, findings, trained)
    known = [c for c in listed if c.kind != "unknown"]
    if not known:
        return group(replace(c, fix="") for c in listed[:1])
    codes = {node.name: node.code for node in comparison.keras.nodes}
    return group(combined_fix.together(_once(known), codes))


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
            return told or [_unknown(match)]
        found = _proven(self._attribution, layer, "evaluate")
        if all(c.confirmed for c in found):
            known.append(found)
        return found


def _at_first_failing(
    attribution: LayerAttribution, layers: Sequence[AttributedLayer]
) -> list[Cause]:
    """Nothing could be recomputed: what the first pair that differs tells by itself."""
    for layer in layers:
        if layer.status != "inconclusive" or layer.finding is None or layer.finding.agrees:
            continue
        left, right = layer.match.left, layer.match.right
        known = other_inputs.input_causes(attribution, layer) or other_inputs.replacement_causes(
            attribution, layer
        )
        if known:
            return known
        listed = [
            *(Cause("missing_layer", (name, name), ("", "none")) for name in layer.between[0]),
            *(Cause("extra_layer", ("", "none"), (name, name)) for name in layer.between[1]),
        ]
        if left.kind != right.kind:
            listed.append(Cause("operation", (left.name, left.kind), (right.name, right.kind)))
        return listed or suspected(layer.match)
    return []


def _once(found: Sequence[Cause]) -> list[Cause]:
    """Each structural cause is seen by every consumer, and named once."""
    seen: dict[tuple[str, str, str], Cause] = {}
    for cause in found:
        seen.setdefault((cause.kind, cause.left[0], cause.right[0]), cause)
    return list(seen.values())


def suspected(match: Match) -> list[Cause]:
    """What differs in the settings of a pair, as it stands there."""
    return [
        Cause(
            s.kind,
            (match.left.name, value_text(s.left)),
            (match.right.name, value_text(s.right)),
            proof="settings",
        )
        for s in differing(as_node(match.left), as_node(match.right))
        if s.kind != "momentum"  # which no evaluation shows
    ]


def _noisy(match: Match, finding: Finding) -> list[Cause]:
    """One side's float32 is further from its float64 than rounding is: it computes in less."""
    own = (finding.own_left or 0.0, finding.own_right or 0.0)
    bits = -math.log2(max(own) / finding.scale) if finding.scale else 0.0
    words = [f"{bits:.0f} bits" if x == max(own) else "float32, 24 bits" for x in own]
    return [Cause("precision", (match.left.name, words[0]), (match.right.name, words[1]))]


def _proven(attribution: LayerAttribution, layer: AttributedLayer, mode: Mode) -> list[Cause]:
    if layer.finding is not None and layer.finding.status == "noisy":
        return _noisy(layer.match, layer.finding)
    given = _evidence(attribution, layer, mode)
    if given is None:
        return suspected(layer.match) or [_unknown(layer.match)]
    found = [_with_momentum(layer.match, cause) for cause in _tried(given, layer.match, mode)]
    named = [
        _unflattened(attribution.comparison, given, layer.match, _sized(given, c)) for c in found
    ]
    named = [_made(attribution.comparison, layer.match, c) for c in named]
    return named or [_unknown(layer.match)]


def _tried(given: ProofInput, match: Match, mode: Mode) -> list[Cause]:
    """What the proof finds; where the proof itself fails, what is suspected."""
    try:
        resting = list(_resting(given)) if mode == "train" else []
        return resting or list(prove(given))
    except Exception:  # whatever a strange layer does to the proof, the verdict stands without it
        _LOG.warning(
            "The proof of why %s and %s differ failed; what differs in their settings is given as "
            "suspected. The verdict does not depend on it. Please report this.",
            match.left.name,
            match.right.name,
            exc_info=True,
        )
        return suspected(match)


def _with_momentum(match: Match, cause: Cause) -> Cause:
    """A corrected line of a batch norm is right in training, too."""
    mine, theirs = (n.settings.get("momentum") for n in (match.left, match.right))
    if cause.kind == "momentum" or not cause.fix or mine is None or theirs is None:
        return cause
    if match.right.kind != "batch_norm" or cause.fix_side != "right" or abs(mine - theirs) < 1e-7:
        return cause
    return replace(cause, fix=with_keyword(cause.fix, "momentum", f"{mine:.6g}"))


def _sized(given: ProofInput, cause: Cause) -> Cause:
    """Weights of another shape are no other weights, but another width."""
    if cause.kind == "constant" and given.left.kind == "affine":
        return replace(cause, kind=_arithmetic(given))
    if cause.kind != "weights":
        return cause
    gates = _gates(given)
    if gates is not None:
        return replace(
            cause,
            kind="gate_order",
            left=(cause.left[0], "gates in order"),
            right=(cause.right[0], f"gates {gates}"),
            fix="",
        )
    for role, mine in given.left_parameters.items():
        theirs = given.right_parameters.get(role)
        if theirs is not None and theirs.shape != mine.shape:
            shapes = [" × ".join(map(str, a.shape)) for a in (mine, theirs)]
            return replace(
                cause,
                kind="activation" if role == "alpha" else "units",
                left=(cause.left[0], f"{role} {shapes[0]}"),
                right=(cause.right[0], f"{role} {shapes[1]}"),
                fix="",
            )
    return cause


def _made(comparison: ModelComparison, match: Match, cause: Cause) -> Cause:
    """Weights that both models make of others are not other weights, but made in another way."""
    made = [
        one.role
        for one in comparison.axis_maps.weight_mappings
        if one.pair is match and one.left.computed and one.right.computed
    ]
    if cause.kind != "weights" or not made:
        return cause
    words = [f"{made[0]} as its code makes it", f"{made[0]} made in another way"]
    return replace(cause, left=(cause.left[0], words[0]), right=(cause.right[0], words[1]), fix="")


def _arithmetic(given: ProofInput) -> str:
    """Whether two chains of arithmetic differ in a factor or in a summand."""
    steps = [n.settings.get("steps", []) for n in (given.left, given.right)]
    factors = [[s for s in some if s[0] in ("multiply", "divide")] for some in steps]
    return "scale" if factors[0] != factors[1] else "offset"


def _resting(given: ProofInput) -> Iterator[Cause]:
    """A batch norm that uses its running statistics in training."""
    if given.left.kind != "batch_norm" or given.right.kind != "batch_norm":
        return
    for node, sources, output, parameters, side in (
        (given.left, given.left_sources, given.left_output, given.left_parameters, 0),
        (given.right, given.right_sources, given.right_output, given.right_parameters, 1),
    ):
        settings = {**node.settings, "channels": given.right.settings.get("channels", "last")}
        told = apply("batch_norm", settings, parameters, sources, mode="evaluate")
        apart = float(np.max(np.abs(told - output), initial=0.0))
        if apart <= given.tolerance:
            words_ = ["the batch's statistics", "the batch's statistics"]
            words_[side] = "its running statistics, as if frozen"
            yield Cause(
                "frozen",
                (given.left.name, words_[0]),
                (given.right.name, words_[1]),
                "confirmed",
                apart / given.tolerance,
                1.0,
                "recomputed",
                fix=f"{given.right.name}.trainable = True" if side else "",
            )
            return


def _gates(given: ProofInput) -> str | None:
    """In which order the right has the left's gates, if that is all that differs."""
    count = {"lstm": 4, "gru": 3}.get(str(given.left.settings.get("cell")), 0)
    roles = [r for r in given.left_parameters if r.endswith("kernel")]
    if given.left.kind != "recurrent" or not count or not roles:
        return None
    for order in itertools.permutations(range(count)):
        if all(
            _turned(given.left_parameters[r], given.right_parameters.get(r), order) for r in roles
        ):
            return ", ".join(str(g) for g in order)
    return None


def _turned(mine: Array, theirs: Array | None, order: Sequence[int]) -> bool:
    """Whether the one has the other's gates in this order."""
    if theirs is None or theirs.shape != mine.shape:
        return False
    gates = np.split(mine, len(order), axis=-1)
    return np.allclose(np.concatenate([gates[g] for g in order], -1), theirs, rtol=1e-6, atol=0)


def _unflattened(
    comparison: ModelComparison, given: ProofInput, match: Match, cause: Cause
) -> Cause:
    """A dense kernel whose rows stand as the other side flattens."""
    if cause.kind != "weights" or match.left.kind != "dense":
        return cause
    if np.array_equal(given.left_parameters["kernel"], given.right_parameters["kernel"]):
        return cause  # row by row the same: it is another weight that differs
    mine = np.asarray(comparison.weights[0][match.left.parameters["kernel"]])
    theirs = np.asarray(comparison.weights[1][match.right.parameters["kernel"]])
    if mine.shape != theirs.shape or not np.allclose(mine, theirs, rtol=1e-6, atol=0):
        return cause
    return replace(
        cause,
        kind="flatten_order",
        left=(cause.left[0], "rows as PyTorch flattens"),
        right=(cause.right[0], "the same rows, but Keras flattens channels last"),
        fix="",
    )


def _unknown(match: Match) -> Cause:
    left, right = match.left, match.right
    return Cause(
        "unknown", (left.name, left.code or left.kind), (right.name, right.code or right.kind)
    )


def _evidence(
    attribution: LayerAttribution, layer: AttributedLayer, mode: Mode
) -> ProofInput | None:
    match, comparison = layer.match, attribution.comparison
    mine = match.left.values[0]
    raw = attribution.recorded.runs["torch", attribution.recorded.best].get(f"values/{mine.id}")
    sources = attribution.left_sources(match)
    fed, output = layer.inputs(), layer.output()
    if raw is None or fed is None or output is None or sources is None:
        return None
    parameters = _parameters(comparison, match)
    ways = [comparison.axis_maps.sources.get((match.left.id, link.at)) for link in match.links]
    first = next((w for w in ways if w is not None and w.axes is not None), None)
    if first is None and match.left.sources and not match.left.sources[0].ids:
        first = comparison.axis_maps.values.get(match.left.sources[0].value)
    axes = None
    if first is not None and first.axes is not None:
        axes = [first.axes.index(axis) for axis in range(len(first.axes))]
    return ProofInput(
        left=as_node(match.left),
        right=as_node(match.right),
        left_sources=sources,
        right_sources=fed,
        left_output=_arranged(comparison, match, raw, axes),
        right_output=output,
        left_parameters=parameters[0],
        right_parameters=parameters[1],
        bound=_bound(layer.alone or layer.finding, raw),
        axes=axes,
        spatial=_spatial(comparison, match),
        mode=mode,
    )


def _arranged(
    comparison: ModelComparison, match: Match, array: Array, axes: Sequence[int] | None
) -> Array:
    move = comparison.axis_maps.values.get(match.left.values[0].id)
    if move is not None:
        return move(array)
    if axes is not None and len(axes) == array.ndim:  # of another shape, but laid out as its source
        return array.transpose([list(axes).index(axis) for axis in range(len(axes))])
    first, other = (n.settings.get("channels") for n in (match.left, match.right))
    if array.ndim > 2 and first == "first" and other == "last":
        return arrangement.channels_moved(array.shape)(array)
    return array


def _bound(finding: Finding | None, array: Array) -> float:
    if finding is not None and finding.noise is not None:
        return C * SHRINK * finding.noise
    scale = float(np.max(np.abs(array), initial=0.0))
    if finding is not None and finding.rule == "fallback":
        return FALLBACK["float32"][0] * scale + FALLBACK["float32"][1]
    return C * U64 * scale


def _parameters(
    comparison: ModelComparison, match: Match
) -> tuple[dict[str, Array], dict[str, Array]]:
    left, right = comparison.weights
    mine: dict[str, Array] = {}
    theirs: dict[str, Array] = {}
    for role, name in match.left.parameters.items():
        mapping = next(
            (
                t
                for t in comparison.axis_maps.weight_mappings
                if t.left.id == name and t.pair is match and t.role == role
            ),
            None,
        )
        array = np.asarray(left[name], np.float64)
        mine[role] = array if mapping is None or mapping.index is None else mapping.to_right(array)
    for role, name in match.right.parameters.items():
        theirs[role] = np.asarray(right[name], np.float64)
    return mine, theirs


def _spatial(comparison: ModelComparison, match: Match) -> tuple[int, ...]:
    """(height, width, channels) of the image behind a dense layer's features."""
    source = match.right.sources[0] if match.right.sources else None
    if source is None or not source.ids or match.right.kind != "dense":
        return ()
    maker = comparison.keras.producers.get(source.value)
    shape = maker.values[0].shape if maker else ()
    return shape[1:] if len(shape) == 4 else ()


def _momentum(
    comparison: ModelComparison, findings: CheckFindings, trained: RecordedRuns
) -> Iterator[Cause]:
    """Running statistics that parted: computed again with the other side's momentum."""
    failing = {p.torch for p in findings.parts if p.stage == "state" and not p.finding.agrees}
    for one in unique_mappings(comparison.axis_maps.weight_mappings):
        mine = one.pair.left.settings.get("momentum")
        theirs = one.pair.right.settings.get("momentum")
        cumulative = bool(one.pair.left.settings.get("cumulative"))
        if cumulative:
            mine = 0.0  # the average of all batches so far is, after one, that batch's
        if one.left.id not in failing or mine is None or theirs is None or mine == theirs:
            continue
        arrays = weight_arrays(one, trained, "state")
        if arrays.left64 is None or arrays.right64 is None or mine == 1:
            continue
        old = one.to_right(np.asarray(comparison.weights[0][one.left.id]))
        batch = (arrays.left64 - mine * old) / (1 - mine)
        repaired = theirs * old + (1 - theirs) * batch
        finding = next(
            p.finding for p in findings.parts if p.stage == "state" and p.torch == one.left.id
        )
        bound = max(_bound(finding, arrays.left64), 64 * U64 * float(np.max(np.abs(batch))))
        ratio = float(np.max(np.abs(repaired - arrays.right64))) / bound
        if ratio > 1:  # what the two were fed differs already: each on its own
            ratio = min(ratio, _moved_by(one, comparison, trained, (mine, theirs), bound))
        cause = Cause(
            "momentum",
            (one.pair.left.name, CUMULATIVE if cumulative else f"{1 - mine:.6g}"),
            (one.pair.right.name, f"{theirs:.6g}"),
            "confirmed" if ratio <= 1 else "suspected",
            ratio,
            1.0,
            "state",
            fix=averaging(one.pair.right)
            if cumulative
            else with_keyword(one.pair.right.code, "momentum", f"{mine:.6g}"),
        )
        yield cause


def _moved_by(
    one: WeightMapping,
    comparison: ModelComparison,
    trained: RecordedRuns,
    momenta: tuple[float, float],
    bound: float,
) -> float:
    """How far each side's statistic is from what its own momentum makes of its own batch."""
    arrays, apart = weight_arrays(one, trained, "state"), 0.0
    for side, graph in enumerate((comparison.torch, comparison.keras)):
        node = (one.pair.left, one.pair.right)[side]
        x = source_array(graph, node.sources[0], trained.best, trained, comparison.weights[side])
        old = comparison.weights[side].get((one.left, one.right)[side].id)
        after = (arrays.left64, arrays.right64)[side]
        if x is None or old is None or after is None:
            return np.inf
        at = channel_axis(node.settings, x.ndim)
        others = tuple(axis for axis in range(x.ndim) if axis != at)
        batch = x.var(others) if one.role.endswith("variance") else x.mean(others)
        made = momenta[side] * np.asarray(old) + (1 - momenta[side]) * batch
        made = one.to_right(made) if side == 0 else made
        if made.shape != after.shape:
            return np.inf
        apart = max(apart, float(np.max(np.abs(made - after))))
    return apart / bound


def averaging(right: CanonicalNode) -> str:
    """The average of all batches, which Keras' layer has no setting for."""
    return f"{right.name}.momentum = n / (n + 1)  # before batch n = 0, 1, 2, …"


def with_keyword(code: str, name: str, value: str) -> str:
    """A call with one keyword set."""
    head, bracket, rest = code.partition("(")
    if not bracket:
        return f"{name}={value}"
    inner = rest.rstrip(")")
    parts = [p.strip() for p in inner.split(",") if p.strip() and not p.strip().startswith(name)]
    return f"{head}({', '.join([f'{name}={value}', *parts])})"
