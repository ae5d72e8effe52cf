"""The page of a check: verdict, causes, every layer, the aligned graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from parity.checker.result import wording
from parity.checker.result.check_result import CheckResult
from parity.report import files, plots
from parity.verdict.wording import number

_LARGEST_GRAPH = 250
"""More operations than this make a picture that nobody reads, and GitHub refuses to draw."""


def write(result: CheckResult, path: Path) -> list[Path]:
    """Write the page and its figure beside it.

    Args:
        result: of the check.
        path: of the page, ``….md``.

    Returns:
        What was written.

    Raises:
        UsageError: the folder cannot be written.
    """
    written = []
    figure = ""
    if any(layer.ratio is not None for layer in result.layers):
        picture = path.with_name(f"{path.stem}-layers.png")
        written.append(files.save(picture, plots.layers(result.layers)))
        figure = picture.name
    return [files.save(path, files.render("check", **_context(result, figure))), *written]


def _context(result: CheckResult, figure: str) -> dict[str, Any]:
    return {
        "titles": result.titles,
        "verdict": result.verdict,
        "headline": wording.headline(result),
        "inputs": result.inputs,
        "train": result.train,
        "first": _divergences(result)[0] if result.first else None,
        "others": _divergences(result)[1:],
        "causes": [
            {
                "kind": c.kind,
                "status": c.status,
                "torch": wording.layer_and_value(c.left),
                "keras": wording.layer_and_value(c.right),
                "layers": c.layers,
                "residual": number(c.residual_ratio),
                "fix": c.fix,
            }
            for c in result.causes
        ],
        "latent": [wording.cause(c) for c in result.latent],
        "stages": wording.stages(result),
        "figure": figure,
        "matched": result.matched,
        "torch_only": result.torch_only,
        "keras_only": result.keras_only,
        "layers": [
            {
                "torch": layer.torch or "–",
                "keras": layer.keras or "–",
                "kind": layer.kind,
                "status": wording.STATUS_WORDS[layer.status],
                "ratio": number(layer.ratio),
                "alone": number(layer.alone),
            }
            for layer in result.layers
        ],
        "graph": mermaid(result) if len(result.layers) <= _LARGEST_GRAPH else "",
        "notes": result.notes,
        "statuses": [
            (word, wording.STATUS_MEANINGS[status]) for status, word in wording.STATUS_WORDS.items()
        ],
    }


def _divergences(result: CheckResult) -> list[dict[str, str]]:
    return [
        {"place": wording.place(d), "stage": wording.STAGE_WORDS[d.stage], "text": d.text}
        for d in result.divergences
    ]


def mermaid(result: CheckResult) -> str:
    """The aligned graph for GitHub to draw: one box a pair, red where it diverges."""
    lines = ["flowchart TD"]
    for at, layer in enumerate(result.layers):
        names = "<br>".join(dict.fromkeys(n for n in (layer.torch, layer.keras) if n))
        text = f"{names}<br><i>{layer.kind}</i>".replace('"', "'").replace("#", "＃")
        lines.append(f'  n{at}["{text}"]' + _class(layer.status, layer.torch))
    lines += [
        f"  n{edge.source} --> n{edge.target}"
        for edge in result.edges
        if "torch" in edge.sides
        or not (result.layers[edge.source].torch and result.layers[edge.target].torch)
    ]
    lines += [
        "  classDef diverges fill:#f8d0d0,stroke:#b00020",
        "  classDef torch fill:#fbe3d6,stroke:#d55e00,stroke-dasharray:4",
        "  classDef keras fill:#d6e8f5,stroke:#0072b2,stroke-dasharray:4",
    ]
    return "\n".join(lines)


def _class(status: str, torch: str | None) -> str:
    if status == "diverges":
        return ":::diverges"
    if status == "unmatched":
        return ":::torch" if torch else ":::keras"
    return ""
