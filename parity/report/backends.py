"""The page on Keras' backends: what `fit` trains, on each, beside PyTorch and beside TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parity.core.json_format import JSON_FORMAT
from parity.core.sides import TITLES
from parity.report import documents
from parity.report.files import render, save
from parity.report.formatting import MARKS, NONE, count, fraction, listed, prose, ratio
from parity.report.result import ReportInput
from parity.spec.backends import DIFFERENCES, YARDSTICK, BackendDifference, BackendVariant
from parity.verdict.judgement import PairVerdict, example_json

NAME = "backends"


@dataclass(frozen=True)
class _Run:
    """A training on another backend.

    Attributes:
        result: of its example.
        way: how it was trained.
        beside: the verdicts beside PyTorch and beside Keras on TensorFlow.
    """

    result: ReportInput
    way: BackendVariant
    beside: tuple[PairVerdict, PairVerdict]

    @property
    def trained(self) -> str:
        """``fashion_mlp``, and which of its pairs where it has several."""
        name = self.result.spec.name
        own = self.beside[0].pair.name.partition(f"_{self.backend}")[0]
        return name if own == "matched" else f"{name}, {own}"

    @property
    def backend(self) -> str:
        return self.way.side.removeprefix("keras-")

    @property
    def agrees(self) -> bool:
        return all(pair.verdict == "agree" for pair in self.beside)


def write(results: Sequence[ReportInput], folder: Path) -> list[Path]:
    """Write ``backends.md`` and its JSON twin.

    Args:
        results: of examples that `parity.spec.backends.on_backends` made.
        folder: where the reports live.

    Returns:
        Both files, the page first.
    """
    runs = [run for result in results for run in _runs(result)]
    text = render(
        NAME,
        lead=_lead(runs),
        rows=[_row(run) for run in runs if run.way.undone == YARDSTICK],
        rungs=[row for run in runs if run.way.undone == YARDSTICK for row in _rungs(run)],
        parts=[part for d in DIFFERENCES if (part := _part(d, runs))],
        unexpected=[
            f"{run.trained} on {run.backend}: {prose(pair.text)}"
            for run in runs
            for pair in run.beside
            if not pair.as_expected
        ],
        versions=_versions(results),
    )
    document = {
        "format": JSON_FORMAT,
        "examples": [{**example_json(r.verdict), "data": r.data} for r in results],
        "versions": _versions(results),
    }
    return [
        save(folder / f"{NAME}.md", text),
        save(folder / f"{NAME}.json", documents.to_text(document)),
    ]


def _runs(result: ReportInput) -> Iterator[_Run]:
    for way in result.spec.ways:
        if isinstance(way, BackendVariant):
            beside, itself = (p for p in result.verdict.pairs if p.pair.right == way.id)
            yield _Run(result, way, (beside, itself))


def _lead(runs: Sequence[_Run]) -> str:
    """What is so of all of them, in a sentence or two."""
    as_is = [run for run in runs if run.way.undone == YARDSTICK]
    parted = [f"`{run.trained}` on {TITLES[run.way.side]}" for run in as_is if not run.agrees]
    same = len(as_is) - len(parted)
    words = (
        f"**{same} of {count(len(as_is), 'training')} on another backend of Keras "
        f"{'is' if same == 1 else 'are'} equal, to rounding, to PyTorch's program and to Keras on "
        "TensorFlow**, from the first tensor to the last weight."
    )
    return f"{words} Not equal: {listed(parted)}; why, below." if parted else words


def _row(run: _Run) -> dict[str, str]:
    torch, keras = run.beside
    accuracy = [
        runs.get("test_accuracy")
        for runs in (
            torch.metrics[torch.left],
            keras.metrics[keras.left],
            torch.metrics[torch.right],
        )
    ]
    steps = "the first"
    if torch.horizon is not None and torch.last_step is not None:
        steps = f"{torch.horizon:,} of {torch.last_step:,}"
    return {
        "trained": run.trained,
        "backend": TITLES[run.way.side],
        "torch": _beside(torch),
        "keras": _beside(keras),
        "steps": steps,
        "same": _same(torch),
        "accuracy": " · ".join(map(fraction, accuracy)) if any(accuracy) else NONE,
    }


def _same(pair: PairVerdict) -> str:
    """``1,957 · 2,000 of 2,000``: equal predictions in float32 · in float64."""
    if not pair.agreement:
        return NONE
    told = [f"{pair.agreement[p][0]:,}" for p in ("float32", "float64")]
    return f"{' · '.join(told)} of {pair.agreement['float32'][1]:,}"


def _beside(pair: PairVerdict) -> str:
    """``✓ L0–L5, 0.23``, or where it parts."""
    if pair.verdict == "agree":
        names = list(pair.levels)
        worst = max((level.worst_ratio or 0.0) for level in pair.levels.values())
        return f"✓ {names[0]}–{names[-1]}, {ratio(worst)}"
    mark = {"differ": "✗", "undecided": "?"}[pair.verdict]
    return f"{mark} {pair.first.key.replace('/', ' / ')}" if pair.first else mark


def _rungs(run: _Run) -> Iterator[list[str]]:
    for title, pair in zip(("PyTorch", "TensorFlow"), run.beside, strict=True):
        cells = []
        for name in ("L0", "L1", "L2", "L3", "L4", "L5"):
            level = pair.levels.get(name)
            if level is None:
                cells.append(NONE)
            elif level.status == "identical":
                cells.append(f"{MARKS[level.status]} exact")
            else:
                cells.append(f"{MARKS[level.status]} {ratio(level.worst_ratio)}")
        yield [run.trained, TITLES[run.way.side], title, *cells]


def _part(found: BackendDifference, runs: Sequence[_Run]) -> dict[str, Any] | None:
    """A listed difference: what was measured with it, and with its cause undone."""
    own = [
        run
        for run in runs
        if (run.result.spec.name, run.way.side) == (found.example, found.side)
        and run.beside[0].pair.name.startswith(f"{found.pair}_{run.backend}")
    ]
    parted = next((run for run in own if run.beside[0].pair.reason == found.reason), None)
    without = {*YARDSTICK, *filter(None, [found.undone])}
    undone = next((run for run in own if without == set(run.way.undone)), None)
    if parted is None or undone is None:
        return None
    beside = " · ".join(map(_beside, undone.beside))
    return {
        "title": found.title,
        "reason": found.reason,
        "trained": parted.trained,
        "backend": TITLES[found.side],
        "text": prose(parted.beside[1 if found.undone else 0].text),
        "stale": not all(pair.as_expected for pair in (*parted.beside, *undone.beside)),
        "proof": f"With this undone, beside PyTorch · beside TensorFlow: {beside}"
        if found.undone
        else f"Beside Keras on TensorFlow: {_beside(parted.beside[1])}",
        "float64": found.undone in YARDSTICK,
    }


def _versions(results: Sequence[ReportInput]) -> dict[str, dict[str, str]]:
    """Side → package → version, of all recordings."""
    found: dict[str, dict[str, str]] = {}
    for result in results:
        for runs in result.runs.values():
            for recording in runs.present:
                found.setdefault(recording.header.side, dict(recording.header.versions))
    return found
