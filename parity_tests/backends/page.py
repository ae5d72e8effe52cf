"""``reports/upstream.md``: what parts between the backends of one Keras, and what is a fault.

``python -m parity_tests.backends.page`` runs the programs of ``causes.toml`` and writes it; the
counts are of the last run of the fuzzer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from parity_tests.backends import known, programs
from parity_tests.backends.backends import BACKENDS
from parity_tests.backends.known import Cause, Finding

FILE = Path(__file__).parents[2] / "reports" / "upstream.md"
KINDS = {
    "crashes": "the process ends",
    "values": "other numbers",
    "nonfinite": "NaN or an infinity elsewhere",
    "shape": "another shape",
    "structure": "more outputs, or no array",
    "dtype": "another dtype",
    "precision": "only float32's precision in float64",
    "lacks": "one refuses what another takes",
    "lacks float64": "one refuses float64",
    "gradient values": "another gradient",
    "gradient nonfinite": "NaN or an infinity in one gradient",
    "gradient lacks": "no gradient",
    "gradient precision": "a gradient with float32's precision only",
}


def text(printed: Mapping[str, Mapping[str, str]]) -> str:
    """The page.

    Args:
        printed: cause → backend → what its program prints.
    """
    findings, causes = known.findings(), known.causes()
    faults = [cause for cause in causes if cause.program]
    parts = [
        "# One Keras on three backends: what parts\n",
        "Every documented function of `keras.ops` and layer of `keras.layers`, called with drawn "
        "arguments on TensorFlow, PyTorch and JAX, on a CPU, in float32 and float64, with its "
        "gradient. Numbers part where they differ by more than the rounding that was measured. "
        "Written by `python -m parity_tests.backends.page`.\n",
        _versions(),
        _counts(findings, causes),
        f"## {len(faults)} faults of Keras\n",
        "Each program was run as it stands, with `KERAS_BACKEND=…`. Links say where a fault is "
        "known. Where there is none, none was found, or nobody looked: search before you report.\n",
        *(_fault(cause, printed[cause.name], findings) for cause in faults),
        "## All findings\n",
        *_findings(findings, causes),
    ]
    return "\n".join(parts)


def _versions() -> str:
    names = ("keras", *BACKENDS)
    return "Versions: " + ", ".join(f"{name} {version(name)}" for name in names) + ".\n"


def _counts(findings: Sequence[Finding], causes: Sequence[Cause]) -> str:
    reached = known.reached()
    lines = [
        "| | functions of `keras.ops` | layers |",
        "|---|--:|--:|",
    ]
    rows: dict[str, list[int]] = {}
    for room in ("ops.", "layers."):
        rows_here = {n: r for n, r in reached.items() if n.startswith(room)}
        mine = [f for f in findings if f.function.startswith(room)]
        compared = [r["backends"] for r in rows_here.values()]
        numbers = [f for f in mine if not f.kind.endswith(("lacks", "lacks float64", "precision"))]
        counts = {
            "documented": len(rows_here),
            "called": sum(bool(r["calls"]) for r in rows_here.values()),
            "that ran on all three": sum(len(b) == len(BACKENDS) for b in compared),
            "that part in any way": len({f.function for f in mine}),
            "that part in numbers, shape, dtype or by ending the process": len(
                {f.function for f in numbers}
            ),
            "calls drawn": sum(r["calls"] for r in rows_here.values()),
            "findings": len(mine),
            "findings with a cause": sum(known.cause_of(f, causes) is not None for f in mine),
            "of these, faults": sum(
                (c := known.cause_of(f, causes)) is not None and bool(c.program) for f in mine
            ),
            "minutes": round(sum(r["seconds"] for r in rows_here.values()) / 60),
        }
        for name, count in counts.items():
            rows.setdefault(name, []).append(count)
    uncalled = [
        f"`{name.removeprefix('layers.')}`" for name, r in reached.items() if not r["calls"]
    ]
    lines += [f"| {name} | {ops:,} | {layers:,} |" for name, (ops, layers) in rows.items()]
    return (
        "\n".join(lines)
        + "\n\nA finding is a function, a way of parting and who parts; most are refusals and "
        "float64 in name only. Those without a cause are open: nobody has looked into them yet. "
        "Gradients are not judged at kinks and at NaN, what is random only in inference. "
        "Not called, since they "
        "belong to one backend, run on TensorFlow whatever the backend, or have no function: "
        f"{', '.join(uncalled)}.\n"
    )


def _fault(cause: Cause, printed: Mapping[str, str], findings: Iterable[Finding]) -> str:
    covered = sorted({f.function for f in findings if cause.has(f)})
    rows = [
        f"| {backend} | `{_cell(said)}` | {'✗' if backend in cause.wrong else '✓'} |"
        for backend, said in printed.items()
    ]
    known_as = f"\nKnown: {cause.upstream}.\n" if cause.upstream else ""
    return "\n".join(
        [
            f"### {cause.title}\n",
            f"```python\n{cause.program.strip()}\n```\n",
            "| backend | prints | |",
            "|---|---|---|",
            *rows,
            f"\nRight is `{_cell(cause.right)}`: {cause.by}.\n",
            f"{cause.why}\n{known_as}",
            f"Found in {', '.join(f'`{name}`' for name in covered)}.\n" if covered else "",
        ]
    )


def _findings(findings: Sequence[Finding], causes: Sequence[Cause]) -> Iterable[str]:
    yield "Backends that agree stand together; of what one lacks, the one that lacks it.\n"
    counted = Counter(f.kind for f in findings)
    for kind in sorted(counted, key=lambda k: (list(KINDS).index(k) if k in KINDS else 99, k)):
        yield (
            f"<details><summary>{KINDS.get(kind, kind)} (`{kind}`): {counted[kind]}</summary>\n\n"
            "| who parts | smallest call | cause |\n|---|---|---|"
        )
        for f in findings:
            if f.kind == kind:
                cause = known.cause_of(f, causes)
                yield (
                    f"| {_cell(f.apart)} | `{_cell(f.call)}` | {cause.name if cause else 'open'} |"
                )
        yield "\n</details>\n"


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("\n", " ")


def main() -> None:
    """Run the programs and write the page."""
    faults = [cause for cause in known.causes() if cause.program]
    printed = programs.every_output(faults, BACKENDS)
    for cause in faults:
        if not programs.holds(cause, printed[cause.name]):
            print(f"{cause.name} is not as it is said: {printed[cause.name]}")
    FILE.write_text(text(printed))


if __name__ == "__main__":
    main()
