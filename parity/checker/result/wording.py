"""A check's result in words: for the terminal, for a failing test, for a Markdown page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from parity.checker.result.check_result import (
    CheckResult,
    ComparedQuantity,
    Divergence,
    Layer,
    Stage,
)
from parity.comparator.noise import C, Finding

if TYPE_CHECKING:
    from parity.checker.result.causes import Cause

_SHOWN = 12
_FURTHER = 3
STAGE_WORDS: dict[Stage, str] = {
    "structure": "what the two are made of",
    "weights": "weights",
    "activations": "layers",
    "outputs": "outputs",
    "loss": "loss",
    "gradients": "gradients",
    "training": "layers in training mode",
    "state": "running statistics",
    "optimizer": "the optimizer's first step",
    "steps": "steps of training",
    "evaluation": "outputs after training",
}
STANDING_WORDS = {
    "agrees": "agrees",
    "parts": "PARTS",
    "follows": "follows",
    "unmatched": "no partner",
    "untold": "not compared",
}


def headline(result: CheckResult) -> str:
    """The verdict in one sentence."""
    torch, keras = result.titles["torch"], result.titles["keras"]
    match result.verdict:
        case "agree":
            return f"agree: {torch} (PyTorch) and {keras} (Keras) are the same function to rounding"
        case "differ":
            return f"differ: {torch} (PyTorch) and {keras} (Keras) are not the same function"
        case _:
            why = next((p for p in result.parts if p.finding.status == "nonfinite"), None)
            told = f": {parted(why.finding, why.finding.key)}" if why is not None else ""
            return f"undecided: {torch} (PyTorch) against {keras} (Keras) could not be told{told}"


def number(ratio: float | None) -> str:
    """A ratio to the bound."""
    if ratio is None:
        return "–"
    if not math.isfinite(ratio):
        return "∞"
    return f"{ratio:.2g}"


def place(divergence: Divergence) -> str:
    """The two names of a layer; one where they are the same or there is one."""
    names = [n for n in (divergence.torch, divergence.keras) if n]
    return " / ".join(dict.fromkeys(names))


def parted(finding: Finding, where: str) -> str:
    """How far the two are apart, and how far that is from agreeing."""
    match finding.status:
        case "shape":
            return f"{where} has shape {finding.left} in PyTorch and {finding.right} in Keras"
        case "nonfinite":
            return f"{where} is not finite: {finding.left} in PyTorch, {finding.right} in Keras"
        case "missing":
            return f"{where} is missing in {' and '.join(finding.sides)}"
        case "noisy":
            loud = "PyTorch" if (finding.own_left or 0) > (finding.own_right or 0) else "Keras"
            low, high = sorted((finding.own_left or 0.0, finding.own_right or 0.0))
            return (
                f"{where}: {loud}'s float32 is {high:.2g} from its float64, the other's {low:.2g}; "
                f"{loud} computes in a lower precision there"
            )
    if finding.rule in ("exact", "frozen", "dropout") or finding.distance32 is None:
        return f"{where} is {finding.left} in PyTorch and {finding.right} in Keras"
    if finding.rule == "fallback":
        return (
            f"{where} is {finding.distance32:.2g} apart in float32, {number(finding.ratio)} × the "
            "tolerance of torch.testing (there is no float64 to measure noise with)"
        )
    single = finding.rule == "numbers"
    apart = finding.distance32 if single else finding.distance64
    return (
        f"{where} is {apart:.2g} apart in {'float32' if single else 'float64'}, "
        f"{number(finding.ratio)} × the bound (would agree with C ≥ "
        f"{number((finding.ratio or 0) * C)}, C is {C:g})"
    )


def cause(found: Cause) -> str:
    """One cause in a sentence or two."""
    torch, keras = found.left, found.right
    where = f"{torch[0] or '(nothing)'} / {keras[0] or '(nothing)'}"
    many = f", and the same in {found.layers} layers" if found.layers > 1 else ""
    words = f"{found.kind} ({found.status}): {where}: {_shown(torch[1])} in PyTorch, "
    words += f"{_shown(keras[1])} in Keras{many}."
    if found.kind == "momentum":
        words += " PyTorch says the weight of the new, Keras that of the old."
    if found.residual_ratio is not None and found.status == "confirmed":
        share = ""
        if found.share is not None and found.share < 0.999:
            share = f" together with the other causes; this one is {found.share:.0%} of it"
        words += f" Repaired, the difference falls to {number(found.residual_ratio)} × the bound"
        words += f"{share}."
    return words


def told(side: tuple[str | None, Any]) -> str:
    """A layer and its value."""
    return f"{side[0] or '(nothing)'}: {_shown(side[1])}"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)


def plain(result: CheckResult) -> str:
    """The whole result as plain text."""
    lines = [headline(result), ""]
    if result.first is not None:
        first = result.first
        lines += [f"First divergence: {place(first)} ({STAGE_WORDS[first.stage]}). {first.text}"]
        for other in result.divergences[1:_FURTHER]:
            lines.append(f"Then {place(other)} ({STAGE_WORDS[other.stage]}). {other.text}")
        if len(result.divergences) > _FURTHER:
            lines.append(f"And {len(result.divergences) - _FURTHER} more.")
    for found in result.causes:
        lines.append(f"Cause: {cause(found)}")
        if found.fix.partition("#")[0].strip() or found.fix.lstrip().startswith("# "):
            lines.append("  write: " + found.fix.strip().replace("\n", f"\n{' ' * 9}"))
    if result.verdict == "differ" and not result.causes:
        lines.append("Cause: unknown; nothing that was tried makes the difference vanish.")
    for found in result.latent:
        lines.append(f"Without effect on what was run: {cause(found)}")
    lines += _unmatched(result)
    lines += [f"Note: {note}" for note in result.notes]
    lines += ["", summary(result)]
    return "\n".join(lines)


def _unmatched(result: CheckResult) -> list[str]:
    lines = []
    for side, names in (("PyTorch", result.torch_only), ("Keras", result.keras_only)):
        if names:
            shown = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
            lines.append(f"Only in {side}: {shown}")
    return lines


def summary(result: CheckResult) -> str:
    """What was compared, and the worst of each stage."""
    parts = [f"{result.matched} pairs of operations"]
    for stage, words in STAGE_WORDS.items():
        worst = result.worst(stage)
        if worst is not None:
            parts.append(f"{words} {number(worst)}")
    seconds = sum(result.seconds.values())
    return (
        f"Compared: {' · '.join(parts)} (worst ratio to the bound; 1 or less agrees). "
        f"{seconds:.0f} s."
    )


def rows(layers: Sequence[Layer], *, every: bool = False) -> list[Layer]:
    """The layers worth a row: the first divergence first, then by execution; all if asked."""
    notable = [x for x in layers if x.standing in ("parts", "unmatched", "untold")]
    if every or not notable:
        return list(layers)
    return sorted(notable, key=lambda x: (x.standing != "parts", x.order))


def _row(part: ComparedQuantity) -> Layer:
    """What parted though every layer agrees, as a row of the table."""
    return Layer(part.torch, part.keras, STAGE_WORDS[part.stage], "parts", part.finding.ratio)


def screen(result: CheckResult) -> list[Any]:
    """What `rich` prints: verdict, first divergence, causes, table of layers."""
    from rich.markup import escape  # noqa: PLC0415  # a test suite that imports us needs none
    from rich.table import Table  # noqa: PLC0415

    failing = [p for p in result.parts if not p.finding.agrees]
    style = {"agree": "bold green", "differ": "bold red"}.get(result.verdict, "yellow")
    head, _, rest = plain(result).partition("\n")
    parts: list[Any] = [f"[{style}]{escape(head)}[/]", escape(rest.rstrip())]
    shown = rows(result.layers)
    if failing and all(x.standing == "agrees" for x in shown):
        shown = [_row(part) for part in failing]
    if result.verdict != "agree" and shown:
        table = Table(box=None, pad_edge=False)
        for title in ("PyTorch", "Keras", "what", "standing", "ratio", "alone"):
            table.add_column(title, overflow="fold")
        for layer in shown[:_SHOWN]:
            table.add_row(
                escape(layer.torch or "–"),
                escape(layer.keras or "–"),
                layer.kind,
                STANDING_WORDS[layer.standing],
                number(layer.ratio),
                number(layer.alone),
            )
        parts += ["", table]
        if len(shown) > _SHOWN:
            parts.append(f"… and {len(shown) - _SHOWN} more; --json and --report have them all")
    return parts
