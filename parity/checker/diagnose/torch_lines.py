"""Lines for PyTorch's code, where that is the port: of causes that are told of Keras' otherwise.

A proof of a pair writes its line for either side. What else is found, a step that one side has
alone or a dropout, is told of Keras' model; here is the same of PyTorch's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from parity.checker.canonical.canonical_graph import CanonicalNode
from parity.checker.diagnose import fix
from parity.checker.diagnose.other_inputs import as_node
from parity.checker.diagnose.statement_edit import call_in
from parity.checker.transfer.comparison import ModelComparison
from parity.core.sites import Site
from parity.diagnosis.causes import Cause
from parity.diagnosis.edits import ArgumentChange, CallChange, Edit, Insertion, LineChange
from parity.operations.code import changed

Line = tuple[str, Edit | None]
_NOTHING: Line = ("", None)
_TIME_FIRST = re.compile(r"\b(LSTM|GRU|RNN|MultiheadAttention|Transformer\w*Layer)\(")


def of_torch(comparison: ModelComparison, cause: Cause) -> Cause:
    """The cause with the line of PyTorch's; without one where none is known."""
    words = cause.fix.startswith("# ") and cause.edit is None
    if cause.fix_side == "left" and cause.fix and not words:
        return cause
    written = _OF_KIND.get(cause.kind)
    line, edit = written(comparison, cause) if written and cause.confirmed else _NOTHING
    if not line and cause.fix_side == "left":
        return cause
    return replace(cause, fix=line, edit=edit, fix_side="left")


def _without(comparison: ModelComparison, cause: Cause) -> Line:
    """A step that PyTorch has alone goes."""
    node = _named(comparison.left_only, cause.left[0])
    return _NOTHING if node is None or not cause.fix else (fix.without(as_node(node)), None)


def _inserted(comparison: ModelComparison, cause: Cause) -> Line:
    """A step that Keras has alone is put in before, or at the end."""
    node, before = _named(comparison.right_only, cause.right[0]), cause.left[0]
    if node is None or not cause.fix:
        return _NOTHING
    if found := re.fullmatch(r"\(before (.*)\)", before):
        match = next((m for m in comparison.matches if m.left.name == found[1]), None)
        links = [] if match is None else [k for k in match.links if node.name in k.right_between]
        place = Insertion(found[1], "", "before", operand=links[0].at if links else 0)
    else:
        link = next((k for k in comparison.output_links if node.name in k.right_between), None)
        left = None if link is None else link.left
        maker = None if left is None else comparison.torch.producers.get(left.value)
        if maker is None:
            return _NOTHING
        place = Insertion(maker.name, "", "behind", at_end=True)
    edit = fix.inserted(as_node(node), place, "torch")
    return _NOTHING if edit is None else (edit.text, edit)


def _dropped(comparison: ModelComparison, cause: Cause) -> Line:
    """A dropout of another rate, or one that is active where it should not be."""
    mine, theirs = (
        next((d for d in graph.dropouts if d.name == name), None)
        for graph, name in (
            (comparison.torch, cause.left[0]),
            (comparison.keras, cause.right[0]),
        )
    )
    if mine is None or not mine.code:
        return _NOTHING
    if theirs is None or not theirs.rate:
        return f"# without {mine.code}", None
    arguments: dict[str, object] = {}
    if abs(theirs.rate - mine.rate) > 1e-6:
        arguments["p"] = theirs.rate
    if mine.active and not theirs.active:
        arguments["training"] = "=self.training"
    line = _with(mine.code, ("dropout",), arguments)
    return line, LineChange(mine.name, line)


def _momentum(comparison: ModelComparison, cause: Cause) -> Line:
    """PyTorch says the weight of the new."""
    match = next((m for m in comparison.matches if m.left.name == cause.left[0]), None)
    old = None if match is None else match.right.settings.get("momentum")
    if match is None or old is None:
        return _NOTHING
    return changed(match.left.code, {"momentum": round(1 - old, 12)}), None


def _batch_first(comparison: ModelComparison, cause: Cause) -> Line:
    """A layer of PyTorch's own that takes time before the batch where nothing else is said."""
    site = _made(comparison, cause.left[0])
    if site is None or "order" not in str(cause.right[1]):
        return _NOTHING
    if not _TIME_FIRST.search(site[1].text) or "batch_first" in site[1].text:
        return _NOTHING
    edit = ArgumentChange(site[0], "batch_first", "True")
    return edit.text, edit


def _mask(comparison: ModelComparison, cause: Cause) -> Line:
    """An attention's mask that says just the others."""
    site = _made(comparison, cause.left[0])
    called = () if site is None else comparison.graphs[0].called.get(cause.left[0], ())
    words = [w for w in ("key_padding_mask", "attn_mask") if called and f"{w}=" in called[0].text]
    if site is None or "just the others" not in str(cause.right[1]) or len(words) != 1:
        return _NOTHING
    edit = CallChange(site[0], words[0], "~{}")
    return edit.text, edit


def _unbiased(comparison: ModelComparison, cause: Cause) -> Line:
    """A variance by hand, which PyTorch divides by one less where nothing else is said."""
    nodes = comparison.graphs[0].nodes
    known = {value.id: node for node in nodes for value in node.values}
    waiting = [n.id for n in nodes if n.name == cause.left[0]]
    by_id, seen = {n.id: n for n in nodes}, set[str]()
    while waiting:
        node = by_id[waiting.pop(0)]
        if node.settings.get("correction"):
            word = {"correction": 0} if "correction=" in node.code else {"unbiased": False}
            line = _with(node.code, ("var", "std"), word)
            return (line, LineChange(node.name, line)) if line else _NOTHING
        makers = [known[s.value].id for s in node.sources if s.value in known]
        waiting += [name for name in makers if name not in seen]
        seen |= {*makers}
    return _NOTHING


def _with(code: str, names: Sequence[str], arguments: Mapping[str, object]) -> str:
    """A line, or the one call of these names in a statement, with other arguments."""
    part = call_in(code, names)
    return (
        changed(code, arguments) if part is None else part.replaced(changed(part.text, arguments))
    )


def _made(comparison: ModelComparison, name: str) -> tuple[str, Site] | None:
    """The module that an operation is part of, and where the user made it."""
    made = comparison.graphs[0].made
    for layer in (name, name.rpartition(".")[0]):
        if layer in made:
            return layer, made[layer][0]
    return None


def _named(nodes: Sequence[CanonicalNode], name: str) -> CanonicalNode | None:
    return next((node for node in nodes if node.name == name), None)


_OF_KIND: Mapping[str, Callable[[ModelComparison, Cause], Line]] = {
    "missing_layer": _without,
    "extra_layer": _inserted,
    "dropout": _dropped,
    "momentum": _momentum,
    "axis": _batch_first,
    "mask": _mask,
    "normalisation": _unbiased,
}
