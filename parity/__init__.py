"""Is a port right? Programs in PyTorch and in Keras, compared to rounding.

    from parity import assert_parity

    assert_parity("models.py:TorchNet", "models.py:keras_net", "8,3,64,64")

Of two models: `check` finds whether they are one function, where they part and why;
`assert_parity` is that in a test. `Model` and `Training` say more of a model than its name.
Of recordings, made anywhere: `read_recording`, `write_recording`, and `compare` for a verdict.
Every name is loaded when it is first used.

The packages, the highest first; each imports only those below it:

    cli          the command `parity`
    notebooks    a lesson as a Jupyter notebook
    report       the pages
    torch_side   all that imports PyTorch; `keras_side` the same for Keras
    sweep        many seeds of both sides
    bench        both sides timed
    checker      any two models: graphs, aligned, judged, the cause proven
    native       what each framework's own defaults change
    run          examples → recordings → verdicts
    verdict      findings → what is so, and why
    diagnosis    hypotheses on numbers that differ
    comparator   recordings → findings, by measured noise
    training     how both sides are recorded while they train
    workers      jobs in, events out: the border of a framework's process
    reference    the operations' equations in NumPy
    recording    the file that both sides write
    spec         what an example is
    core         sides, errors, keys, layouts of axes

The bridges for ported models: `parity.torch_side.optimizers.KerasAdam`,
`parity.keras_side.optimizers.TorchAdam`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parity.api import Model, Training, check, compare, read_recording, write_recording
    from parity.checker.result.check_result import CheckResult
    from parity.core.errors import ParityError
    from parity.recording.recording_file import Header, Recording
    from parity.testing import assert_parity
    from parity.verdict.judgement import PairVerdict

__all__ = [
    "CheckResult",
    "Header",
    "Model",
    "PairVerdict",
    "ParityError",
    "Recording",
    "Training",
    "assert_parity",
    "check",
    "compare",
    "read_recording",
    "write_recording",
]

_ELSEWHERE = {
    "CheckResult": "parity.checker.result.check_result",
    "Header": "parity.recording.recording_file",
    "PairVerdict": "parity.verdict.judgement",
    "ParityError": "parity.core.errors",
    "Recording": "parity.recording.recording_file",
    "assert_parity": "parity.testing",
}
"""Public name → its module, where that is not `parity.api`."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'parity' has no attribute {name!r}")
    found = getattr(importlib.import_module(_ELSEWHERE.get(name, "parity.api")), name)
    globals()[name] = found  # the next time it is there
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
