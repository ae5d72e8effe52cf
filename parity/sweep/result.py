"""The answer of a sweep as JSON: the short one of ``--json``, and everything behind it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from parity.core.json_format import JSON_FORMAT
from parity.core.statistics import ALPHA, Interval, PairedComparison
from parity.sweep.board import Board, BoardRow

EQUAL, DIFFERENT, COULD_NOT_TELL = 0, 1, 2


def to_json(board: Board) -> dict[str, Any]:
    """What ``parity sweep --json`` prints."""
    return {
        "format": JSON_FORMAT,
        "examples": [_short(row) for row in board.rows],
        "jobs": {"done": board.done, "reused": board.reused, "failed": len(board.failed)},
    }


def details(board: Board) -> dict[str, Any]:
    """The same with everything that the verdicts rest on."""
    request = board.request
    return {
        **to_json(board),
        "waiting": len(board.waiting),
        "plan": {
            "seeds": request.seeds,
            "margin": request.margin,
            "alpha": ALPHA,
            "looks": list(request.looks),
            "correction": f"Bonferroni over {len(request.looks)} looks" if request.stop else "",
            "divisions": list(request.divisions),
            "attribution": request.attribution,
            "full": request.full,
            "sizes": {spec.name: dataclasses.asdict(request.size(spec)) for spec in request.specs},
            "threads": request.threads,
        },
        "examples": [{**_short(row), **_long(board, row)} for row in board.rows],
        "failures": [
            {**job.to_dict(), "message": message} for job, message in board.failed.items()
        ],
        "runs": [
            {
                "seconds": round(summary.seconds, 3),
                "example": job.example,
                "side": job.side,
                "setting": job.setting,
                "seed": job.seed,
                "test_accuracy": summary.test_accuracy,
                "test_loss": _plain(summary.test_loss),
                "epoch_losses": [_plain(loss) for loss in summary.epoch_losses],
            }
            for job, summary in sorted(board.found.items(), key=lambda item: _place(item[0]))
        ],
    }


def to_report(board: Board, data: Mapping[str, str]) -> dict[str, Any]:
    """The same for the pages: what was measured at all, with what they say beside the numbers.

    Each example has the level of its interval, the verdict's words, over how many examples it was
    corrected (``together``), and what it was trained on.

    Args:
        board: everything so far.
        data: example → what it was trained on, in words.
    """
    rows = [
        {
            **_short(row),
            "level": row.comparison.interval.level,
            "words": row.words,
            "together": len(board.request.specs),
            "data": data[row.example],
        }
        for row in board.rows
        if row.comparison.interval is not None
    ]
    return {**to_json(board), "waiting": len(board.waiting), "examples": rows}


def exit_code(board: Board) -> int:
    """0 all equal within the margin, 1 some differ, 2 a question is open, or a job not done."""
    if board.failed or board.waiting or not all(row.final for row in board.rows):
        return COULD_NOT_TELL
    answers = {row.verdict.answer for row in board.rows}
    if "different" in answers:
        return DIFFERENT
    return COULD_NOT_TELL if "undecided" in answers else EQUAL


def _short(row: BoardRow) -> dict[str, Any]:
    interval = row.comparison.interval
    return {
        "example": row.example,
        "division": row.division,
        "seeds": len(row.seeds),
        "margin": row.comparison.margin,
        "gap": {
            "mean": row.comparison.mean,
            "low": interval.low if interval else None,
            "high": interval.high if interval else None,
        },
        # Before its last seed nothing is decided: who looks at every seed is wrong too often.
        "verdict": row.verdict.answer if row.final else "undecided",
    }


def _long(board: Board, row: BoardRow) -> dict[str, Any]:
    found = board.details(row)
    return {
        "words": row.words,
        "seeds_needed": row.verdict.needed,
        "stopped": row.stopped,
        "significant": row.verdict.significant,
        "p_different_holm": row.verdict.adjusted_p,
        **_numbers(row.comparison),
        "churn": dataclasses.asdict(found["churn"]),
        "mcnemar": [dataclasses.asdict(single) for single in found["mcnemar"]],
        "classes": [{"class": int(c), **_numbers(gap)} for c, gap in found["classes"].items()],
    }


def _numbers(comparison: PairedComparison) -> dict[str, Any]:
    return {
        "gaps": list(comparison.gaps),
        "t_interval": _interval(comparison.interval),
        "bootstrap_interval": _interval(comparison.bootstrap),
        "p_equal": comparison.equal_p,
        "p_different": comparison.different_p,
    }


def _interval(interval: Interval | None) -> dict[str, float] | None:
    return dataclasses.asdict(interval) if interval else None


def _plain(value: float) -> float | None:
    return value if value - value == 0 else None  # infinities and NaN are no JSON


def _place(job: Any) -> tuple[Any, ...]:
    return (job.example, job.setting, job.side, job.seed)
