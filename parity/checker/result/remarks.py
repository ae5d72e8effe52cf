"""What there is to say of the user's code, each at the file and line that it is about."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from parity.checker.result import wording
from parity.checker.result.check_result import CheckResult
from parity.core.sides import Side
from parity.diagnosis.causes import Cause

Level = Literal["error", "warning", "note"]
_LEVELS: dict[str, Level] = {"confirmed": "error", "suspected": "warning"}


@dataclass(frozen=True)
class Place:
    """A line of the user's.

    Attributes:
        file: relative to the working directory where it lies below it.
        line: from 1.
    """

    file: Path
    line: int


@dataclass(frozen=True)
class Remark:
    """A cause, or that none was found.

    Attributes:
        level: error if confirmed, warning if suspected, note if without effect on what was run.
        kind: a key of `parity.diagnosis.causes.KINDS`.
        layer: what the user calls the layer.
        text: in sentences.
        fix: the corrected line; empty where there is none.
        places: of all layers that have it, the first one first; empty where no file is the user's.
    """

    level: Level
    kind: str
    layer: str
    text: str
    fix: str
    places: tuple[Place, ...]


def remarks(result: CheckResult) -> list[Remark]:
    """What a check says of the code, in causal order; nothing where the two agree."""
    found = [_of_cause(result, cause, _LEVELS[cause.status]) for cause in result.causes]
    if result.verdict == "differ" and not found:
        first = result.first
        names = (first.torch or "", first.keras or "") if first else ("", "")
        text = wording.divergence(first) if first else wording.headline(result)
        places = tuple(_places(result, [names], ("keras", "torch")))
        layer = wording.place(first) if first else ""
        found.append(Remark("error", "unknown", layer, text, "", places))
    return [*found, *(_of_cause(result, cause, "note") for cause in result.latent)]


def _of_cause(result: CheckResult, cause: Cause, level: Level) -> Remark:
    sides: tuple[Side, Side] = (
        ("torch", "keras") if cause.fix_side == "left" else ("keras", "torch")
    )
    names = [(cause.left[0], cause.right[0]), *cause.places]
    return Remark(
        level,
        cause.kind,
        " / ".join(dict.fromkeys(str(name) for name in names[0] if name)),
        wording.cause(cause, result.causes),
        wording.line_to_write(cause),
        tuple(dict.fromkeys(_places(result, names, sides))),
    )


def _places(
    result: CheckResult, names: list[tuple[str, str]], sides: tuple[Side, Side]
) -> Iterator[Place]:
    """Where layers stand on the first side that is a file, or that names one of its lines."""
    for side in sides:
        known = result.places.get(side, {})
        lines = [known[pair[side == "keras"]] for pair in names if pair[side == "keras"] in known]
        if lines or (definition := _definition(result.titles[side])) is None:
            yield from (Place(relative(file), line) for file, line in lines)
        else:
            yield definition
        if lines or definition is not None:
            return


def _definition(title: str) -> Place | None:
    """Where a model is defined in its file, else the file's first line; None for a package's."""
    path, _, name = title.rpartition(":")
    file = Path(path)
    if not path or not file.is_file():
        return None
    for statement in ast.parse(file.read_bytes()).body:
        targets = getattr(statement, "targets", [])
        names = [getattr(statement, "name", ""), *(getattr(t, "id", "") for t in targets)]
        if name.partition(".")[0] in names:
            return Place(relative(path), statement.lineno)
    return Place(relative(path), 1)


def local_title(title: str) -> str:
    """How a model is called, its file relative to the working directory: alike on any machine."""
    path, colon, name = title.rpartition(":")
    return f"{relative(path).as_posix()}:{name}" if colon and Path(path).is_file() else title


def relative(path: str) -> Path:
    """A file as seen from the working directory where it lies below it, else its whole path."""
    file = Path(path).resolve()
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
