"""Causes that are read off the two graphs: what only one side has, or takes from elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from parity.checker.align.matches import Match, source_text
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.diagnose import bypass, fix
from parity.checker.diagnose.other_inputs import as_node, rewired, value_here
from parity.checker.graph.model_interface import Array
from parity.checker.judge import dropouts, masking
from parity.checker.judge.attribution import AttributedLayer, LayerAttribution
from parity.checker.judge.judging import CheckFindings
from parity.checker.transfer.comparison import ModelComparison
from parity.checker.transfer.mapping import WeightMapping
from parity.core.sides import Side
from parity.diagnosis.causes import Cause
from parity.diagnosis.edits import ArgumentChange, CallChange, Edit, Insertion, OutputOrder, Sharing


def structural(attribution: LayerAttribution, layer: AttributedLayer) -> Iterator[Cause]:
    """What stands before a pair on one side only, or where the two take a source from."""
    comparison = attribution.comparison
    match, alone = layer.match, layer.alone if layer.status == "downstream" else None
    if alone is None and any(layer.between) and match.other_functions:
        # What stands before the one may be part of what the other does.
        left, right = (
            (node.name, ", then ".join([*reversed(steps), str(node.settings["name"])]))
            for node, steps in zip((match.left, match.right), layer.between, strict=True)
        )
        yield Cause("operation", left, right)
        return
    proven = alone is not None and bypass.is_proven(attribution, layer)
    consumer = (match.left.name, match.right.name)

    def caused(
        kind: str, left: tuple[str, str], right: tuple[str, str], line: str, edit: Edit | None
    ) -> Cause:
        if alone is None or not proven:
            return Cause(kind, left, right)  # nobody is sent to change what may be right
        line = line if edit is None else edit.text
        return Cause(kind, left, right, "confirmed", alone.ratio, 1.0, "bypass", line, edit)

    for node in _steps(comparison.lone("torch", name) for name in layer.between[0]):
        kind = "mask" if _is_mask(attribution, "torch", node) else "missing_layer"
        here, there = (node.name, node.code or node.kind), (f"(before {consumer[1]})", "none")
        place = _place(comparison, match, node)
        line = fix.inserted_in_words(as_node(node), place)
        edit: Edit | None = (
            _causal(attribution, "torch", node, match.right)
            or _of_padding(attribution, node, match.right)
            or fix.inserted(as_node(node), place)
        )
        yield caused(kind, here, there, line, edit)
    for node in _steps(comparison.lone("keras", name) for name in layer.between[1]):
        kind = "mask" if _is_mask(attribution, "keras", node) else "extra_layer"
        here, there = (f"(before {consumer[0]})", "none"), (node.name, node.code or node.kind)
        edit = _causal(attribution, "keras", node, node) or _merged(comparison, node)
        executed = comparison.graphs[1].executed(node.name)
        line = fix.without(as_node(node), executed, _kept(comparison, layer, node))
        yield caused(kind, here, there, line, edit)
    if not any(layer.between) and layer.rewired:
        mine, theirs = layer.rewired
        link = next(
            (k for k in match.links if k.left and source_text(comparison.torch, k.left) == mine),
            None,
        )
        taken = None if link is None else link.left
        wiring = rewired(comparison, match, link, theirs)
        if taken is None:
            wiring = replace(wiring, words=(mine, theirs))
        cause = caused(
            layer.rewired_kind, (match.left.name, mine), (match.right.name, theirs), "", wiring
        )
        maker = None if taken is None else comparison.torch.producers.get(taken.value)
        if layer.rewired_sure:
            yield cause
        elif maker is not None and maker in comparison.left_only:  # nobody can take it there
            here, there = (
                (maker.name, maker.code or maker.kind),
                (f"(before {consumer[1]})", "none"),
            )
            yield Cause("missing_layer", here, there)
        else:
            yield replace(cause, status="suspected", fix="")


def _kept(comparison: ModelComparison, layer: AttributedLayer, node: CanonicalNode) -> int:
    """Which operand of a step that is too many goes on: what the left has in the step's place."""
    links = layer.match.links
    begun = {comparison.axis_maps.partners.get(k.left.value) for k in links if k.left is not None}
    for at, source in enumerate(node.sources):
        maker = comparison.keras.producers.get(source.value)
        if source.value in begun or (maker is not None and maker.name in layer.between[1]):
            return at
    return 0


def _place(comparison: ModelComparison, match: Match, node: CanonicalNode) -> Insertion:
    """Where a step of the left's belongs on the right: before the right's node of a pair."""
    link = next((k for k in match.links if node.name in k.left_between), None)
    live = [s for s in node.sources if not s.value.startswith(("constant:", "parameter:"))]
    names = [value_here(comparison, s) for s in live] if len(live) > 1 else []
    return Insertion(
        match.right.name,
        "",
        "before",
        operand=0 if link is None else link.to,
        operands=tuple(names) if all(names) else (),
    )


def _steps(nodes: Iterable[CanonicalNode]) -> list[CanonicalNode]:
    """Those that compute; a stack alone only lays numbers out for what comes behind it."""
    every = list(nodes)
    return [node for node in every if node.kind != "stack"] or every


def _is_mask(attribution: LayerAttribution, side: Side, node: CanonicalNode) -> bool:
    """Whether all that it does is to say "not this one" of some numbers."""
    graph = attribution.comparison.torch if side == "torch" else attribution.comparison.keras
    below = masking.UNSEEN if node.id in graph.scores else masking.MASKING
    run = attribution.recorded.runs.get((side, "float32"), {})
    value = run.get(f"values/{node.value}")
    return node.kind in masking.MASKED_KINDS and value is not None and bool(np.any(value < below))


def _merged(comparison: ModelComparison, node: CanonicalNode) -> ArgumentChange | None:
    """Of a layer that averages its two directions the sum."""
    layer, _, step = node.name.rpartition(".")
    parts = (n.code for n in comparison.graphs[1].nodes if n.name.startswith(layer))
    averages = any('merge_mode="ave"' in code for code in parts)
    return ArgumentChange(layer, "merge_mode", '"sum"') if step == "divide" and averages else None


def _causal(
    attribution: LayerAttribution, side: Side, mask: CanonicalNode, right: CanonicalNode
) -> CallChange | None:
    """How Keras' attention is called so that it sees what comes later, or does not.

    Args:
        attribution: all pairs.
        side: the one that masks.
        mask: what does.
        right: an operation of the attention layer.
    """
    layer, dot, _ = right.name.rpartition(".")
    value = attribution.recorded.runs.get((side, "float32"), {}).get(f"values/{mask.value}")
    if not dot or "QueryAttention(" not in right.code.replace("MultiHead", "Query"):
        return None
    if value is None or value.ndim < 2 or not _is_mask(attribution, side, mask):
        return None
    later = np.triu(np.ones(value.shape[-2:], bool), 1)
    if not np.array_equal(value < masking.MASKING, np.broadcast_to(later, value.shape)):
        return None
    return CallChange(layer, "use_causal_mask", "True" if side == "torch" else "")


def _of_padding(
    attribution: LayerAttribution, mask: CanonicalNode, right: CanonicalNode
) -> CallChange | None:
    """How Keras' attention is told of the keys that an input of the model leaves out, or keeps.

    Args:
        attribution: all pairs.
        mask: the left's, which leaves keys out.
        right: an operation of the attention layer.
    """
    layer, dot, _ = right.name.rpartition(".")
    value = attribution.recorded.runs.get(("torch", "float32"), {}).get(f"values/{mask.value}")
    if not dot or "QueryAttention(" not in right.code.replace("MultiHead", "Query"):
        return None
    if value is None or value.ndim < 3 or not _is_mask(attribution, "torch", mask):
        return None
    masked = value < masking.MASKING
    partners = attribution.comparison.axis_maps.partners
    inputs = zip(attribution.comparison.torch.inputs, attribution.recorded.left_inputs, strict=True)
    for known, array in inputs:
        if array.dtype != bool or array.shape != (value.shape[0], value.shape[-1]):
            continue
        keys = array.reshape(len(array), *[1] * (value.ndim - 2), -1)
        for wanted, text in ((keys, "ops.logical_not({})"), (~keys, "{}")):
            if np.array_equal(masked, np.broadcast_to(wanted, masked.shape)):
                source = partners.get(known.id, known.id)
                return CallChange(layer, "attention_mask", f"ops.expand_dims({text}, 1)", source)
    return None


def at_outputs(comparison: ModelComparison, attribution: LayerAttribution) -> Iterator[Cause]:
    """An operation at the very end that only one side has: nothing comes behind it."""
    for lost in attribution.lost_at_outputs():
        side, name, code, ratio = lost
        node = as_node(comparison.lone(side, name))
        if side == "torch":
            place = Insertion(_last(comparison, name), "", "behind", at_end=True)
            edit = fix.inserted(node, place)
            yield Cause(
                "missing_layer",
                (name, code),
                ("(output)", "none"),
                "confirmed",
                ratio,
                1.0,
                "bypass",
                fix=fix.inserted_in_words(node, place) if edit is None else edit.text,
                edit=edit,
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
                fix=fix.without(node, comparison.graphs[1].executed(name)),
            )


def _last(comparison: ModelComparison, name: str) -> str:
    """What the right returns in place of a step that only the left has."""
    link = next(k for k in comparison.output_links if name in k.left_between)
    maker = None if link.right is None else comparison.keras.producers.get(link.right.value)
    return "" if maker is None else maker.name


def reordered(comparison: ModelComparison, attribution: LayerAttribution) -> Iterator[Cause]:
    """All layers agree, and the outputs are their numbers in another order."""
    for left, right, kind in comparison.reordered():
        maker = next((n for n in comparison.torch.nodes if n.name == left), None)
        finding = attribution.findings.get(maker.id) if maker else None
        if finding is not None and finding.agrees:
            order = _output_order(comparison) if kind == "order" else ()
            name = right if comparison.corrected == "keras" else left
            edit = OutputOrder(name, order) if order else None
            line = ""
            if comparison.corrected == "keras":
                line = (
                    f"# return what {left} is in PyTorch, in its order, where {right} is returned"
                )
            yield Cause(
                kind,
                (left, "its numbers in one order"),
                (right, "in another"),
                "confirmed",
                finding.ratio,
                1.0,
                "values",
                line if edit is None else edit.text,
                edit,
                "right" if comparison.corrected == "keras" else "left",
            )


def _output_order(comparison: ModelComparison) -> tuple[int, ...]:
    """Where each output of the right side stands now among the port's; () where not all are, or
    all stand where they should."""
    pairs = list(comparison.outputs())
    theirs = [right.value for _, right, _ in pairs]
    partners = [comparison.axis_maps.partners.get(left.value, "") for left, _, _ in pairs]
    if len({*theirs}) < len(theirs) or sorted(partners) != sorted(theirs) or partners == theirs:
        return ()
    order = tuple(theirs.index(value) for value in partners)
    if comparison.corrected == "keras":
        return order
    return tuple(order.index(place) for place in range(len(order)))


def unshared(comparison: ModelComparison, findings: CheckFindings) -> Iterator[Cause]:
    """One weight on one side, used twice, is two on the other: seen where gradients part."""
    failing = {p.torch for p in findings.parts if p.stage == "gradients" and not p.finding.agrees}
    failing |= {p.keras for p in findings.parts if p.stage == "gradients" and not p.finding.agrees}
    for mine in (True, False):
        groups: dict[str, dict[str, WeightMapping]] = {}
        for one in comparison.axis_maps.weight_mappings:
            roots = comparison.torch.whole(one.left.id), comparison.keras.whole(one.right.id)
            key, other = roots if mine else roots[::-1]
            groups.setdefault(key, {})[other] = one
        for key, others in groups.items():
            names = [o.left.id if mine else o.right.id for o in others.values()]
            graph = comparison.torch if mine else comparison.keras
            if len(others) < 2 or not {key, *names} & failing or not _overlapping(graph, names):
                continue
            first = next(iter(others.values()))
            texts = (f"one {first.role}, used {len(others)} times", f"{len(others)} of their own")
            left, right = texts if mine else texts[::-1]
            own = comparison.corrected == "keras"
            pairs = [one.pair for one in others.values()]
            layers = list(dict.fromkeys((p.right if own else p.left).name for p in pairs))
            line = fix.shared_line(layers, len(others), shared=mine is own)
            edit = _sharing(pairs, layers, line) if mine is own and own else None
            yield Cause(
                "weights",
                (first.pair.left.name, left),
                (first.pair.right.name, right),
                "confirmed",
                None,
                1.0,
                "settings",
                fix=line if edit is None else edit.text,
                edit=edit,
                fix_side="right" if own else "left",
            )


def _sharing(pairs: Sequence[Match], layers: Sequence[str], line: str) -> Sharing | None:
    """Keras' layers made one; of a table and a dense layer without a bias the table, transposed."""
    nodes = [pair.right for pair in pairs]
    kinds = {node.kind for node in nodes}
    if len(layers) < 2:
        return None
    sizes = {(n.sources[0].shape[-1:], n.values[0].shape[-1:]) for n in nodes if n.sources}
    if len(kinds) == len(sizes) == 1:
        return Sharing(tuple(layers), line)
    order = sorted(nodes, key=lambda node: node.kind != "embedding")
    if kinds != {"embedding", "dense"} or "bias" in order[-1].parameters or len(nodes) > 2:
        return None
    names = [node.name for node in order]
    line = f"# {names[1]}: it must multiply by the embeddings of {names[0]}, transposed"
    return Sharing(tuple(names), line, "embeddings")


def _overlapping(graph: CanonicalGraph, names: Sequence[str]) -> bool:
    """Whether some element is used twice: the parts of a fused weight are no uses of one."""
    if len(set(names)) < len(names):
        return True
    pieces = [graph.pieces.get(f"parameter:{name}") for name in names]
    if any(p is None or not p.ids for p in pieces):
        return True
    picks = np.concatenate([graph.ids[p.ids].reshape(-1) for p in pieces if p is not None])
    return len(np.unique(picks)) < len(picks)


def frozen(findings: CheckFindings) -> Iterator[Cause]:
    """Weights that one side trains and the other does not."""
    for part in findings.parts:
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


def dropped(comparison: ModelComparison, findings: CheckFindings) -> Iterator[Cause]:
    """Dropouts of another rate or kind, or active in evaluation.

    Noise of no layer's own may be some line of the model's: what one side alone has in a layer is
    no proof.
    """
    for part in findings.parts:
        if part.finding.rule not in ("dropout", "draw"):
            continue
        cause = Cause("dropout", (part.torch, part.finding.left), (part.keras, part.finding.right))
        if part.finding.rule == "dropout" or (part.torch and part.keras):
            line = dropouts.corrected(comparison, part)
            cause = replace(cause, status="confirmed", share=1.0, proof="settings", fix=line)
        yield cause


def masks(attribution: LayerAttribution, layers: Sequence[AttributedLayer]) -> Iterator[Cause]:
    """The first scores that one side masks and the other does not."""
    yield from itertools.islice(
        (cause for layer in layers for cause in masked_otherwise(attribution, layer)), 1
    )


def masked_otherwise(attribution: LayerAttribution, layer: AttributedLayer) -> Iterator[Cause]:
    """Whether a pair says "not this one" of other numbers on each side.

    And whether the softmax behind it then has its zeros elsewhere: what is masked once more behind
    it, or by a number that is large enough there alone, is masked.
    """
    comparison = attribution.comparison
    left, right = layer.match.left, layer.match.right
    if layer.finding is None or layer.finding.agrees:
        return
    if not {left.kind, right.kind} <= masking.MASKED_KINDS:  # true and false are no scores
        return
    below = masking.masked_below(comparison, layer.match)
    arrays = _both(attribution, layer.match)
    if below is None or arrays is None:
        return
    mine, theirs = (a < below for a in arrays)
    if mine.shape != theirs.shape or np.array_equal(mine, theirs):
        return
    behind = [_both(attribution, match) for match in masking.softmaxes(comparison, layer.match)]
    weights = [pair for pair in behind if pair is not None]
    if weights and all(np.array_equal(a == 0, b == 0) for a, b in weights):
        return
    texts = [f"{int(m.sum())} of {m.size} masked" for m in (mine, theirs)]
    if np.array_equal(mine, ~theirs):
        texts[1] += ", just the others"
    elif texts[0] == texts[1]:
        texts[1] += ", not the same ones"
    line = f"# {right.code}: it must mask what {left.name} masks, {texts[0]}" if right.code else ""
    edit = None
    if "QueryAttention(" in right.code.replace("MultiHead", "Query") and "others" in texts[1]:
        attention = right.name.rpartition(".")[0]
        edit = CallChange(attention, "attention_mask", "ops.logical_not({})")
    yield Cause(
        "mask",
        (left.name, texts[0]),
        (right.name, texts[1]),
        "confirmed",
        None,
        1.0,
        "values",
        line if edit is None else edit.text,
        edit,
    )


def _both(attribution: LayerAttribution, match: Match) -> tuple[Array, Array] | None:
    """What a pair yields in float32, in PyTorch's layout; None where one of them was not seen."""
    left, right = match.left.value, match.right.value
    move = attribution.comparison.axis_maps.values.get(left)
    arrays = attribution.recorded.key_arrays(f"values/{left}", f"values/{right}", move)
    if arrays.left32 is None or arrays.right32 is None:
        return None
    return arrays.left32, arrays.right32
