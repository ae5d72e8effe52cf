"""Pairs written down in `cases/`: what they are, and the answer of ``parity check`` to them.

A case is a folder: the models of both sides, and ``case.toml``: why its truth is what it is, and
for each ``[[check]]`` the arguments of ``parity check``, the verdicts that are right, where the
first divergence lies (patterns), which kinds of cause are true, and how the lines that are written
make it right. ``python -m parity_tests.check.written_cases PATTERN …`` runs those whose name
matches, and says what is wrong.
"""

import shlex
import sys
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from unittest import mock

from typer.testing import CliRunner

from parity.checker.check import check_in
from parity.checker.result.check_result import CheckResult
from parity.checker.workers.request import CheckRequest, processes
from parity.cli import check_command
from parity.cli.main import app
from parity.core.errors import ParityError

FOLDER = Path(__file__).parent / "cases"
IN_WORDS = {
    "weights": "no line of the model: numbers are loaded, or one layer is made and called twice",
    "affine": "the same: gamma and beta are loaded, one as the other",
    "bias": "the same: a bias is loaded, or is a weight of the user's own",
    "kernel_order": "the same",
    "gate_order": "the same",
    "flatten_order": "the same",
    "units": "a width that several lines have in common",
    "wiring": "what the file calls the right value is not known",
    "order": "the same of several values",
    "axis": "the same numbers in another order: which line before turns them is not known",
    "padding": "in a layer of the user's own another line pads",
    "mask": "which line makes the mask is not known",
    "missing_layer": "a step on several values, or one that Keras has no short line for",
    "initial_state": "which state is to be passed is not known",
    "normalisation": "a layer against what is written out: no argument says it",
    "epsilon": "the same",
    "constant": "a table of more numbers than anybody writes out, or a number that is handed over",
    "operation": "several layers in place of one",
    "precision": "an operation in a statement: which of its casts makes it is not known",
    "loss": "a function that nobody has a name for: by how much to multiply",
}
"""Kind of cause → why words may say what to change, and not a line."""
ERROR = "error"
"""Stands among verdicts where the question itself is at fault: a message, and no answer."""


@dataclass(frozen=True)
class Case:
    """One question and the right answers to it.

    Attributes:
        name: group/folder, with a number where a folder asks more than once.
        arguments: of ``parity check``, files relative to `folder`.
        verdicts: those that are right.
        layer: patterns of the first divergence's layer, on either side.
        kinds: of causes that are true; one of them has to be named, and none besides.
        unnamed: patterns of layers that no cause may name.
        fix: patterns, one of which the corrected line of a cause matches.
        message: what an error has to say.
        note: what one of the notes has to say.
        written: how the lines make it right: by ``--apply``, or by hand in the pair that the
            folder's check of this number asks about; empty where they do not.
        needs: packages that have to be installed.
        open: known to be answered wrongly as yet.
    """

    name: str
    folder: Path
    arguments: tuple[str, ...]
    verdicts: tuple[str, ...]
    layer: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    fix: tuple[str, ...] = ()
    message: str = ""
    note: str = ""
    written: str | int = ""
    needs: tuple[str, ...] = ()
    open: bool = False


def all_cases() -> tuple[Case, ...]:
    """Every case, in the order of its folder's name."""
    found = []
    for file in sorted(FOLDER.glob("*/*/case.toml")):
        folder, checks = file.parent, tomllib.loads(file.read_text("utf-8"))["check"]
        for number, check in enumerate(checks, 1):
            name = f"{folder.parent.name}/{folder.name}"
            found.append(
                Case(
                    name if len(checks) == 1 else f"{name}:{number}",
                    folder,
                    tuple(_placed(shlex.split(check["arguments"]), folder)),
                    tuple(check["verdict"]),
                    tuple(check.get("layer", ())),
                    tuple(check.get("kinds", ())),
                    tuple(check.get("unnamed", ())),
                    tuple(check.get("fix", ())),
                    check.get("message", ""),
                    check.get("note", ""),
                    check.get("written", ""),
                    tuple(check.get("needs", ())),
                    check.get("open", False),
                )
            )
    return tuple(found)


def _placed(arguments, folder):
    """The arguments, with files of the case by their whole path."""
    for text in arguments:
        file, colon, rest = text.partition(":")
        yield f"{folder / file}{colon}{rest}" if file.endswith(".py") else text


def answer(remotes, case):
    """What ``parity check`` says, in processes that run already: a `CheckResult` or an error."""
    return asked(remotes, case)[-1]


def asked(remotes, case):
    """The models and the request that a case's arguments are, and the answer."""
    found = []

    def checked(torch, keras, request, say):
        found.extend(((torch, keras), request, check_in(remotes, (torch, keras), request)))
        return found[-1]

    with mock.patch.object(check_command, "check_targets", checked):
        outcome = CliRunner().invoke(app, ["check", *case.arguments, "--json"])
    if found:
        return tuple(found)
    if isinstance(outcome.exception, ParityError):
        return None, None, outcome.exception
    raise outcome.exception


def unwritten(given):
    """Confirmed causes without a line to paste or to take out, and without a reason for it."""
    return [cause for cause in given.causes if cause.confirmed and not _is_written(cause, given)]


def _is_written(cause, given):
    if not cause.fix:  # a call of the same loss or optimizer says all of its settings
        calls = [
            c.fix for c in given.causes if c.kind == cause.kind and c.right[0] == cause.right[0]
        ]
        return cause.kind in ("loss", "optimizer") and any(calls)
    if not cause.fix.startswith("#") or cause.fix.startswith(("# without ", "# This lies in ")):
        return True
    if cause.edit is not None and cause.edit.text == cause.fix:
        return True
    return cause.kind in IN_WORDS


def wrong(case, given):
    """Everything that is not right in the answer, in words."""
    if not isinstance(given, CheckResult):
        if ERROR not in case.verdicts:
            return [f"error: {given}"]
        return [] if case.message in str(given) else [f"the error does not say {case.message!r}"]
    found = []
    if given.verdict not in case.verdicts:
        found.append(f"verdict {given.verdict}, not {' or '.join(case.verdicts)}")
    if case.note and not any(case.note in note for note in given.notes):
        found.append(f"no note says {case.note!r}")
    false = [c for c in given.causes if c.status == "confirmed" and c.kind not in case.kinds]
    found += [f"confirmed {c.kind} is false: {c.left} / {c.right}" for c in false]
    found += [f"confirmed {c.kind} has no line: {c.right}, {c.fix!r}" for c in unwritten(given)]
    left = [c for c in given.causes if c.confirmed and (c.residual_ratio or 0) > 1]
    found += [f"confirmed {c.kind} leaves {c.residual_ratio:.2g}" for c in left]
    if given.verdict == "differ" and "differ" in case.verdicts:
        first = given.first
        names = [name for name in (first.torch, first.keras) if name] if first else []
        if case.layer and not any(fnmatchcase(n, p) for n in names for p in case.layer):
            found.append(f"first divergence {' / '.join(names) or 'none'}, not {case.layer}")
        if case.kinds and not any(c.kind in case.kinds for c in given.causes):
            named = [f"{c.kind} {c.status}" for c in given.causes]
            found.append(f"causes {named or 'none'}, not {case.kinds}")
        accused = [name for cause in given.causes for name, _ in (cause.left, cause.right)]
        found += [f"{n} is accused" for n in accused for p in case.unnamed if fnmatchcase(n, p)]
        lines = [cause.fix for cause in given.causes]
        if case.fix and not any(fnmatchcase(line, p) for line in lines for p in case.fix):
            found.append(f"the lines to write are {lines}, not {case.fix}")
    return found


def main(patterns):
    """Say of each case that matches what is wrong with its answer."""
    cases = [c for c in all_cases() if any(fnmatchcase(c.name, p) for p in patterns or ["*"])]
    right = 0
    with processes(CheckRequest()) as remotes:
        for case in cases:
            try:
                given = answer(remotes, case)
                faults = wrong(case, given)
            except Exception as error:  # the others are run all the same
                given, faults = None, [f"{type(error).__name__}: {error}"]
            right += not faults
            print(
                f"{'right' if not faults else 'WRONG'}  {case.name}  {'; '.join(faults)}",
                flush=True,
            )
            for cause in getattr(given, "causes", ()):
                places = f"{cause.left} / {cause.right}"
                print(f"         {cause.kind} {cause.status}: {places}  | {cause.fix}")
    print(f"{right} of {len(cases)} right")


if __name__ == "__main__":
    main(sys.argv[1:])
