"""What a cause's program prints on each backend: run as anyone would run it, or many in a row.

``python -m parity_tests.backends.programs`` runs those of standard input, of one JSON list.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from parity_tests.backends.known import Cause


def outputs(cause: Cause, backends: Sequence[str]) -> dict[str, str]:
    """Backend → what the program prints, or what ends it; the backends beside each other."""
    started = {backend: _started(cause.program, backend) for backend in backends}
    return {backend: _said(process) for backend, process in started.items()}


def every_output(causes: Sequence[Cause], backends: Sequence[str]) -> dict[str, dict[str, str]]:
    """Cause → backend → what its program prints: as `outputs`, with a process for many programs."""
    with ThreadPoolExecutor(len(backends)) as pool:
        rows = pool.map(lambda backend: _in_a_row(causes, backend), backends)
        by_backend = dict(zip(backends, rows, strict=True))
    return {
        cause.name: {backend: by_backend[backend][place] for backend in backends}
        for place, cause in enumerate(causes)
    }


def _in_a_row(causes: Sequence[Cause], backend: str) -> list[str]:
    said: list[str] = []
    while len(said) < len(causes):  # a program that ends the process is the last of its process
        left = json.dumps([cause.program for cause in causes[len(said) :]])
        process = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "parity_tests.backends.programs"],
            input=left,
            env=_environment(backend),
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [json.loads(line) for line in process.stdout.splitlines()]
        said += lines
        if process.returncode < 0:
            said.append(_ended(process.returncode))
        elif process.returncode:
            raise RuntimeError(process.stderr[-1000:])
    return said


def holds(cause: Cause, printed: Mapping[str, str]) -> bool:
    """Whether the wrong backends, and no others, print something else than is right."""
    return {b for b, text in printed.items() if text != cause.right} == set(cause.wrong) & set(
        printed
    )


def _environment(backend: str) -> dict[str, str]:
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    return os.environ | quiet | {"KERAS_BACKEND": backend}


def _ended(code: int) -> str:
    return f"the process ends: {signal.Signals(-code).name}"


def _started(program: str, backend: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program],
        env=_environment(backend),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _said(process: subprocess.Popen[str]) -> str:
    out, errors = process.communicate()
    if process.returncode < 0:
        return _ended(process.returncode)
    if process.returncode:
        lines = [line for line in errors.splitlines() if line.strip()]
        raised = next((line for line in reversed(lines) if "Error" in line), lines[-1])
        return _short(raised)
    return out.strip()


def _short(raised: str) -> str:
    return raised if len(raised) < 160 else f"{raised[:160]} …"


def main() -> None:
    """Run the programs of standard input, each in a module of its own; a JSON line for each."""
    for program in json.load(sys.stdin):
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(program, {"__name__": "__main__"})  # our own programs
            said = printed.getvalue().strip()
        except Exception as error:
            said = _short(f"{type(error).__name__}: {' '.join(str(error).split())}")
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
