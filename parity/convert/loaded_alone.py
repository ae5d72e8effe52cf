"""The new file in a fresh process that has the framework and nothing of this project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parity.checker.graph.model_interface import Array, Model, RecordRequest
from parity.checker.graph.target import ModelError, Target
from parity.comparator.noise import U32, C
from parity.core.sides import SIDE_PACKAGES, TITLES, Side
from parity.workers.environment import ROOT

_LINES = 12


@dataclass(frozen=True)
class LoadedAgain:
    """How a file did.

    Attributes:
        outputs: how many there were.
        distance: the largest between what it gave and what it was to give.
        ratio: the same over its bound: at most 1 where they are the same to rounding.
    """

    outputs: int
    distance: float
    ratio: float

    @property
    def agrees(self) -> bool:
        """Whether it gave what it was to give."""
        return self.ratio <= 1


def loaded_again(
    side: Side,
    model: Model,
    target: Target,
    weights: Path,
    *,
    inputs: Sequence[Array],
    names: Sequence[str] | None,
    python: str | None = None,
    timeout: float = 600.0,
) -> LoadedAgain:
    """Load a file by the framework alone, and compare what it gives.

    Args:
        side: the framework.
        model: what it was written of.
        target: how that model is made.
        weights: the file.
        inputs: in this side's layout.
        names: of the inputs; None where they go by position.
        python: interpreter.
        timeout: seconds.

    Raises:
        ModelError: it does not load, or the model does not run.
    """
    single = [np.asarray(a, np.float32) if a.dtype.kind == "f" else a for a in inputs]
    with tempfile.TemporaryDirectory(prefix="parity-convert-") as folder:
        given, found = Path(folder, "inputs.npz"), Path(folder, "outputs.npz")
        np.savez(given, **{str(k): a for k, a in enumerate(single)})  # type: ignore[arg-type]
        asked = {
            "module": target.module,
            "name": target.name,
            "arguments": dict(target.arguments),
            "weights": str(weights.resolve()),
            "inputs": str(given),
            "names": None if names is None else list(names),
            "outputs": str(found),
        }
        _run(side, python or sys.executable, json.dumps(asked), timeout)
        with np.load(found) as file:
            outputs = [file[key] for key in file.files]
    wanted = []
    for precision in ("float32", "float64"):
        run = model.record(RecordRequest(precision, "evaluate", inputs, keep_values=False))
        wanted.append([run[f"outputs/{k}"] for k in range(sum(map(_is_output, run)))])
    return _compared(outputs, *wanted)


def _is_output(key: str) -> bool:
    return key.startswith("outputs/")


def _run(side: Side, python: str, asked: str, timeout: float) -> None:
    package = SIDE_PACKAGES[side].removeprefix("parity.")
    script = ROOT / "parity" / package / "checker" / "loaded_alone.py"
    title = f"{TITLES[side]}, in a process without this project"
    try:
        ended = subprocess.run(
            [python, str(script)],
            input=asked,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            # What stands beside the script is no library of the user's.
            env=os.environ | {"PYTHONSAFEPATH": "1"},
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{title}: the new file was not loaded in {timeout:g} s.") from error
    if ended.returncode:
        lines = [x for x in ended.stderr.splitlines() if x.strip()][-_LINES:]
        raise ModelError(f"{title}: the new file does not load:\n  " + "\n  ".join(lines))


def _compared(
    found: Sequence[Array], single: Sequence[Array], double: Sequence[Array]
) -> LoadedAgain:
    """What was given against what was recorded, by the noise of float32."""
    if [a.shape for a in found] != [a.shape for a in single]:
        return LoadedAgain(len(found), float("inf"), float("inf"))
    distance = ratio = 0.0
    for mine, theirs, exact in zip(found, single, double, strict=True):
        if mine.dtype.kind not in "fc":
            apart, bound = float(np.any(mine != theirs)), 0.0
        else:
            wide = [np.nan_to_num(np.asarray(a, exact.dtype)) for a in (mine, theirs, exact)]
            apart = float(np.max(np.abs(wide[0] - wide[1]), initial=0.0))
            noise = float(np.max(np.abs(wide[1] - wide[2]), initial=0.0))
            bound = C * max(noise, U32 * float(np.max(np.abs(wide[2]), initial=0.0)))
            if not np.array_equal(np.isfinite(mine), np.isfinite(theirs)):
                apart = float("inf")
        distance = max(distance, apart)
        ratio = max(ratio, apart / bound if bound else (float("inf") if apart else 0.0))
    return LoadedAgain(len(found), distance, ratio)
