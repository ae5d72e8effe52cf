"""What ``parity convert`` does with its options."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from parity.checker.graph.target import Target
from parity.checker.result import wording
from parity.checker.result.check_result import to_json as check_json
from parity.checker.workers.request import CheckRequest
from parity.cli.check_command import fed, layout_named, paired, telling
from parity.cli.writable import expect_file
from parity.convert import written_script
from parity.convert.by_map import convert_by_map
from parity.convert.conversion import (
    Conversion,
    ConversionRequest,
    convert,
    expect_writable,
)
from parity.convert.weight_map import WeightMap
from parity.core.errors import InterruptionError, UsageError
from parity.core.sides import SIDES, Side, side_named
from parity.core.text import bytes_text

Typed = tuple[str | None, str, Path | None]
_SHOWN = 8


def convert_command(
    *,
    torch: Typed,
    keras: Typed,
    inputs: Sequence[str],
    files: Sequence[Path],
    weights_from: str | None,
    out: Path,
    anyway: bool,
    map_out: Path | None,
    script: Path | None,
    pairs: Sequence[str],
    input_pairs: Sequence[str],
    output_pairs: Sequence[str],
    layout: str,
    quiet: bool,
    pythons: Mapping[str, str | None],
    **rest: Any,
) -> Conversion:
    """Convert, and print what came of it unless `quiet`.

    Args:
        torch, keras: name, keyword arguments and weights file, as they were typed.
        inputs, files, weights_from, pairs, input_pairs, output_pairs, layout: as they were typed.
        out: the new file.
        anyway: write it in any case.
        map_out, script: where the map goes, and the script of it.
        quiet: print nothing on standard output.
        pythons: interpreters.
        **rest: fields of `CheckRequest`.

    Raises:
        UsageError: an option is not of its form.
        InterruptionError: somebody stopped it.
    """
    targets = [
        _target(side, *typed, anyway) for side, typed in zip(SIDES, (torch, keras), strict=True)
    ]
    for option, path in (("--map-out", map_out), ("--script", script)):
        if path is not None and not path.parent.is_dir():
            raise UsageError(f"{option} '{path}': there is no folder '{path.parent}'.")
        if path is not None:
            expect_file(path, option)
    expect_file(out, "--out")
    request = ConversionRequest(
        (targets[0], targets[1]),
        CheckRequest(
            **fed(inputs, files),
            weights_from=_source(targets, weights_from, out),
            pairs=paired(pairs, "--pair-layer"),
            input_pairs=paired(input_pairs, "--pair-input"),
            output_pairs=paired(output_pairs, "--pair-output"),
            layout=layout_named(layout),
            pythons={side_named(s): p for s, p in pythons.items() if p},
            **rest,
        ),
        out,
        anyway,
        mapped=map_out is not None or script is not None,
    )
    try:
        with telling() as say:
            conversion = convert(request, say)
    except KeyboardInterrupt:
        raise InterruptionError(
            "Interrupted. Nothing was written; the same command begins it again."
        ) from None
    beside: list[Path] = []
    if conversion.map is not None:
        beside += conversion.map.write(map_out) if map_out is not None else []
        beside += written_script.write(conversion.map, script) if script is not None else []
    if not quiet:
        console = Console(soft_wrap=True)
        if conversion.result.verdict != "agree":
            for part in wording.screen(conversion.result):
                console.print(part, highlight=False)
            console.print()
        for line in words(conversion, out):
            console.print(escape(line), highlight=False)
        if beside:
            console.print(escape(f"Written: {', '.join(map(str, beside))}"), highlight=False)
    return conversion


def map_command(
    path: Path,
    weights: Mapping[Side, Path | None],
    out: Path,
    *,
    named: Mapping[Side, str | None],
    pythons: Mapping[Side, str | None],
    quiet: bool,
) -> None:
    """Convert by a map.

    Args:
        path: of the map.
        weights: side → file, as it was typed.
        out: the new file.
        named: side → name of a model, as it was typed.
        pythons: interpreters.
        quiet: print nothing.

    Raises:
        UsageError: an option is not of its form, or the file is not what the map is of.
    """
    found = WeightMap.read(path)
    if models := [f"--{side}" for side, name in named.items() if name]:
        raise UsageError(f"--map needs no model. Leave out {' and '.join(models)}.")
    source = weights[found.source]
    if source is None or weights[found.target] is not None:
        raise UsageError(f"--map '{path}' is of {found.source} weights: --{found.source}-weights.")
    if not source.is_file():
        raise UsageError(f"--{found.source}-weights '{source}': there is no such file.")
    expect_writable(out, found.target)
    expect_file(out, "--out")
    begun = time.monotonic()
    chosen = {side: python for side, python in pythons.items() if python}
    done = convert_by_map(found, source, out, chosen)
    seconds = time.monotonic() - begun
    if quiet:
        return
    if done.prefix:
        print(f"Note: The names of the file begin with {done.prefix}; it is taken off.")
    if done.unexpected:
        more = f" and {len(done.unexpected) - _SHOWN} more" if len(done.unexpected) > _SHOWN else ""
        print(f"Not in the map, and left out: {', '.join(done.unexpected[:_SHOWN])}{more}.")
    size = out.stat().st_size
    rate = bytes_text(size / max(seconds, 1e-3))
    print(f"Written: {out}, {done.weights} weights ({bytes_text(size)}, {rate} a second).")


def _target(
    side: Side, name: str | None, arguments: str, weights: Path | None, anyway: bool
) -> Target:
    if name is None:
        raise UsageError(f"--{side} is missing. Expected both models: models.py:Net, package:name.")
    target = Target.parse(name, arguments, f"--{side}")
    if target.is_reference:
        raise UsageError(f"--{side} '{name}' is a reference. A conversion needs the model itself.")
    if weights is None:
        return target
    if not weights.is_file():
        raise UsageError(f"--{side}-weights '{weights}': there is no such file.")
    return replace(target, weights=str(weights.resolve()), partial=anyway)


def _source(targets: Sequence[Target], wish: str | None, out: Path) -> Side:
    """The side whose weights are converted: the one that comes with a file."""
    given = [side for side, target in zip(SIDES, targets, strict=True) if target.weights]
    if len(given) == 2:
        raise UsageError(
            "Both --torch-weights and --keras-weights were given. Expected one: the weights to be "
            "converted. Whether two checkpoints are the same, parity check --keep-weights says."
        )
    if wish is not None and given and side_named(wish) != given[0]:
        raise UsageError(f"--weights-from {wish} contradicts --{given[0]}-weights.")
    if given:
        return given[0]
    if wish is not None:
        return side_named(wish)
    raise UsageError(
        "Neither model comes with weights. Expected --torch-weights or --keras-weights, a file; or "
        "--weights-from torch for the weights that the model is built with."
    )


def exit_code(conversion: Conversion) -> int:
    """0: the same function, and written; 1: another; 2: it could not be told."""
    if conversion.agrees:
        return 0
    return 2 if conversion.result.verdict == "undecided" else 1


def words(conversion: Conversion, out: Path) -> Iterator[str]:
    """What came of it, a line each."""
    result = conversion.result
    if result.verdict == "agree":
        yield wording.headline(result)
        yield wording.summary(result)
    elif (result.worst("outputs") or 2) <= 1 and result.first is not None:
        yield (
            "Sure: the outputs agree, in float32 and in float64. What differs: "
            f"{wording.STAGE_WORDS[result.first.stage]}."
        )
    own = "agree" if conversion.carried else "do not agree"
    yield f"With the weights just as they are, none made up, the two {own}, gradients included."
    carried = conversion.weights - len(conversion.kept)
    count = f"{carried} weights of {conversion.weights}"
    yield f"Taken across: {count}, {conversion.numbers:,} numbers in all."
    for told, names in (
        ("As the model built it, for nothing of the other side is like it", conversion.kept),
        ("Not taken, for the other side has nothing like it", conversion.unused),
        ("As the other model computes it of its own weights", tuple(conversion.computed)),
    ):
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            yield f"{told}: {', '.join(names[:_SHOWN])}{more}."
    # A check that does not agree has been shown whole.
    notes = result.notes if result.verdict == "agree" else ()
    for note in dict.fromkeys((*notes, *conversion.notes)):
        yield f"Note: {note}"
    again = conversion.again
    if again is None:
        yield (
            "Nothing was written. What differs is above; repair the model, or take --anyway for a "
            "file of what went across."
        )
        return
    size = out.stat().st_size
    same = "gives the same outputs" if again.agrees else "gives OTHER outputs"
    yield (
        f"Written: {out} ({bytes_text(size)}). Loaded by the framework alone, in a fresh process, "
        f"it {same}: at most {again.distance:.2g} apart."
    )


def to_json(conversion: Conversion, out: Path) -> dict[str, Any]:
    """The document of ``parity convert --json``."""
    again = conversion.again
    return {
        "check": check_json(conversion.result),
        "as_they_are": conversion.carried,
        "weights": conversion.weights,
        "numbers": conversion.numbers,
        "kept": list(conversion.kept),
        "unused": list(conversion.unused),
        "computed": dict(conversion.computed),
        "notes": list(conversion.notes),
        "written": None if again is None else str(out),
        "loaded_again": None
        if again is None
        else {"outputs": again.outputs, "distance": again.distance, "agrees": again.agrees},
    }
