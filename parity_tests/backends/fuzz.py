"""Draw calls of a function, ask all backends, keep of every way of parting the smallest call.

``python -m parity_tests.backends.fuzz`` does so for everything that Keras documents, and writes
``known.toml`` and ``reached.json``; with patterns of names, as ``'ops.image.*'``, for those.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from zlib import crc32

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import find as shrunk
from hypothesis.errors import NoSuchExample

from parity_tests.backends import known
from parity_tests.backends.backends import Panel, panel
from parity_tests.backends.known import Finding
from parity_tests.backends.templates import Parameter, UnreachedError, calls, template

EXAMPLES = 10
"""Calls that are drawn of a function, the same every time."""
SHRINKING = 12
"""Calls that are asked to make the call of one finding smaller."""
PLAIN = ("crashes", "lacks", "lacks float64", "dtype", "precision", "gradient precision")
"""Ways of parting whose calls are small enough as they were drawn."""
QUIET = {"database": None, "deadline": None, "suppress_health_check": list(HealthCheck)}


def functions(panel: Panel) -> dict[str, list[Parameter]]:
    """Every documented function and layer that is not another's second name → its parameters."""
    return {
        name: [Parameter(*told) for told in parameters]
        for name, parameters in panel.signatures.items()
        if isinstance(parameters, list)
    }


def sample(function: str, parameters: Sequence[Parameter], many: int = EXAMPLES) -> list[str]:
    """Calls of a function, the same every time.

    Raises:
        UnreachedError: nothing says how to draw them.
    """
    found: dict[str, None] = {}

    @seed(crc32(function.encode()))
    @settings(max_examples=many, phases=[Phase.generate], **QUIET)
    @given(calls(template(function, parameters)))
    def collect(call: str) -> None:
        found[call] = None

    collect()
    return list(found)


def findings(
    panel: Panel,
    function: str,
    parameters: Sequence[Parameter],
    drawn: Sequence[str],
    *,
    shrink: bool = True,
) -> Iterator[Finding]:
    """Of every way of parting that some of the drawn calls show, the smallest call found."""
    showing: dict[tuple[str, str], list[str]] = {}
    for call in drawn:
        for parting in panel.partings(call):
            showing.setdefault((parting.kind, parting.apart), []).append(call)
    for key, having in sorted(showing.items()):
        call = min(having, key=lambda c: (len(c), c))
        if shrink and key[0] not in PLAIN:
            call = _smaller(panel, function, parameters, key, call)
        words = next(p.words for p in panel.partings(call) if (p.kind, p.apart) == key)
        words = words.partition(" at a call.")[0]  # of a crash, not where it was
        yield Finding(function, *key, call, words)


def _smaller(
    panel: Panel, function: str, parameters: Sequence[Parameter], key: tuple[str, str], call: str
) -> str:
    """The call as hypothesis shrinks it, within `SHRINKING` questions; itself if that is longer."""
    left = SHRINKING

    def shows(candidate: str) -> bool:
        nonlocal left
        if candidate not in panel.partings_of:
            left -= 1
            if left < 0:
                return False
        return any((p.kind, p.apart) == key for p in panel.partings(candidate))

    try:
        found = shrunk(
            calls(template(function, parameters)),
            shows,
            settings=settings(
                max_examples=EXAMPLES * 5, phases=[Phase.generate, Phase.shrink], **QUIET
            ),
        )
    except NoSuchExample:
        return call
    return min(call, found, key=len)


def main(patterns: Sequence[str]) -> None:
    """Ask about the functions whose names fit; say and write what was found."""
    with panel() as every:
        for function, parameters in functions(every).items():
            if not any(fnmatchcase(function, pattern) for pattern in patterns):
                continue
            begin = time.monotonic()
            try:
                drawn = sample(function, parameters)
                found = list(findings(every, function, parameters, drawn))
            except UnreachedError:
                drawn, found = [], []
            reached = every.reached(drawn) | {"seconds": round(time.monotonic() - begin, 1)}
            known.write(function, found, reached)
            print(function, reached, flush=True)
            for finding in found:
                print(f"  {finding.kind}: {finding.apart}: {finding.call} {finding.words}")


if __name__ == "__main__":
    main(sys.argv[1:] or ["*"])
