"""``reports/ports.md``: how well the check tells right ports from wrong ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parity_tests.check.bench.rows import Fault
from parity_tests.check.bench.scoring import Score

WORDS = ("caught", "layer", "named", "confirmed")


def text(rows: Sequence[Fault], scores: Mapping[str, Score], right: tuple[int, int]) -> str:
    """The page.

    Args:
        rows: wrong ports.
        scores: by their names.
        right: right ports judged right, of how many.
    """
    agreed, of = right
    lines = [
        "# Ports, right and wrong",
        "",
        "How `parity check` does on small models, written as people write them, each right or",
        "with one mistake, some with two (`parity_tests/check/bench`). The table of mistakes was",
        "written before the answers; `make ports` measures it again.",
        "",
        f"- **{agreed} of {of} right ports** are judged right: {of - agreed} false alarms.",
        f"- **{_count(rows, scores, 'caught')} of {len(rows)} wrong ports** are caught; of "
        f"{_count(rows, scores, 'layer')} the right layer is named, of "
        f"{_count(rows, scores, 'named')} the right cause, and of "
        f"{_count(rows, scores, 'confirmed')} it is confirmed: recomputed with it repaired, the "
        "two agree.",
        "",
        "| mistake | ports | caught | layer | cause | confirmed |",
        "|---|---|---|---|---|---|",
    ]
    for kind in dict.fromkeys(row.causes[0].kinds[0] for row in sorted(rows, key=_kind)):
        some = [row for row in rows if row.causes[0].kinds[0] == kind]
        counts = " | ".join(str(_count(some, scores, word)) for word in WORDS)
        lines.append(f"| {kind} | {len(some)} | {counts} |")
    lines += ["", "## Not quite", "", "| port | what went wrong | answer |", "|---|---|---|"]
    for row in rows:
        score = scores[row.name]
        missing = [word for word in WORDS if not getattr(score, word)]
        if missing:
            lines.append(f"| {row.name} | {row.why} | not {', not '.join(missing)} |")
    return "\n".join(lines) + "\n"


def _kind(row: Fault) -> str:
    return row.causes[0].kinds[0]


def _count(rows: Sequence[Fault], scores: Mapping[str, Score], word: str) -> int:
    return sum(getattr(scores[row.name], word) for row in rows)
