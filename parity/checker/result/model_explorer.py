"""A check for Google's Model Explorer: both graphs, and what was found as data of their nodes.

The formats are those of `graph_builder.py` and `node_data_builder.py` in its package
`ai-edge-model-explorer`, version 0.1.34. Partners have the same id, by which its two panes move
together.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from parity.checker.result import drawing, wording
from parity.checker.result.check_result import CheckResult, Layer, LayerStatus
from parity.core.sides import SIDES, Side
from parity.diagnosis.causes import value_text
from parity.verdict.wording import number

GRAPHS = "graphs.json"
_COLOURS: dict[LayerStatus, str] = {
    "agrees": "#bfe8d1",
    "diverges": "#f5a3ad",
    "downstream": "#fbdcae",
    "inconclusive": "#d9d0f7",
    "unmatched": "#b9def5",
    "other_steps": "#d3dde2",
}


def files(result: CheckResult) -> dict[str, str]:
    """Name → text: the graphs, and two sets of node data, `status` and `ratio`."""
    result = drawing.with_inputs(result)
    sides = {side: _nodes(side, result) for side in SIDES}
    layers = {
        side: [(str(at), result.layers[at]) for at, _ in nodes] for side, nodes in sides.items()
    }
    graphs = [{"id": side, "nodes": [node for _, node in nodes]} for side, nodes in sides.items()]
    status = {
        side: {
            at: {"value": wording.STATUS_WORDS[x.status], "bgColor": _COLOURS[x.status]}
            for at, x in some
        }
        for side, some in layers.items()
    }
    ratio = {
        side: {
            at: {"value": x.ratio, "bgColor": _COLOURS[x.status]}
            for at, x in some
            if x.ratio is not None and math.isfinite(x.ratio)
        }
        for side, some in layers.items()
    }
    # By name downwards, so that PyTorch's comes first.
    collection = {"label": "parity check", "graphs": graphs, "graphSorting": "name_desc"}
    return {
        GRAPHS: _text(collection),
        "status.json": _text(_data("status", status)),
        "ratio.json": _text(_data("distance over the bound", ratio)),
    }


def _text(content: Any) -> str:
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def _data(name: str, results: Mapping[Side, Any]) -> dict[Side, Any]:
    return {side: {"name": name, "results": found} for side, found in results.items()}


def _nodes(side: Side, result: CheckResult) -> list[tuple[int, dict[str, Any]]]:
    """(Place in the result's layers, node), from the inputs to the outputs."""
    sources: dict[int, list[int]] = {}
    for edge in result.edges:
        if side in edge.sides:
            sources.setdefault(edge.target, []).append(edge.source)
    causes = _causes(side, result)
    found = []
    for at in drawing.order(result.layers, result.edges):
        layer = result.layers[at]
        name = layer.torch if side == "torch" else layer.keras
        if name is None:
            continue
        *modules, label = re.split("[./]", name)
        attributes = [*_attributes(side, name, layer), *causes.get(name, [])]
        node = {
            "id": str(at),
            "label": label,
            "namespace": "/".join(modules),
            "attrs": [{"key": key, "value": value} for key, value in attributes],
            "incomingEdges": [
                {"sourceNodeId": str(source), "targetNodeInputId": str(to)}
                for to, source in enumerate(sources.get(at, []))
            ],
            "outputsMetadata": [
                {"id": str(n), "attrs": [{"key": "shape", "value": " × ".join(map(str, shape))}]}
                for n, shape in enumerate(layer.operations[side].shapes)
            ]
            if side in layer.operations
            else [],
        }
        found.append((at, node))
    return found


def _attributes(side: Side, name: str, layer: Layer) -> Iterator[tuple[str, str]]:
    partner = layer.keras if side == "torch" else layer.torch
    yield "name", name
    if layer.kind == drawing.INPUT:
        return
    yield "partner", partner or "none"
    yield "operation", layer.kind
    word = wording.STATUS_WORDS[layer.status]
    yield "status", f"{word}: {wording.STATUS_MEANINGS[layer.status]}"
    yield "distance over the bound", number(layer.ratio)
    if layer.alone is not None:
        yield "the same, fed alike", number(layer.alone)
    if (operation := layer.operations.get(side)) is not None:
        yield "code", operation.code
        yield from ((key, value_text(value)) for key, value in operation.settings.items())


def _causes(side: Side, result: CheckResult) -> dict[str, list[tuple[str, str]]]:
    """Name of a layer → causes that it has, and the lines to write."""
    found: dict[str, list[tuple[str, str]]] = {}
    for cause in result.causes:
        told = [("cause", wording.cause(cause, result.causes))]
        if line := wording.line_to_write(cause):
            told.append(("to write", line))
        pairs = cause.places or ((cause.left[0], cause.right[0]),)
        for name in dict.fromkeys(pair[side == "keras"] for pair in pairs):
            found.setdefault(name, []).extend(told)
    return found
