"""The `parity` command. Standard output holds the answer, standard error the progress.

Exit codes: 0 the sides agree, 1 they differ, 2 could not tell.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from parity.cli.bench import bench
from parity.cli.cache import cache_app
from parity.cli.check import CheckCommand, check
from parity.cli.convert import convert
from parity.cli.differences import differences
from parity.cli.notebook import notebook
from parity.cli.options import (
    AsJson,
    Epochs,
    Full,
    KerasBackends,
    KerasPython,
    Names,
    Out,
    Seed,
    Test,
    Threads,
    Timeout,
    TorchPython,
    TorchvisionRoot,
    Train,
)
from parity.cli.record import record
from parity.cli.sweep import sweep
from parity.cli.writable import expect_folder
from parity.core.errors import InterruptionError, ParityError, UsageError
from parity.core.json_format import JSON_FORMAT
from parity.core.sides import side_named
from parity.workers.signals import signals_as_interrupt

# What is slow to import is imported by the command that needs it: help must be quick.
if TYPE_CHECKING:
    from parity.run.pipeline import RunOutcome, RunRequest
    from parity.spec.example import ExampleSpec
    from parity.spec.suite import Suite

_INTERRUPTED = (
    "Interrupted. What was complete is kept: parity run --reuse and parity report go on from there."
)
AGREE, DIFFER, COULD_NOT_TELL = 0, 1, 2
_TYPERS_INTERRUPT = 128 + signal.SIGINT
"""What Typer makes of a `KeyboardInterrupt` that no command has caught."""
_USAGE: Any = typer.BadParameter.__mro__[2]  # ClickException, by whatever path Typer has it

app = typer.Typer(
    help="The same programs in PyTorch and Keras/TensorFlow: run both, compare to rounding.\n\n"
    "Exit codes: 0 agree, 1 differ, 2 could not tell.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(
    help="Datasets: what is here, and how to fetch the rest.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(data_app, name="data")
app.add_typer(cache_app, name="cache")


def main() -> None:
    """Entry point: every error a user can cause becomes one message and exit code 2."""
    try:
        with signals_as_interrupt():
            code = app(standalone_mode=False)
        if code == _TYPERS_INTERRUPT:
            raise KeyboardInterrupt
        sys.stdout.flush()
    except ParityError as error:
        _complain(str(error))
    except _USAGE as error:
        error.show()
        sys.exit(COULD_NOT_TELL)
    except (KeyboardInterrupt, typer.Abort):
        _complain(_INTERRUPTED)
    except (BrokenPipeError, SystemExit):  # the latter is how Typer ends on a broken pipe
        _silence()  # whoever read the output has gone
        sys.exit(COULD_NOT_TELL)
    except OSError as error:
        _silence()
        _complain(f"Cannot write the output: {error.strerror}.")
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and not str(error.name).startswith("parity"):
            _complain(
                f"{error}. What the lessons need is the extra `lessons`: in the repository, "
                "pip install --editable '.[lessons]'."
            )
        traceback.print_exc()
        _complain("That is a mistake of this suite, not yours. Please report the lines above.")
    sys.exit(code or AGREE)


def _silence() -> None:
    """Nothing more to standard output, not even when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message: str) -> NoReturn:
    print(f"parity: {message}", file=sys.stderr)
    sys.exit(COULD_NOT_TELL)


def _print_json(document: dict[str, Any]) -> None:
    print(json.dumps({"format": JSON_FORMAT, **document}, indent=2, allow_nan=False))


@app.command("list", epilog="Example: parity list --json")
def list_(as_json: AsJson = False) -> None:
    """Examples, what each is judged on, and its dataset."""
    examples = _suite().examples
    if as_json:
        _print_json(
            {
                "examples": [
                    {
                        "name": spec.name,
                        "title": spec.title,
                        "part": spec.part,
                        "levels": list(spec.levels),
                        "dataset": spec.training.dataset if spec.training else None,
                        "pairs": [pair.name for pair in spec.pairs],
                    }
                    for spec in examples
                ]
            }
        )
        return
    from rich.console import Console

    from parity.cli import screen

    screen.examples(Console(), examples)


@app.command(epilog="Example: parity run fashion_mlp --full")
def run(
    names: Names = None,
    all_: Annotated[bool, typer.Option("--all", help="Every example.")] = False,
    full: Full = False,
    pair: Annotated[
        list[str] | None, typer.Option(help="Judge only this pair of ways; can be repeated.")
    ] = None,
    train: Train = None,
    test: Test = None,
    epochs: Epochs = None,
    seed: Seed = None,
    out: Out = None,
    reuse: Annotated[bool, typer.Option(help="Take recordings that are not stale.")] = False,
    whole: Annotated[
        bool, typer.Option(help="Keep every element of large weights, gradients and states.")
    ] = False,
    keras_backend: KerasBackends = None,
    torch_python: TorchPython = None,
    keras_python: KerasPython = None,
    threads: Threads = 1,
    timeout: Timeout = 300.0,
    as_json: AsJson = False,
) -> None:
    """Run both sides of examples and say whether they agree."""
    suite = _suite()
    specs = _chosen(suite, names, all_=all_)
    if keras_backend:
        from parity.cli import backends

        specs = backends.portable(specs, keras_backend, keras_python)
    request = _request(
        suite,
        specs,
        full=full,
        pairs=tuple(pair or ()),
        train=train,
        test=test,
        epochs=epochs,
        seed=seed,
        out=out,
        reuse=reuse,
        whole=whole,
        torch_python=torch_python,
        keras_python=keras_python,
        threads=threads,
        timeout=timeout,
    )
    from parity.cli import cache_command

    with cache_command.kept_to_limit(request) as kept:
        result = _carry_out(request)
        told = kept(result)
    if as_json:
        _print_json(_outcome_json(result))
    else:
        _show_outcome(result)
    print(told, file=sys.stderr if as_json else sys.stdout)
    _name_failures(result)
    raise typer.Exit(result.exit_code)


@app.command(epilog="Example: parity show autograd")
def show(
    example: Annotated[str, typer.Argument(help="Name of an example.")], as_json: AsJson = False
) -> None:
    """The two sources of an example, side by side."""
    from parity.cli import lessons
    from parity.core.sides import SIDES
    from parity.recording.provenance import ROOT, twin_files

    spec = lessons.example(_suite(), example)
    files = {side: twin_files(side, spec.name) for side in SIDES}
    texts = {
        side: (
            ", ".join(file.relative_to(ROOT).as_posix() for file in some),
            "\n\n".join(file.read_text("utf-8") for file in some),
        )
        for side, some in files.items()
    }
    if as_json:
        sources = {str(side): {"path": p, "source": text} for side, (p, text) in texts.items()}
        _print_json({"example": spec.name, **sources})
        return
    from rich.console import Console

    from parity.cli import screen

    screen.sources(Console(), texts)


@app.command(epilog="Example: parity report --full")
def report(
    names: Names = None,
    full: Full = False,
    folder: Annotated[Path, typer.Option(help="Where the pages go.")] = Path("reports"),
    out: Out = None,
    fresh: Annotated[bool, typer.Option(help="Record again even what is not stale.")] = False,
    keras_backend: KerasBackends = None,
    threads: Threads = 1,
    timeout: Timeout = 300.0,
    as_json: AsJson = False,
) -> None:
    """Run what is stale, then write the Markdown pages and figures.

    With --keras-backend it is one page, backends.md, and no other is touched.
    """
    expect_folder(folder, "--folder")
    suite = _suite()
    specs = _chosen(suite, names, all_=not names)
    if keras_backend:
        from parity.cli import backends

        specs = backends.portable(specs, keras_backend)
    elif not names:
        specs = (*specs, suite.differences)
    request = _request(
        suite,
        specs,
        full=full,
        out=out,
        reuse=not fresh,
        threads=threads,
        timeout=timeout,
    )
    from parity.cli import cache_command

    with cache_command.kept_to_limit(request) as kept:
        result = _carry_out(request)
        if keras_backend:
            written = backends.drawn(result, folder)
        else:
            written = _drawn(request, result, folder, fresh=fresh)
        told = kept(result)
    if as_json:
        document = _outcome_json(result)
        _print_json({**document, "written": [str(path) for path in written]})
    else:
        _show_outcome(result)
        first = written[0] if keras_backend else folder / "README.md"
        print(f"{len(written)} files written; read {first}")
    print(told, file=sys.stderr if as_json else sys.stdout)
    _name_failures(result)
    raise typer.Exit(result.exit_code)


@app.command(
    epilog="Example: parity diff a-float32.safetensors a-float64.safetensors "
    "b-float32.safetensors b-float64.safetensors"
)
def diff(
    files: Annotated[list[Path], typer.Argument(help="Recordings of two sides or ways.")],
    as_json: AsJson = False,
) -> None:
    """Compare recordings made anywhere, by this suite or by another tool."""
    from parity.run import pipeline
    from parity.verdict import judgement

    left, right = pipeline.gather(files)
    try:
        suite = _suite()
    except UsageError:  # recordings of another tool are compared without any example
        suite = None
    result = pipeline.judge_recordings(left, right, suite)
    if as_json:
        name = left.present[0].header.example
        _print_json({"example": name, **judgement.pair_json(result)})
    else:
        from rich.console import Console

        from parity.cli import screen

        screen.pair(Console(), result)
    raise typer.Exit({"agree": AGREE, "differ": DIFFER}.get(result.verdict, COULD_NOT_TELL))


app.command(
    cls=CheckCommand,
    epilog="Example: parity check --torch models.py:TorchNet --keras models.py:KerasNet "
    "--input 8,3,64,64",
)(check)
app.command(
    epilog="Example: parity convert --torch models.py:Net --torch-weights net.pt "
    "--keras models.py:Net --input 8,3,64,64 --out net.weights.h5"
)(convert)
app.command(
    epilog="Example: parity record --torch models.py:Net --input 8,3,64,64 --out net.reference"
)(record)
app.command(epilog="Example: parity differences batchnorm momentum")(differences)
app.command(epilog="Example: parity notebook fashion_mlp --side torch")(notebook)
app.command("bench", epilog="Example: parity bench fashion_mlp --full --runs 7")(bench)
app.command("sweep", epilog="Example: parity sweep fashion_mlp --seeds 12")(sweep)


@data_app.command("status", epilog="Example: parity data status --json")
def data_status(torchvision: TorchvisionRoot = None, as_json: AsJson = False) -> None:
    """What of every dataset is here, and what torchvision and Keras find of it."""
    from parity.cli import lessons

    data = lessons.datasets()
    states = data.status()
    places = {s.name: data.place_status(s.name, torchvision=torchvision) for s in states}
    if as_json:
        documents = [
            {**asdict(state), "places": [asdict(place) for place in places[state.name]]}
            for state in states
        ]
        _print_json({"datasets": documents})
        return
    for state in states:
        embedded = "–"
        if state.embedded:
            embedded = f"{state.embedded[0]:,} + {state.embedded[1]:,} images in the repository"
        print(f"{state.name}: {state.title}")
        print(f"  subset   {embedded}")
        print(f"  full     {state.full}: {state.detail}")
        print(f"  cache    {state.cache}")
        print(f"  licence  {state.licence}")
        for place in places[state.name]:
            print(f"  {place.framework} {place.state} in {place.folder}: {place.detail}")


@data_app.command("fetch", epilog="Example: parity data fetch fashion_mnist")
def data_fetch(
    name: Annotated[str, typer.Argument(help="Name of a dataset.")],
    torchvision: TorchvisionRoot = None,
    as_json: AsJson = False,
) -> None:
    """Bring a full dataset into the cache, and lay it where torchvision and Keras look.

    All of it is verified; good files are left alone. torchvision.datasets and keras.datasets
    then load it without a network.
    """
    if torchvision:
        expect_folder(torchvision, "--torchvision")
    try:
        files, places = _fetched(name, torchvision)
    except KeyboardInterrupt:
        raise InterruptionError(
            "Interrupted. The same command goes on from what has come."
        ) from None
    if as_json:
        _print_json(
            {
                "dataset": name,
                "files": [asdict(file) for file in files],
                "places": [asdict(place) for place in places],
            }
        )
        return
    for file in files:
        print(f"{file.file}: {file.action}" + (f" from {file.source}" if file.source else ""))
    for place in places:
        if place.state == "present":
            print(f"{place.framework}: in {place.folder}; {place.call} loads it offline")
        else:
            print(f"{place.framework}: not in {place.folder}: {place.detail}")


def _fetched(name: str, torchvision: Path | None) -> tuple[list[Any], tuple[Any, ...]]:
    """What was done, one entry per file; what each framework then finds."""
    from parity.cli import lessons

    data = lessons.datasets()
    if not sys.stderr.isatty():
        return data.fetch(name), data.lay(name, torchvision=torchvision)
    from parity.cli import screen

    with screen.ByteDisplay() as display:
        files = data.fetch(name, on_progress=display)
        return files, data.lay(name, torchvision=torchvision, on_progress=display)


def _suite() -> Suite:
    from parity.cli import lessons

    return lessons.suite()


def _chosen(suite: Suite, names: list[str] | None, *, all_: bool) -> tuple[ExampleSpec, ...]:
    if all_ and names:
        raise UsageError("Name examples or say --all, not both.")
    if all_:
        return suite.examples
    if not names:
        raise UsageError("Name an example, or say --all. parity list shows them.")
    from parity.cli import lessons

    return tuple(lessons.example(suite, name) for name in dict.fromkeys(names))


def _request(
    suite: Suite,
    specs: tuple[ExampleSpec, ...],
    *,
    out: Path | None,
    threads: int,
    timeout: float,
    torch_python: str | None = None,
    keras_python: str | None = None,
    **rest: Any,
) -> RunRequest:
    from parity.run import pipeline
    from parity.workers.options import WorkerOptions

    named = {"torch": torch_python, "keras": keras_python}
    pythons = {side_named(s): p for s, p in named.items() if p is not None}
    options = WorkerOptions(pythons=pythons, threads=threads, timeout=timeout)
    folder = out or pipeline.recordings_folder()
    expect_folder(folder, "--out")
    return pipeline.RunRequest(suite, specs, folder, options=options, **rest)


def _carry_out(request: RunRequest) -> RunOutcome:
    from parity.cli import screen
    from parity.run import pipeline

    try:
        with screen.RunDisplay() as display:
            return pipeline.run_examples(request, display, display.verdict)
    except KeyboardInterrupt:
        raise InterruptionError(_INTERRUPTED) from None


def _drawn(request: RunRequest, result: RunOutcome, folder: Path, *, fresh: bool) -> list[Path]:
    """Write the pages that are not there already, and say which."""
    from parity import report as pages
    from parity.run import cache, pipeline

    results = [
        pages.ReportInput(v, result.runs[v.spec.name], result.data[v.spec.name])
        for v in result.verdicts
    ]
    homes = {v.spec.name: pipeline.home(request, v.spec) for v in result.verdicts}
    return pages.write(
        request.suite,
        results,
        folder,
        lambda page: (
            not fresh and cache.drawn(homes[page.spec.name], result.keys[page.spec.name], folder)
        ),
        lambda page, files: cache.keep_drawn(
            homes[page.spec.name], result.keys[page.spec.name], folder, files
        ),
    )


def _name_failures(result: RunOutcome) -> None:
    for message in result.failures.values():
        print(f"parity: {message}", file=sys.stderr)


def _show_outcome(result: RunOutcome) -> None:
    from rich.console import Console

    from parity.cli import screen

    screen.outcome(Console(), result)


def _outcome_json(result: RunOutcome) -> dict[str, Any]:
    from parity.verdict import judgement

    return {
        "examples": [
            {**judgement.example_json(v), "data": result.data[v.spec.name]} for v in result.verdicts
        ],
        "failed": dict(result.failures),
        "recordings": {"made": result.made, "reused": result.reused},
        "seconds": round(result.seconds, 3),
    }
