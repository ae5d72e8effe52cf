"""A check's result in words: for the terminal, for a failing test, for a Markdown page."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from parity.checker.result.check_result import (
    CheckResult,
    ComparedQuantity,
    Divergence,
    Layer,
    LayerStatus,
    Stage,
)
from parity.comparator.noise import Finding
from parity.verdict.wording import clause, number

if TYPE_CHECKING:
    from parity.diagnosis.causes import Cause

_SHOWN = 12
_FURTHER = 3
_NARROW, _OTHER_COLUMNS, _LEAST = 80, 48, 16
"""Columns of a terminal that says nothing; what the table needs besides two names; of one name."""
STAGE_WORDS: dict[Stage, str] = {
    "structure": "structure",
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
NOT_TOLD = ("nonfinite", "undecided")
"""Statuses of a finding that say neither."""
STATUS_WORDS: dict[LayerStatus, str] = {
    "agrees": "agrees",
    "diverges": "DIVERGES",
    "downstream": "downstream",
    "other_steps": "other steps",
    "unmatched": "unmatched",
    "inconclusive": "inconclusive",
}
STATUS_MEANINGS: dict[LayerStatus, str] = {
    "agrees": "its outputs agree",
    "diverges": "its inputs agree and its outputs do not, or it diverges when computed alone on "
    "its partner's input",
    "downstream": "its inputs differ already; computed alone on its partner's input it agrees",
    "other_steps": "it is one of several steps that are others on the other side, and agree where "
    "they end",
    "unmatched": "it has no partner",
    "inconclusive": "it could not be judged",
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
            why = next((p for p in result.parts if p.finding.status in NOT_TOLD), None)
            reason = f": {parted(why.finding, why.finding.key)}" if why is not None else ""
            return f"undecided: {torch} (PyTorch) against {keras} (Keras) could not be told{reason}"


def place(divergence: Divergence) -> str:
    """The two names of a layer; one where they are the same or there is one."""
    names = [n for n in (divergence.torch, divergence.keras) if n]
    return " / ".join(dict.fromkeys(names))


def divergence(one: Divergence) -> str:
    """Where it is, and how far the two are apart."""
    return f"{place(one)} ({STAGE_WORDS[one.stage]}). {one.text}"


def parted(finding: Finding, where: str) -> str:
    """How far the two are apart, and how far that is from agreeing."""
    return clause(finding, where, "PyTorch", "Keras")


def cause(one: Cause, others: Sequence[Cause] = ()) -> str:
    """One cause in a sentence or two; beside others of the same layer, mended together."""
    torch, keras = one.left, one.right
    where = f"{torch[0] or '(nothing)'} / {keras[0] or '(nothing)'}"
    many = f" ({one.layers} layers in all)" if one.layers > 1 else ""
    words = f"{one.kind} ({one.status}): {where}: {_shown(torch[1])} in PyTorch, "
    words += f"{_shown(keras[1])} in Keras{many}."
    if one.kind == "momentum":
        words += " PyTorch says the weight of the new, Keras that of the old."
    if one.residual_ratio is not None and one.status == "confirmed":
        place = (one.left[0], one.right[0])
        several = sum((o.left[0], o.right[0]) == place and o.confirmed for o in others) > 1
        share = " together with the other causes" if several else ""
        if one.share is not None and one.share < 0.999:
            share = f" together with the other causes; this one is {one.share:.0%} of it"
        words += f" Repaired, the difference falls to {number(one.residual_ratio)} × the bound"
        words += f"{share}."
    return words


def line_to_write(one: Cause) -> str:
    """The corrected line, or what to do in words behind a #; empty where there is neither."""
    fix = one.fix.strip()
    return fix if fix.partition("#")[0].strip() or fix.startswith("# ") else ""


def layer_and_value(side: tuple[str | None, Any]) -> str:
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
        lines.append(f"First divergence: {divergence(result.first)}")
        lines += [f"Then {divergence(other)}" for other in result.divergences[1:_FURTHER]]
        if len(result.divergences) > _FURTHER:
            lines.append(f"And {len(result.divergences) - _FURTHER} more.")
    written = set()
    for one in result.causes:
        lines.append(f"Cause: {cause(one, result.causes)}")
        if (line := line_to_write(one)) and line not in written:
            written.add(line)
            said = line.removeprefix("# ")
            sentence = said.startswith("This lies in ")
            word = "write: " if said == line else "" if sentence else "change: "
            lines.append(f"  {word}{said}".replace("\n", f"\n{' ' * 9}"))
    if result.verdict == "differ" and not result.causes:
        lines.append("Cause: unknown; nothing that was tried makes the difference vanish.")
    for one in result.latent:
        lines.append(f"Without effect on what was run: {cause(one)}")
    lines += _unmatched(result)
    lines += [f"Note: {note}" for note in result.notes]
    lines += ["", summary(result)]
    return "\n".join(lines)


def _unmatched(result: CheckResult) -> list[str]:
    lines = []
    harmless = ", without effect" if result.verdict == "agree" else ""
    for side, names in (("PyTorch", result.torch_only), ("Keras", result.keras_only)):
        if names:
            shown = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
            lines.append(f"Only in {side}{harmless}: {shown}")
    return lines


def shortened(name: str, room: int) -> str:
    """A long name without its middle: of layers the two ends tell which one it is."""
    if len(name) <= room:
        return name
    behind = (room - 1) * 2 // 3
    return f"{name[: room - 1 - behind]}…{name[len(name) - behind :]}"


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


def stages(result: CheckResult) -> list[dict[str, Any]]:
    """What was compared: of each stage ``what``, ``count`` and ``worst``, as a table has them."""
    found = []
    for stage, what in STAGE_WORDS.items():
        worst = result.worst(stage)
        if worst is None:
            continue
        layers = [x for x in result.layers if x.ratio is not None]
        parts = layers if stage == "activations" else [p for p in result.parts if p.stage == stage]
        found.append({"what": what, "count": len(parts), "worst": number(worst)})
    return found


def rows(layers: Sequence[Layer], *, every: bool = False) -> list[Layer]:
    """The layers worth a row: the first divergence first, then by execution; all if asked."""
    notable = [x for x in layers if x.status in ("diverges", "unmatched", "inconclusive")]
    if every or not notable:
        return list(layers)
    return sorted(notable, key=lambda x: (x.status != "diverges", x.order))


def _row(part: ComparedQuantity) -> Layer:
    """What parted though every layer agrees, as a row of the table."""
    return Layer(part.torch, part.keras, STAGE_WORDS[part.stage], "diverges", part.finding.ratio)


def screen(result: CheckResult) -> list[Any]:
    """What `rich` prints: verdict, first divergence, causes, table of layers."""
    from rich.markup import escape  # noqa: PLC0415  # a test suite that imports us needs none
    from rich.table import Table  # noqa: PLC0415

    failing = [p for p in result.parts if not p.finding.agrees]
    style = {"agree": "bold green", "differ": "bold red"}.get(result.verdict, "yellow")
    head, _, rest = plain(result).partition("\n")
    parts: list[Any] = [f"[{style}]{escape(head)}[/]", escape(rest.rstrip())]
    shown = rows(result.layers)
    if failing and all(x.status == "agrees" for x in shown):
        shown = [_row(part) for part in failing]
    if result.verdict != "agree" and shown:
        table = Table(box=None, pad_edge=False)
        for title in ("PyTorch", "Keras", "what", "status", "ratio", "alone"):
            table.add_column(title, no_wrap=True)
        columns = shutil.get_terminal_size((_NARROW, 24)).columns
        room = max((columns - _OTHER_COLUMNS) // 2, _LEAST)
        for layer in shown[:_SHOWN]:
            table.add_row(
                escape(shortened(layer.torch or "–", room)),
                escape(shortened(layer.keras or "–", room)),
                shortened(layer.kind, _LEAST),
                STATUS_WORDS[layer.status],
                number(layer.ratio),
                number(layer.alone),
            )
        parts += ["", table]
        if len(shown) > _SHOWN:
            parts.append(f"… and {len(shown) - _SHOWN} more; --json and --report have them all")
    return parts
