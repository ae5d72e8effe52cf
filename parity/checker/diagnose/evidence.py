"""What a proof needs of a pair that diverges: nodes, arrays and bounds; and what it then proves."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from parity.checker.align.matches import Match, source_text
from parity.checker.canonical.canonical_graph import CanonicalGraph
from parity.checker.diagnose import made_weights
from parity.checker.diagnose.fix import shared_line
from parity.checker.diagnose.other_inputs import as_node
from parity.checker.diagnose.repair import ProofInput, prove
from parity.checker.diagnose.settings import differing
from parity.checker.graph import arrangement
from parity.checker.graph.graph import Node, Source
from parity.checker.graph.model_interface import Array, Mode
from parity.checker.judge.attribution import AttributedLayer, LayerAttribution
from parity.checker.transfer.comparison import ModelComparison
from parity.comparator.noise import FALLBACK, SHRINK, U32, U64, C, Finding
from parity.diagnosis.causes import Cause, value_text
from parity.diagnosis.edits import Insertion
from parity.operations.code import changed, function_name
from parity.operations.function import apply


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


def proven(attribution: LayerAttribution, layer: AttributedLayer, mode: Mode) -> list[Cause]:
    """What the proof of one pair finds, in the words of its kind of layer.

    Args:
        attribution: all pairs.
        layer: one that diverges.
        mode: in which it was recorded.

    Returns:
        Confirmed causes; else what is suspected, and at least one of kind ``unknown``.
    """
    if layer.finding is not None and layer.finding.status == "noisy":
        return _noisy(layer.match, layer.finding)
    given = evidence_of(attribution, layer, mode)
    if given is None:
        return suspected(layer.match) or [unknown(layer.match)]
    found = [_with_momentum(layer.match, cause) for cause in _tried(given, mode)]
    named = [
        _unflattened(attribution.comparison, given, layer.match, _sized(given, c)) for c in found
    ]
    named = [_made(attribution.comparison, layer.match, c) for c in named]
    named = [_shared(attribution.comparison, layer.match, c) for c in named]
    return named or [unknown(layer.match)]


def _tried(given: ProofInput, mode: Mode) -> list[Cause]:
    resting = list(_resting(given)) if mode == "train" else []
    return resting or list(prove(given))


def _with_momentum(match: Match, cause: Cause) -> Cause:
    """A corrected line of a batch norm is right in training, too."""
    mine, theirs = (n.settings.get("momentum") for n in (match.left, match.right))
    if cause.kind == "momentum" or not cause.fix or mine is None or theirs is None:
        return cause
    if match.right.kind != "batch_norm" or abs(mine - theirs) < 1e-7:
        return cause
    own = mine if cause.fix_side == "right" else 1 - theirs  # PyTorch says the weight of the new
    return replace(cause, fix=changed(cause.fix, {"momentum": round(own, 12)}))


def _sized(given: ProofInput, cause: Cause) -> Cause:
    """Weights of another shape are no other weights, but another width."""
    if cause.kind == "constant" and given.left.kind == "affine" and _other_steps(given):
        edit = _first_step(given)
        line = cause.fix if edit is None else edit.text
        return replace(cause, kind=_arithmetic(given), fix=line, edit=edit)
    if cause.kind != "weights":
        return cause
    gates = _gates(given)
    if gates is not None:
        return replace(
            cause,
            kind="gate_order",
            left=(cause.left[0], "gates in order"),
            right=(cause.right[0], f"gates {gates}"),
            fix=f"# load the weights of {cause.right[0]} with their gates in PyTorch's order: "
            f"they stand as {gates}",
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
                proof="settings",  # read off the weights
                fix=_widened(given.right, role, mine.shape, theirs.shape)
                if cause.fix_side == "right"
                else "",
            )
    if cause.fix or cause.fix_side == "left":
        return cause
    said = cause.right[1].removeprefix("other numbers in ")
    return replace(cause, fix=f"# load {said} of {cause.right[0]} as {cause.left[0]} has it")


def _widened(node: Node, role: str, wanted: tuple[int, ...], present: tuple[int, ...]) -> str:
    """The line with the width that a weight tells, where it is the last axis alone."""
    code, name = node.code, function_name(node.code)
    if role == "alpha" and name == "PReLU" and len(wanted) == 1 and node.sources:
        every = list(range(1, len(node.sources[0].shape)))  # channels last: the others share
        shared = every[:-1] if wanted[0] > 1 else every
        return changed(code, {"shared_axes": f"={shared}"})
    word = {"Dense": "units", "Conv1D": "filters", "Conv2D": "filters", "Conv3D": "filters"}
    if role != "kernel" or name not in word or wanted[:-1] != present[:-1]:
        return ""
    return changed(code, {word[name]: wanted[-1]})


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
    code = match.right.code
    line = f"# {code}: its {made[0]} must be made of its weights as {cause.left[0]} makes its own"
    left, right = (cause.left[0], words[0]), (cause.right[0], words[1])
    if cause.fix_side == "left":
        return replace(cause, left=left, right=right, fix="")
    edit = made_weights.correction(comparison, match)
    line = line if edit is None else edit.text
    return replace(cause, left=left, right=right, fix=line if code else "", edit=edit)


def _shared(comparison: ModelComparison, match: Match, cause: Cause) -> Cause:
    """Other numbers in a layer that several of the left's have as their own: it is used for all."""
    if cause.kind != "weights":
        return cause
    every = comparison.axis_maps.weight_mappings
    for one in (one for one in every if one.pair is match and one.index is not None):
        own = {other.left.id for other in every if other.right.id == one.right.id}
        whole = {comparison.torch.whole(name) for name in own}
        if len(whole) > 1:
            told = f"one {one.role}, used {len(whole)} times"
            return replace(
                cause,
                left=(cause.left[0], f"{len(whole)} of their own"),
                right=(cause.right[0], told),
                fix=shared_line([cause.right[0]], len(whole), shared=False)
                if cause.fix_side == "right"
                else "",
            )
    return cause


def _other_steps(given: ProofInput) -> bool:
    """Whether a step or its number differs, and not a table that both take."""
    steps = [n.settings.get("steps", []) for n in (given.left, given.right)]
    tables = [at for at, array in enumerate(given.left_sources) if at and array.size > 1]
    return not _same_steps(*steps) or not tables


def _same_steps(mine: Sequence[Any], theirs: Sequence[Any]) -> bool:
    """Whether two chains of arithmetic are one; a number may be rounded to float32."""
    return len(mine) == len(theirs) and all(
        a[0] == b[0]
        and (
            a[1] == b[1]
            or (
                isinstance(a[1], float)
                and isinstance(b[1], float)
                and math.isclose(a[1], b[1], rel_tol=4 * U32)
            )
        )
        for a, b in zip(mine, theirs, strict=True)
    )


def _first_step(given: ProofInput) -> Insertion | None:
    """The factor or summand that only the left begins with."""
    mine, theirs = (list(n.settings.get("steps", ())) for n in (given.left, given.right))
    if given.fix_side == "left":
        return None
    if not mine or mine[1:] != theirs or not isinstance(mine[0][1], int | float):
        return None
    return Insertion(given.right.name, f"ops.{mine[0][0]}(x, {mine[0][1]!r})", "before")


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
        fix=f"# load the kernel of {cause.right[0]} with its rows in the order of (height, width, "
        "channels): PyTorch's stand in that of (channels, height, width)",
    )


def unknown(match: Match) -> Cause:
    """That nothing explains why a pair differs."""
    left, right = match.left, match.right
    return Cause(
        "unknown", (left.name, left.code or left.kind), (right.name, right.code or right.kind)
    )


def evidence_of(
    attribution: LayerAttribution, layer: AttributedLayer, mode: Mode
) -> ProofInput | None:
    """All that a proof needs of a pair; None where some of it was not recorded."""
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
    taken = [n.sources[0] for n in (match.left, match.right) if n.sources and not n.sources[0].ids]
    ranks = {len(source.shape) for source in taken}
    if first is None and len(taken) == 2 and len(ranks) == 1:
        first = attribution.layout(taken[0].value, taken[0].shape)
    if first is not None and first.axes is not None:
        axes = [first.axes.index(axis) for axis in range(len(first.axes))]
    return ProofInput(
        left=as_node(match.left),
        right=as_node(match.right),
        left_sources=sources,
        right_sources=fed,
        left_output=_arranged(attribution, match, raw, axes, output.ndim),
        right_output=output,
        left_parameters=parameters[0],
        right_parameters=parameters[1],
        bound=bound(layer.alone or layer.finding, raw),
        axes=axes,
        spatial=_spatial(comparison, match),
        mode=mode,
        fix_side="left" if comparison.corrected == "torch" else "right",
        source_names=(
            tuple(source_text(comparison.torch, s) for s in match.left.sources),
            tuple(source_text(comparison.keras, s) for s in match.right.sources),
        ),
        fixed=tuple(
            _is_table(comparison.torch, mine) and _is_table(comparison.keras, theirs)
            for mine, theirs in zip(match.left.sources, match.right.sources, strict=False)
        ),
        weights=tuple(
            at
            for at, (mine, theirs) in enumerate(
                zip(match.left.sources, match.right.sources, strict=False)
            )
            if _is_weight(comparison.torch, mine) and _is_weight(comparison.keras, theirs)
        ),
        executed=comparison.graphs[1].executed(match.right.name),
    )


def _is_table(graph: CanonicalGraph, source: Source) -> bool:
    """Whether a source depends on no input of the model."""
    waiting, seen = [source.value], set[str]()
    while waiting:
        value = waiting.pop()
        if value.startswith("input:"):
            return False
        maker = graph.producers.get(value)
        if maker is not None and value not in seen:
            waiting += [s.value for s in maker.sources]
        seen.add(value)
    return True


def _is_weight(graph: CanonicalGraph, source: Source) -> bool:
    """Whether a table is a weight of the model, or rows of one: learnt, or kept in its file."""
    maker = graph.producers.get(source.value)
    names = (
        [source.value] if maker is None else [f"parameter:{p}" for p in maker.parameters.values()]
    )
    return bool(names) and all(n.startswith("parameter:") for n in names)


def _arranged(
    attribution: LayerAttribution,
    match: Match,
    array: Array,
    axes: Sequence[int] | None,
    rank: int,
) -> Array:
    move = attribution.comparison.axis_maps.values.get(match.left.values[0].id)
    if move is not None:
        return move(array)
    if axes is not None and len(axes) == array.ndim:  # of another shape, but laid out as its source
        return array.transpose([list(axes).index(axis) for axis in range(len(axes))])
    first, other = (n.settings.get("channels") for n in (match.left, match.right))
    if array.ndim > 2 and first == "first" and other == "last":
        return arrangement.channels_moved(array.shape)(array)
    if array.ndim != rank:
        return array
    return attribution.layout(match.left.value, array.shape)(array)


def bound(finding: Finding | None, array: Array) -> float:
    """What ‖left − right‖∞ may be in float64, by the noise that was measured.

    Args:
        finding: of the pair, alone or in the run.
        array: what one side gave, whose scale serves where no noise was measured.
    """
    if finding is not None and finding.noise is not None:
        return C * max(SHRINK * finding.noise, finding.sigma or 0.0)
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
