"""The command line of a side on its own: ``python -m pytorch_impl fashion_mlp``.

A learner gets what the example shows; the tool starts the same module with ``--worker``.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from parity.core.errors import ParityError
from parity.core.sides import SIDES
from parity.spec.backends import on_backends
from parity.spec.example import ExampleSpec
from parity.spec.suite import Suite
from parity.training import recorder
from parity.training.job import RecordingJob
from parity.training.recorder import Framework
from parity.workers.channel import Progress, serve


def main(
    suite: Suite,
    package: str,
    make_framework: Callable[[int], Framework],
    find_lesson: Callable[[str], ModuleType] = importlib.import_module,
) -> None:
    """Entry point of both packages.

    Args:
        suite: the examples.
        package: ``pytorch_impl`` or ``keras_impl``.
        make_framework: imports the framework and adapts it, given a number of threads.
        find_lesson: imports a lesson that is to be recorded.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {package}", description=__doc__)
    parser.add_argument("example", nargs="?", help="one of: " + ", ".join(_names(suite)))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--bench", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--sweep", action="store_true", help=argparse.SUPPRESS)
    chosen, rest = parser.parse_known_args()
    if chosen.worker:
        _serve(suite, package, make_framework, find_lesson, chosen.threads)
        return
    if chosen.bench:
        from parity.bench import child  # only a measuring process needs it

        child.main(suite, package, make_framework)
        return
    if chosen.sweep:
        from parity.sweep import child as sweeping  # only a sweep needs it

        sweeping.main(suite, package, make_framework, chosen.threads)
        return
    try:
        spec = suite.find(chosen.example or "")
        twin = importlib.import_module(f"{package}.{spec.name}")
        if hasattr(twin, "main"):
            sys.argv = [str(twin.__file__), *rest]
            twin.main()
            return
        framework = make_framework(chosen.threads)
        framework.use_precision("float32", spec.seed)
        _show(suite, framework, twin, spec)
    except ParityError as error:
        sys.exit(f"{error}\nExamples: {', '.join(_names(suite))}")


def _names(suite: Suite) -> list[str]:
    return [example.name for example in suite.examples]


def _serve(
    suite: Suite,
    package: str,
    make_framework: Callable[[int], Framework],
    find_lesson: Callable[[str], ModuleType],
    threads: int,
) -> None:
    made: list[Framework] = []

    def hello() -> dict[str, Any]:
        made.append(make_framework(threads))
        return {"versions": made[0].versions()}

    def handle(job: RecordingJob, progress: Progress) -> None:
        twin = find_lesson(f"{package}.{job.example}")
        spec = suite.find(job.example)
        if made[0].side not in SIDES:
            spec = on_backends(spec, (made[0].side,)) or spec
        recorder.make_recording(suite, made[0], twin, spec, job, progress=progress)

    serve(hello, handle, RecordingJob.from_json)


def _show(suite: Suite, framework: Framework, twin: ModuleType, spec: ExampleSpec) -> None:
    print(f"{spec.title}\n{twin.__file__}\n")
    for case in spec.cases:
        function = getattr(twin, case.name)
        print(f"{case.name}: {(inspect.getdoc(function) or '').splitlines()[0]}")
        tensors = recorder.arguments(framework, case, "float32", suite.load)
        given = {
            name: f"{value.dtype} {value.shape}"
            if isinstance(value, np.ndarray)
            else _plain(framework, value)
            for name, value in tensors.items()
        }
        print("  given  " + "  ".join(f"{name} = {value}" for name, value in given.items()))
        for name, result in function(**tensors).items():
            print(f"  {name} = {_plain(framework, result)}")
        print()


def _plain(framework: Framework, value: Any) -> str:
    if value is None or isinstance(value, str | bool | int | tuple):
        return str(value)
    return np.array2string(framework.array(value), precision=6, separator=", ").replace("\n", "")
