"""Check, apply what is proven, check again: until the two agree, or nothing more can be applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from parity.checker.apply import advice, loops
from parity.checker.apply.rewriting import Rewriting
from parity.checker.apply.source import NotAppliedError, SharedLineError
from parity.checker.apply.user_code import UserCode
from parity.checker.apply.writing import ReadFile
from parity.checker.check import check_in
from parity.checker.graph.target import ModelError, Target
from parity.checker.result.check_result import CheckResult
from parity.checker.workers.pair import Say
from parity.checker.workers.remote_model import RemoteModel
from parity.checker.workers.request import CheckRequest
from parity.core.sides import SIDES, Side
from parity.diagnosis.causes import Cause
from parity.operations.code import call
from parity.verdict.judgement import Verdict

ROUNDS = 3
Texts = Mapping[str, str]
"""File → what it holds."""


@dataclass(frozen=True)
class Attempt:
    """What became of one cause.

    Attributes:
        cause: of a check.
        refused: why it was not applied; empty where it was.
        shared: refused because the line makes other layers, too.
        along: names of those, where it was changed for all of them.
    """

    cause: Cause
    refused: str = ""
    shared: bool = False
    along: tuple[str, ...] = ()

    @property
    def applied(self) -> bool:
        """Whether the files were changed for it."""
        return not self.refused


@dataclass(frozen=True)
class Proposal:
    """What a check's causes make of the files.

    Attributes:
        attempts: one a cause.
        texts: of the files that are changed.
    """

    attempts: tuple[Attempt, ...]
    texts: Texts


@dataclass(frozen=True)
class Outcome:
    """A check, and what came of applying what it found.

    Attributes:
        results: of the check as it was, and of one after each round.
        attempts: of each round.
        texts: of the changed files after the last round.
        read: file → as it was when it was checked.
        error: what went wrong when the changed files were run; empty if they could be checked.
    """

    results: tuple[CheckResult, ...]
    attempts: tuple[tuple[Attempt, ...], ...]
    texts: Texts
    read: Mapping[str, ReadFile]
    error: str = ""

    @property
    def last(self) -> CheckResult:
        """The check of what is proposed."""
        return self.results[-1]


def propose(
    result: CheckResult,
    read: Callable[[str], str],
    chosen: Callable[[Cause], bool] = lambda cause: True,
    *,
    together: bool = False,
    side: Side = "keras",
) -> Proposal:
    """Make all changes that confirmed causes ask for on one side.

    Args:
        result: of a check.
        read: path → what the file holds.
        chosen: which of the confirmed causes.
        together: see `UserCode`.
        side: whose files are changed.
    """
    names = [layer.torch if side == "torch" else layer.keras for layer in result.layers]
    codes = {
        name: layer.operations[side].code
        for name, layer in zip(names, result.layers, strict=True)
        if name and side in layer.operations
    }
    told = [cause.left if side == "torch" else cause.right for cause in result.causes]
    codes = {n: code for n, code in told if isinstance(code, str) and call(code)} | codes
    sites = result.made.get(side, {}), result.called.get(side, {})
    rewriting = Rewriting(*sites, codes, read, together=together)
    attempts = tuple(_attempts(result, rewriting, codes, chosen, side))
    return Proposal(attempts, rewriting.texts())


def _attempts(
    result: CheckResult,
    rewriting: Rewriting,
    codes: Mapping[str, str],
    chosen: Callable[[Cause], bool],
    side: Side,
) -> Iterator[Attempt]:
    other = "Keras'" if side == "torch" else "PyTorch's"
    for cause in result.causes:
        if not cause.confirmed:
            yield Attempt(cause, "suspected, not proven")
            continue
        if not chosen(cause):
            continue
        if cause.fix_side != ("left" if side == "torch" else "right"):
            yield Attempt(cause, f"the line to be corrected is {other}")
            continue
        edits = advice.edits(cause, codes.get(cause.corrected[0], ""))
        if not edits:
            yield Attempt(cause, "no line says what to do" if cause.fix else "there is no advice")
            continue
        try:
            for edit in edits:
                rewriting.apply(edit, advice.places(cause))
        except NotAppliedError as error:
            yield Attempt(cause, str(error), isinstance(error, SharedLineError))
        else:
            yield Attempt(cause, along=rewriting.taken_along())


def _tries(
    result: CheckResult, read: Callable[[str], str], proposal: Proposal, side: Side
) -> Iterator[tuple[Proposal, tuple[Verdict, ...]]]:
    """What may be applied, the best first, and with which verdict it is kept.

    Of steps that are missing or too many first whether a loop around them runs too seldom or too
    often. Then all causes at once; if that does not run, the first alone. Where all that is left is
    lines that make other layers, too, these are changed for all of them: kept only if the two agree
    then.
    """
    applied = [attempt.cause for attempt in proposal.attempts if attempt.applied]
    for more in _repeated(result, read, side):
        yield more, ("agree",)
    if proposal.texts:
        yield proposal, ("agree", "differ", "undecided")
        if len(applied) > 1:
            alone = propose(result, read, lambda cause: cause is applied[0], side=side)
            yield alone, ("agree", "differ", "undecided")
    elif any(attempt.shared for attempt in proposal.attempts):
        bold = propose(result, read, together=True, side=side)
        if bold.texts:
            yield bold, ("agree",)


def _repeated(result: CheckResult, read: Callable[[str], str], side: Side) -> Iterator[Proposal]:
    """Loops that run more often or less, where steps of one side alone are a proven cause."""
    causes = [c for c in result.causes if c.confirmed]
    alone = [c for c in causes if c.kind in ("missing_layer", "extra_layer")]
    lacking = len(result.torch_only) - len(result.keras_only)
    lacking = -lacking if side == "torch" else lacking
    if not alone or not lacking:
        return
    made, called = result.made.get(side, {}), result.called.get(side, {})
    for edit in loops.repetitions(UserCode(made, called, {}, read), lacking):
        rewriting = Rewriting(made, called, {}, read, together=True)
        try:
            rewriting.apply(edit, [])
        except NotAppliedError:
            continue
        told = tuple(Attempt(replace(c, fix=edit.text, edit=edit)) for c in causes)
        yield Proposal(told, rewriting.texts())


def _told(result: CheckResult) -> object:
    """What a check says, without the numbers: if an edit leaves it so, it was none."""
    return [(one.kind, one.left, one.right, one.places) for one in result.causes]


def _is_still_said(result: CheckResult, before: CheckResult, made: Proposal) -> bool:
    """Whether a check says what the one before said, or asks once more for a step just put in."""
    if _told(result) == _told(before):
        return True
    done = [a.cause for a in made.attempts if a.applied and "\n" in a.cause.fix]
    asked = {(c.kind, c.corrected[0], c.fix) for c in result.causes}
    return any((c.kind, c.corrected[0], c.fix) in asked for c in done)


def in_rounds(
    remotes: tuple[RemoteModel, RemoteModel],
    targets: tuple[Target, Target],
    request: CheckRequest,
    first: CheckResult,
    say: Say = lambda words: None,
    *,
    since: float | None = None,
) -> Outcome:
    """Apply what a check found, and check again, in up to three rounds; no file is touched.

    The side that is changed is the one that `request.corrected` names.

    Args:
        remotes: the two processes.
        targets: the two models.
        request: as `first` was asked.
        first: the check of the files as they are.
        say: is told what is being done.
        since: when that check began (`time.time`): files that are younger are not what it saw.
    """
    results, attempts, error = [first], list[tuple[Attempt, ...]](), ""
    texts, files = dict[str, str](), dict[str, ReadFile]()

    def read(path: str) -> str:
        if path not in files:
            if since is not None and Path(path).stat().st_mtime > since:
                raise NotAppliedError(f"{path} has changed while it was checked")
            files[path] = ReadFile.of(path)
        return texts.get(path, files[path].text)

    def checked(proposal: Proposal) -> CheckResult:
        sources = {**texts, **proposal.texts}
        changed = [
            replace(target, sources=sources) if side == request.corrected else target
            for side, target in zip(SIDES, targets, strict=True)
        ]
        return check_in(remotes, (changed[0], changed[1]), request, say)

    while results[-1].verdict == "differ" and len(attempts) < ROUNDS:
        say(f"applying, round {len(attempts) + 1}")
        proposal = propose(results[-1], read, side=request.corrected)
        attempts.append(proposal.attempts)
        accepted = None
        for one, wanted in _tries(results[-1], read, proposal, request.corrected):
            try:
                result = checked(one)
            except ModelError as failure:
                if "differ" in wanted:
                    error = error or str(failure)
                continue
            if result.verdict == "differ" and _is_still_said(result, results[-1], one):
                said = tuple(
                    replace(a, refused="changed so, the check says the same") if a.applied else a
                    for a in one.attempts
                )
                attempts[-1] = said
                continue
            if result.verdict in wanted:
                accepted, error = (one, result), ""
                break
        if accepted is None:
            break
        attempts[-1] = accepted[0].attempts
        results.append(accepted[1])
        texts |= accepted[0].texts
    return Outcome(tuple(results), tuple(attempts), texts, files, error)
