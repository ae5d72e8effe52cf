"""What ``parity check`` does with its options."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from rich.console import Console

from parity.checker.graph import input_files
from parity.checker.graph import model_inputs as feeding
from parity.checker.graph import training_recipe as reading
from parity.checker.graph.memory import parse as parsed_memory
from parity.checker.graph.target import Target
from parity.checker.named import check_targets
from parity.checker.workers.pair import Say
from parity.checker.workers.request import CheckRequest, processes
from parity.cli.writable import expect_file, expect_folder
from parity.convert.tensor_files import replacing
from parity.core.errors import InterruptionError, UsageError
from parity.core.sides import SIDES, Side, side_named
from parity.report import files as report_files

if TYPE_CHECKING:  # what is slow to import is imported when both processes have been started
    from parity.checker.apply import rounds
    from parity.checker.result.check_result import CheckResult
    from parity.verdict.judgement import Verdict

Typed = Sequence[tuple[str | None, str]]

_DRAWN_WITH = ("jinja2", "matplotlib", "PIL")


def check_command(
    *,
    torch: tuple[str, str],
    keras: tuple[str, str],
    inputs: Sequence[str],
    files: Sequence[Path],
    also: Sequence[str],
    losses: Typed,
    optimizers: Typed,
    targets: Sequence[str],
    train: bool,
    pairs: Sequence[str],
    input_pairs: Sequence[str],
    output_pairs: Sequence[str],
    report: Path | None,
    explorer: Path | None = None,
    formats: Sequence[str],
    pythons: Mapping[str, str | None],
    layout: str,
    weights_from: str,
    memory: str | None = None,
    debug: bool = False,
    apply: str | None = None,
    write: bool = False,
    watch: bool = False,
    **rest: Any,
) -> Verdict:
    """Check two named models, print the result, and write the page and other files if asked.

    Args:
        torch, keras: name and keyword arguments, as they were typed.
        losses, optimizers: of each side, name and keyword arguments, as they were typed.
        train: compare training; with a loss or an optimizer in any case.
        inputs, files, also: what is fed, as it was typed.
        targets, pairs, input_pairs, output_pairs, layout, weights_from, memory: as they were
            typed.
        report: path of the page, HTML or Markdown, or of a folder for a Markdown page.
        explorer: folder for Model Explorer's files.
        formats: forms of the result, ``NAME`` or ``NAME=FILE``; text where none is printed.
        pythons: interpreters.
        debug: show on standard error why a stage of explaining failed.
        apply: show what the proven causes make of this side's files, as it was typed.
        write: write these.
        watch: check again whenever a file is saved, until somebody stops it; the last result.
        **rest: fields of `CheckRequest`.

    Returns:
        The verdict on the files as they are afterwards.

    Raises:
        UsageError: an option is not of its form.
        InterruptionError: somebody stopped it.
    """
    corrected = side_named(apply or "keras")
    if write and not apply:
        raise UsageError("--write is for --apply, which shows what would be written.")
    if watch and apply:
        raise UsageError("--watch shows what is so at every save; --apply is asked once. Give one.")
    models = Target.parse(*torch, "--torch"), Target.parse(*keras, "--keras")
    if apply and any(model.is_reference for model in models):
        raise UsageError("--apply runs both models. Expected the model itself, and no reference.")
    page = _page(report) if report is not None else None
    if explorer is not None:
        expect_folder(explorer, "--model-explorer")
    printed, written = _formats(formats)
    recipe = _recipe({"loss": losses, "optimizer": optimizers}, targets)
    request = CheckRequest(
        recipe=recipe,
        train=train or bool(recipe),
        targets=tuple(feeding.parse(text, "--target") for text in targets),
        **fed(inputs, files, also),
        pairs=paired(pairs),
        input_pairs=paired(input_pairs, "--pair-input"),
        output_pairs=paired(output_pairs, "--pair-output"),
        layout=layout_named(layout),
        weights_from=side_named(weights_from),
        corrected=corrected,
        memory=None if memory is None else parsed_memory(memory),
        pythons={side_named(s): p for s, p in pythons.items() if p},
        **rest,
    )
    show = partial(_show, printed=printed, written=written, page=page, explorer=explorer)
    if watch:
        with _logged(debug):
            return _watch(models, request, show).verdict
    try:
        with telling() as say, _logged(debug):
            outcome = None
            if apply:
                result, outcome = _applied(models, request, say)
            else:
                result = check_targets(*models, request, say)
    except KeyboardInterrupt:
        raise InterruptionError(
            "Interrupted. Nothing of this check is kept; the same command begins it again."
        ) from None
    show(result, outcome)
    if outcome is None:
        return result.verdict
    return _shown(outcome, write=write, silent="json" in printed)


def _watch(
    models: tuple[Target, Target], request: CheckRequest, show: Callable[[CheckResult], None]
) -> CheckResult:
    """Check and show it, again and again; at an interrupt the last result.

    Raises:
        UsageError: what watches files is not installed.
        InterruptionError: there was no result.
    """
    if importlib.util.find_spec("watchfiles") is None:
        raise UsageError(
            "--watch needs watchfiles, not installed here. Install this project with its extra "
            "`watch`."
        )
    from parity.checker.result.check_result import CheckResult
    from parity.checker.watching import watch

    last: CheckResult | None = None
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(watch(models, request)) as all_:
        for one in all_:
            saved = ", ".join(dict.fromkeys(path.name for path in one.saved))
            last = one.outcome if isinstance(one.outcome, CheckResult) else None
            if last is not None:
                show(last)
            else:
                print(f"parity: {one.outcome}")
            print(
                f"\n{f'{saved} saved: ' if saved else ''}{one.seconds:.1f} s. Watching; Ctrl-C "
                "ends it.\n",
                flush=True,
            )
    if last is None:
        raise InterruptionError("Stopped, without a result.")
    return last


def _show(
    result: CheckResult,
    outcome: rounds.Outcome | None = None,
    *,
    printed: Sequence[str],
    written: Mapping[Path, str],
    page: Path | None,
    explorer: Path | None,
) -> None:
    """Print a result, and what came of applying it; write the page and other files."""
    from parity.checker.result import model_explorer, wording
    from parity.checker.result.formats import FORMATS

    for name in printed:
        if name == "json" and outcome is not None:
            from parity.checker.apply import wording as applied

            document = {**json.loads(FORMATS[name](result)), "apply": applied.to_json(outcome)}
            print(json.dumps(document, indent=2, allow_nan=False))
            continue
        if name in FORMATS:
            print(FORMATS[name](result))
            continue
        console = Console()
        for part in wording.screen(result):
            console.print(part, highlight=False)
    for path, name in written.items():
        with replacing(path) as temporary:
            temporary.write_text(FORMATS[name](result) + "\n", "utf-8")
    saved, made = list(written), ""
    if page is not None:
        made = "" if page.parent.is_dir() else f" (the folder {page.parent} is new)"
        saved += _write_page(result, page)
    if explorer is not None:
        for name, text in model_explorer.files(result).items():
            saved.append(report_files.save(explorer / name, text))
    if saved:
        told = "Written: " + ", ".join(str(path) for path in saved) + made
        print(told, file=sys.stdout if printed == ["text"] else sys.stderr)


def _applied(
    models: tuple[Target, Target], request: CheckRequest, say: Say
) -> tuple[CheckResult, rounds.Outcome]:
    """The check, and what comes of applying it."""
    since = time.time()
    with processes(request) as remotes:
        from parity.checker.apply import rounds
        from parity.checker.check import check_in

        result = check_in(remotes, models, request, say)
        return result, rounds.in_rounds(remotes, models, request, result, say, since=since)


def _shown(outcome: rounds.Outcome, *, write: bool, silent: bool) -> Verdict:
    """Show what was applied, write it if asked, and say what is so then."""
    from parity.checker.apply import wording as applied
    from parity.checker.apply import writing

    first, file = outcome.results[0].verdict, sys.stderr if silent else sys.stdout
    if first == "agree":
        return first
    print(f"\n{applied.plain(outcome)}\n\n{applied.diff(outcome)}".rstrip(), file=file)
    if not write or not outcome.texts:
        return first
    paths = writing.write(outcome.texts, outcome.read)
    print("Written: " + ", ".join(str(path) for path in paths), file=file)
    return outcome.last.verdict


def _formats(texts: Sequence[str]) -> tuple[list[str], dict[Path, str]]:
    """What is printed, and file → what is written into it.

    Raises:
        UsageError: there is no such format, or no such folder, or two documents are to be printed.
    """
    printed, written = [], {}
    if texts:
        from parity.checker.result.formats import FORMATS
    for text in texts:
        name, equals, file = text.partition("=")
        known = FORMATS.keys() if equals else ("text", *FORMATS)
        if name not in known or (equals and not file):
            raise UsageError(
                f"--format '{text}': expected {', '.join(known)}, or one with a file: "
                "sarif=check.sarif"
            )
        if equals and not Path(file).absolute().parent.is_dir():
            raise UsageError(f"--format '{text}': there is no folder {Path(file).parent}.")
        if equals:
            expect_file(Path(file), f"--format {name}")
            written[Path(file)] = name
        elif name not in printed:
            printed.append(name)
    if len(printed) > 1 and not {*printed} <= {"text", "github"}:
        raise UsageError(
            f"--format {' and '.join(printed)}: one document fits standard output. Give the others "
            "a file: --format sarif=check.sarif"
        )
    return printed or ["text"], written


def fed(texts: Sequence[str], files: Sequence[Path], also: Sequence[str] = ()) -> dict[str, Any]:
    """Fields of `CheckRequest` that say what is fed, of what was typed.

    Raises:
        UsageError: it is not of its form, or contradicts itself.
    """
    if files and texts:
        raise UsageError("--inputs has the arrays themselves: leave out --input, or take --also.")
    first: feeding.Fed | None = None
    further: tuple[feeding.Fed, ...] = ()
    if files:
        first, *rest = (input_files.read(path) for path in files)
        further = tuple(rest)
    elif texts:
        first = feeding.Fed(tuple(feeding.parse(text) for text in texts))
    if also and first is None:
        raise UsageError("--also is another size of the inputs. Expected --input, too.")
    if first is None:
        return {}
    more = feeding.resized(first.inputs, also) if also else ()
    return {"inputs": first.inputs, "given": first.given, "also": (*further, *more)}


def _recipe(typed: Mapping[str, Typed], targets: Sequence[str]) -> reading.Recipe:
    found: dict[str, dict[Side, Any]] = {}
    for name, sides in typed.items():
        for side, (text, arguments) in zip(SIDES, sides, strict=True):
            option = f"--{side}-{name}"
            if text is not None:
                found.setdefault(name, {})[side] = reading.parse(text, arguments, option)
            elif arguments not in ("", "{}"):
                raise UsageError(f"{option}-args needs {option}, which names what takes them.")
    if targets and "loss" not in found:
        raise UsageError("--target is for a loss. Expected --torch-loss and --keras-loss, too.")
    return reading.Recipe(found.get("loss", {}), found.get("optimizer", {}))


def _page(path: Path) -> Path:
    """Where the page goes: a name ``….html`` or ``….md``, or a folder that gets ``check.md``.

    Raises:
        UsageError: something else is there, or what draws it is missing; known before any run.
    """
    named = path.suffix in (".html", ".md") and not path.is_dir()
    if path.suffix not in ("", ".html", ".md") and not path.is_dir():
        raise UsageError(
            f"--report '{path}' is no page. Expected a name like check.html or check.md, or a "
            "folder."
        )
    page = path if named else path / "check.md"
    lacking = [name for name in _DRAWN_WITH if importlib.util.find_spec(name) is None]
    if lacking and page.suffix == ".md":
        raise UsageError(
            f"--report '{path}' needs {', '.join(lacking)}, not installed here. Install this "
            "project with its extra `report`, or take --report check.html, which needs nothing."
        )
    expect_folder(page.parent, "--report", path)
    return page


def _write_page(result: CheckResult, page: Path) -> list[Path]:
    """Write the page, and the figure beside it if it is Markdown; names what was written."""
    if page.suffix == ".html":
        from parity.checker.result import html_page

        return [report_files.save(page, html_page.page(result))]
    from parity.report import checks  # Matplotlib is slow to import

    return checks.write(result, page)


def paired(texts: Sequence[str], option: str = "--map") -> dict[str, str]:
    """Layers that belong together, as they were typed.

    Raises:
        UsageError: a text is no pair.
    """
    pairs = {}
    for text in texts:
        left, equals, right = text.partition("=")
        if not (left and equals and right):
            raise UsageError(
                f"{option} '{text}' pairs nothing. Expected a name on each side: "
                f"{option} conv1=conv_1"
            )
        pairs[left.strip()] = right.strip()
    return pairs


def layout_named(text: str) -> feeding.InputLayout:
    """A layout by its name.

    Raises:
        UsageError: there is none.
    """
    for known in get_args(feeding.InputLayout):
        if text == known:
            found: feeding.InputLayout = known
            return found
    raise UsageError(f"--layout '{text}': expected {', '.join(get_args(feeding.InputLayout))}.")


@contextlib.contextmanager
def _logged(debug: bool) -> Iterator[None]:
    """What the check logs, on standard error; nothing unless it is asked for."""
    logger, handler = logging.getLogger("parity"), logging.StreamHandler(sys.stderr)
    before = logger.level
    if debug:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


@contextlib.contextmanager
def telling() -> Iterator[Say]:
    """Say on standard error what is being done: a line that moves in a terminal, else nothing."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda words: None
        return
    with console.status("starting …") as status:
        yield lambda words: status.update(f"{words} …")
