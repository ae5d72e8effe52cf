"""Loops that may run too seldom or too often: ``for i in range(2)`` around layers."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from parity.checker.apply.source import NotAppliedError, SourceFile
from parity.checker.apply.user_code import UserCode
from parity.diagnosis.edits import Repetition

Loop = cst.For | cst.CompFor


def count_of(loop: Loop) -> cst.Integer | None:
    """The number of a loop over ``range(number)``."""
    call = loop.iter
    if not isinstance(call, cst.Call) or len(call.args) != 1:
        return None
    named = isinstance(call.func, cst.Name) and call.func.value == "range"
    value = call.args[0].value
    return value if named and isinstance(value, cst.Integer) else None


def of_layer(code: UserCode, layer: str) -> Iterator[tuple[SourceFile, Loop]]:
    """Loops in which an operation is called or a layer is made, the innermost first."""
    for sites in (code.called, code.made):
        for site in sites.get(layer, ()):
            source = code.file(site.file)
            for node in source.around(source.expression(site)):
                if isinstance(node, cst.FunctionDef):
                    break
                if isinstance(node, cst.For):
                    yield source, node
                elif isinstance(node, cst.ListComp | cst.GeneratorExp):
                    yield source, node.for_in


def repetitions(code: UserCode, lacking: int) -> list[Repetition]:
    """How often loops might have to run.

    Args:
        code: the files.
        lacking: how many more operations the other side has; fewer, if it is negative.

    Returns:
        For each loop of a stated number the count that fits best, then one more or less.
    """
    inside: dict[tuple[str, object], tuple[str, int, set[str]]] = {}
    for layer in {**code.made, **code.called}:
        try:
            found = list(of_layer(code, layer))
        except NotAppliedError:  # of what was run nobody knows which line it is
            continue
        for source, loop in found:
            count = count_of(loop)
            if count is not None:
                key = (source.path, source.span(loop))
                name, times, layers = inside.setdefault(key, (layer, int(count.value), set()))
                layers.add(layer)
    proposed = []
    for name, times, layers in inside.values():
        step = 1 if lacking > 0 else -1
        best = round(lacking * times / len(layers)) or step
        for more in dict.fromkeys((best, step)):
            if times + more > 0:
                proposed.append(Repetition(name, times + more))
    return proposed
