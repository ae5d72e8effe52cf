"""A check as one HTML file: both graphs side by side, and all that there is to say of each layer.

The file is `page.html` with a JSON document in it. What the page shows of it is set as text, so
that no name can be markup, and nothing is fetched.
"""

from __future__ import annotations

import html
import importlib.resources
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from parity.checker.result import drawing, wording
from parity.checker.result.check_result import CheckResult, Layer
from parity.checker.result.remarks import local_title, relative
from parity.comparator.noise import Finding
from parity.core.sides import SIDES, Side
from parity.diagnosis.causes import Cause, value_text
from parity.verdict.wording import number

_HEIGHT = "min(80vh, 760px)"
"""Of the page in a notebook's cell."""


@dataclass(frozen=True)
class ShownResult(CheckResult):
    """A result that a notebook shows: the verdict, and the page in a frame below it."""

    @classmethod
    def of(cls, result: CheckResult) -> ShownResult:
        """The same result."""
        return cls(**{one.name: getattr(result, one.name) for one in fields(result)})

    def _repr_html_(self) -> str:
        # Where no frames are shown, the verdict is.
        headline = html.escape(wording.headline(_local(self)))
        return (
            f"<p><strong>{headline}</strong></p>\n"
            f'<iframe sandbox="allow-scripts" srcdoc="{html.escape(page(self))}" '
            f'title="parity check" style="width: 100%; height: {_HEIGHT}; border: 1px solid #8884">'
            "</iframe>"
        )


def page(result: CheckResult) -> str:
    """The whole page, as UTF-8 text."""
    result = _local(result)
    document = json.dumps(content(result), allow_nan=False, separators=(",", ":"))
    parts = {
        "title": html.escape(wording.headline(result)),
        "plain": html.escape(wording.plain(result)),
        # Within a script only `<` can end it, or begin a comment.
        "document": document.replace("<", r"\u003c"),
    }
    template = importlib.resources.files(__package__).joinpath("page.html").read_text("utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def content(result: CheckResult) -> dict[str, Any]:
    """The document that the page draws: layers by row, numbers as text beside what is drawn."""
    compared, result = result, drawing.with_inputs(result)
    rows = drawing.order(result.layers, result.edges)
    layers = [result.layers[at] for at in rows]
    find = _Rows(layers)
    causes = [_cause(one, result, find) for one in result.causes]
    said: dict[int, list[str]] = {}
    divergences = []
    for one in result.divergences:
        row = find.row(one.torch, one.keras)
        if row is not None:
            said.setdefault(row, []).append(one.text)
        stage = wording.STAGE_WORDS[one.stage]
        divergences.append(
            {"place": wording.place(one), "stage": stage, "text": one.text, "row": row}
        )
    return {
        "verdict": result.verdict,
        "headline": wording.headline(result),
        "titles": dict(result.titles),
        "inputs": list(result.inputs),
        "train": result.train,
        "first": _first(divergences, layers),
        "divergences": divergences,
        "causes": causes,
        "latent": [{"text": wording.cause(c), "rows": find.of_cause(c)} for c in result.latent],
        "stages": wording.stages(compared),
        "parts": [_part(p.finding, find.owner(p.torch, p.keras)) for p in result.parts],
        "notes": list(result.notes),
        "statuses": {
            status: [word, wording.STATUS_MEANINGS[status]]
            for status, word in wording.STATUS_WORDS.items()
        },
        "layers": [_layer(layer, result, said.get(at, [])) for at, layer in enumerate(layers)],
        "lines": {side: _lines(side, result, rows) for side in SIDES},
    }


class _Rows:
    """Which row a name is at; names are those of a divergence, a cause or a part."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._rows: dict[tuple[str | None, str | None], int] = {}
        for row, layer in enumerate(layers):
            for names in ((layer.torch, layer.keras), (layer.torch, None), (None, layer.keras)):
                self._rows.setdefault(names, row)

    def row(self, torch: str | None, keras: str | None) -> int | None:
        """Of both names, else of PyTorch's, else of Keras'; None if neither is a layer."""
        known = ((torch, keras), (torch, None), (None, keras))
        return next((self._rows[n] for n in known if any(n) and n in self._rows), None)

    def owner(self, torch: str, keras: str) -> int | None:
        """Of a weight's layer."""
        return self.row(torch.rpartition("/")[0], keras.rpartition("/")[0])

    def of_cause(self, cause: Cause) -> list[int]:
        """Of all layers that have it."""
        names = [(cause.left[0], cause.right[0]), *cause.places]
        rows = [self.row(torch or None, keras or None) for torch, keras in names]
        return list(dict.fromkeys(row for row in rows if row is not None))


def _local(result: CheckResult) -> CheckResult:
    """With files named from the working directory."""
    return replace(result, titles={side: local_title(result.titles[side]) for side in SIDES})


def _first(divergences: Sequence[Mapping[str, Any]], layers: Sequence[Layer]) -> int | None:
    """The row that is in view at first; None where nothing diverges."""
    if not divergences:
        return None
    told = [one["row"] for one in divergences if one["row"] is not None]
    diverging = [row for row, layer in enumerate(layers) if layer.status == "diverges"]
    return next(iter([*told, *diverging]), None)


def _cause(cause: Cause, result: CheckResult, find: _Rows) -> dict[str, Any]:
    return {
        "kind": cause.kind,
        "status": cause.status,
        "text": wording.cause(cause, result.causes),
        "fix": wording.line_to_write(cause),
        "rows": find.of_cause(cause),
    }


def _part(finding: Finding, row: int | None) -> dict[str, Any]:
    text = "" if finding.agrees else wording.parted(finding, "it")
    return {"key": finding.key, "agrees": finding.agrees, "text": text, "row": row}


def _lines(side: Side, result: CheckResult, rows: Sequence[int]) -> list[list[Any]]:
    drawn = drawing.lines(side, result.layers, result.edges, rows)
    return [[line.row, line.lane, *line.targets] for line in drawn]


def _layer(layer: Layer, result: CheckResult, said: Sequence[str]) -> dict[str, Any]:
    known = layer.ratio is not None and math.isfinite(layer.ratio)
    return {
        "kind": layer.kind,
        "status": layer.status,
        "ratio": layer.ratio if known else None,
        "ratio_text": number(layer.ratio),
        "said": list(said),
        "values": list(_values(layer)),
        "differing": list(layer.differing),
        **{side: _operation(side, layer, result) for side in SIDES},
    }


def _operation(side: Side, layer: Layer, result: CheckResult) -> dict[str, Any] | None:
    name = layer.torch if side == "torch" else layer.keras
    if name is None:
        return None
    known = layer.operations.get(side)
    file, line = result.places.get(side, {}).get(name, ("", 0))
    return {
        "name": name,
        "place": f"{relative(file).as_posix()}:{line}" if file else "",
        "code": known.code if known else "",
        "shapes": [" × ".join(map(str, shape)) or "scalar" for shape in known.shapes]
        if known
        else [],
        "takes": list(known.takes) if known else [],
        "settings": {key: value_text(v) for key, v in known.settings.items()} if known else {},
    }


_MEASURES: tuple[tuple[str, Callable[[Finding], str]], ...] = (
    ("distance ÷ bound", lambda f: number(f.ratio)),
    ("apart in float64", lambda f: number(f.distance64)),
    ("apart in float32", lambda f: number(f.distance32)),
    ("noise of rounding", lambda f: number(f.noise)),
    ("largest number", lambda f: number(f.scale)),
    ("farthest apart at", lambda f: "" if f.index is None else str(list(f.index))),
    ("PyTorch there", lambda f: _digits(f.left)),
    ("Keras there", lambda f: _digits(f.right)),
)


def _values(layer: Layer) -> Iterator[tuple[str, str, str]]:
    """What was measured, in the run and alone: rows of a table."""
    pair = (layer.finding, layer.finding_alone)
    if not any(pair):
        return
    for label, words in _MEASURES:
        texts = [words(finding) if finding is not None else "" for finding in pair]
        if any(text.strip("–") for text in texts):
            yield label, texts[0], texts[1]


def _digits(text: str) -> str:
    """A number without the digits that are rounding even in float64."""
    try:
        return f"{float(text):.12g}"
    except ValueError:
        return text
