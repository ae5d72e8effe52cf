"""What ``parity check`` says of the zoo's pairs, what that costs, and what is wrong with it."""

import contextlib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path

import psutil

from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.graph.target import Target
from parity.checker.result.check_result import CheckResult
from parity.checker.workers.request import CheckRequest, processes
from parity.core.errors import ParityError
from parity_tests.check.zoo.pair import Pair
from parity_tests.check.zoo.truth import Truth


@dataclass(frozen=True)
class Outcome:
    """An answer.

    Attributes:
        pair: what was asked about.
        given: the result, or the error in its place.
        faults: everything that is not right in it, in words.
        seconds: wall time.
        memory: the most that both sides held together, in bytes; None where nothing tells it.
    """

    pair: Pair
    given: CheckResult | ParityError
    faults: tuple[str, ...]
    seconds: float
    memory: int | None


def ask(pairs: Sequence[Pair], truths: dict[str, Truth]) -> Iterator[Outcome]:
    """The tool's answers, one after the other, in two processes that serve all pairs."""
    with processes(CheckRequest()) as remotes:
        for pair in pairs:
            _forget_peaks()
            began = time.perf_counter()
            given = answer(remotes, pair)
            seconds = time.perf_counter() - began
            faults = wrong(pair, truths[pair.name].verdict, given)
            yield Outcome(pair, given, tuple(faults), seconds, _peak())


def answer(remotes, pair: Pair) -> CheckResult | ParityError:
    """The tool's answer, in processes that run already."""
    targets = (
        Target(pair.module, "torch_model", pair.torch),
        Target(pair.module, "keras_model", pair.keras),
    )
    inputs = tuple(model_inputs.parse(text) for text in pair.inputs)
    try:
        return check_in(remotes, targets, CheckRequest(inputs=inputs))
    except ParityError as error:
        return error


def wrong(pair: Pair, verdict: str, given: CheckResult | ParityError) -> list[str]:
    """Everything that is not right in the answer, in words."""
    if isinstance(given, ParityError):
        return [f"error: {given}"]
    found = []
    if given.verdict != verdict:
        found.append(f"verdict {given.verdict}, not {verdict}")
    kinds = pair.kinds if verdict == "differ" else ()
    false = [c for c in given.causes if c.status == "confirmed" and c.kind not in kinds]
    found += [f"confirmed {c.kind} is false: {c.left} / {c.right}" for c in false]
    if given.verdict == verdict == "differ":
        first = given.first
        names = [name for name in (first.torch, first.keras) if name] if first else []
        if pair.layer and not any(fnmatchcase(n, p) for n in names for p in pair.layer):
            found.append(f"first divergence {' / '.join(names) or 'none'}, not {pair.layer}")
        if not any(c.kind in kinds for c in given.causes):
            named = [f"{c.kind} {c.status}" for c in given.causes]
            found.append(f"causes {named or 'none'}, not {kinds}")
    return found


def missing(pair: Pair) -> list[str]:
    """Packages that it needs and that are not installed."""
    return [name for name in pair.packages if find_spec(name) is None]


def _sides() -> list[Path]:
    children = psutil.Process().children(recursive=True)
    return [Path("/proc") / str(child.pid) for child in children]


def _forget_peaks() -> None:
    """Linux: the most that a process has held is from now on what it holds now."""
    for folder in _sides():
        with contextlib.suppress(OSError):
            (folder / "clear_refs").write_text("5")


def _peak() -> int | None:
    total = 0
    for folder in _sides():
        with contextlib.suppress(OSError):
            found = re.search(r"VmHWM:\s+(\d+) kB", (folder / "status").read_text())
            total += int(found[1]) * 1024 if found else 0
    return total or None
