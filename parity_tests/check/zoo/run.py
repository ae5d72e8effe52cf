"""What ``parity check`` says of each pair: ``python -m parity_tests.check.zoo.run [PATTERN …]``."""

import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from importlib.util import find_spec

from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.graph.target import Target
from parity.checker.result.check_result import CheckResult
from parity.checker.workers.request import CheckRequest, processes
from parity_tests.check.zoo.pair import Pair, all_pairs
from parity_tests.check.zoo.truth import stored


def answer(remotes, pair: Pair) -> CheckResult:
    """The tool's answer, in processes that run already."""
    targets = (
        Target(pair.module, "torch_model", pair.torch),
        Target(pair.module, "keras_model", pair.keras),
    )
    inputs = tuple(model_inputs.parse(text) for text in pair.inputs)
    return check_in(remotes, targets, CheckRequest(inputs=inputs))


def wrong(pair: Pair, verdict: str, given: CheckResult) -> list[str]:
    """Everything that is not right in the answer, in words."""
    found = []
    if given.verdict != verdict:
        found.append(f"verdict {given.verdict}, not {verdict}")
    false = [c for c in given.causes if c.status == "confirmed" and c.kind not in pair.kinds]
    found += [f"confirmed {c.kind} is false: {c.left} / {c.right}" for c in false]
    if given.verdict == verdict == "differ":
        first = given.first
        names = [name for name in (first.torch, first.keras) if name] if first else []
        if pair.layer and not any(fnmatchcase(n, p) for n in names for p in pair.layer):
            found.append(f"first divergence {' / '.join(names) or 'none'}, not {pair.layer}")
        if pair.kinds and not any(c.kind in pair.kinds for c in given.causes):
            named = [f"{c.kind} {c.status}" for c in given.causes]
            found.append(f"causes {named or 'none'}, not {pair.kinds}")
    return found


def installed(pair: Pair) -> bool:
    """Whether all that it needs is there."""
    return all(find_spec(name) is not None for name in pair.packages)


def main(patterns: Sequence[str]) -> None:
    """Say of each pair that matches what is wrong with its answer."""
    truths = stored()
    chosen = [p for p in all_pairs() if any(fnmatchcase(p.name, x) for x in patterns or ["*"])]
    right = 0
    with processes(CheckRequest()) as remotes:
        for pair in chosen:
            began = time.perf_counter()
            verdict = truths[pair.name].verdict if pair.name in truths else "agree"
            try:
                given = answer(remotes, pair)
                faults = wrong(pair, verdict, given)
            except Exception as error:
                given, faults = None, [f"{type(error).__name__}: {error}"]
            seconds = time.perf_counter() - began
            right += not faults
            mark = "WRONG" if faults else "right"
            print(
                f"{mark}  {pair.name}  {verdict}  {seconds:.0f} s  {'; '.join(faults)}", flush=True
            )
            for cause in getattr(given, "causes", ()):
                places = f"×{len(cause.left)}: {cause.left[:2]} / {cause.right[:2]}"
                print(f"         {cause.kind} {cause.status} {places} | {cause.fix}", flush=True)
    print(f"{right} of {len(chosen)} right")


if __name__ == "__main__":
    main(sys.argv[1:])
