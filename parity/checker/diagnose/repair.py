"""Why a guilty pair differs, proven: the layer is computed again with one thing repaired.

A node is guilty where its inputs agree and its output does not. `differing` reads what differs in
its settings; `prove` repairs one suspicion after the other in the NumPy reference and sees which
makes the difference vanish. Where settings do not tell, `guesses` has
faults that the arrays may show. Pure: arrays in, causes out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from parity.checker.diagnose import fix
from parity.checker.diagnose.settings import canonical, differing
from parity.checker.graph.graph import Node
from parity.checker.graph.model_interface import Mode
from parity.comparator.noise import U32
from parity.core.sides import Side
from parity.diagnosis.array_hypotheses import FLOOR, apart, values
from parity.diagnosis.causes import Cause, Proof, value_text
from parity.diagnosis.constants import contrast, relation
from parity.diagnosis.edits import Edit
from parity.diagnosis.operation_hypotheses import Guess, guesses
from parity.operations.function import Function
from parity.operations.operation import Suspicion

Array = NDArray[Any]

COARSE, COARSE_RESIZE = U32 / 4, 32 * U32
"""Of the scale. TensorFlow keeps some constants, and all of its resizing, in float32 whatever the
precision."""
CLEAR = 1e3
"""How many times larger than that a difference must be to be explained in spite of it."""
_EITHER = ("resize",)
"""Of these kinds Keras has not all that PyTorch has: what its line cannot say, PyTorch's may."""
MIRRORED = {"missing_layer": "extra_layer", "extra_layer": "missing_layer"}


@dataclass(frozen=True)
class ProofInput:
    """All there is to know of a guilty pair.

    Attributes:
        left, right: the nodes.
        left_sources, right_sources: what each took, float64, both in the *right* side's layout.
        left_output, right_output: what each gave, float64, in the right side's layout.
        left_parameters, right_parameters: role → canonical array, float64, as each side used it.
        bound: what ‖left_output − right_output‖∞ may be in float64.
        axes: ``axes[i]`` is the right side's axis for axis i of the left's first source; None
            where both count alike. Needed where settings name axes and the layouts differ.
        left_side, right_side: the frameworks.
        fix_side: whose line is to be corrected.
        spatial: (height, width, channels) of the image that was flattened into the source of a
            dense layer, where that is known.
        mode: in which the outputs were recorded.
        source_names: what people call what each side takes.
        fixed: for each source, whether it depends on no input of the model on either side: a
            table, wherever it is kept.
        weights: which of these tables are weights of both models.
        executed: the expression that the right's operation is, where that is known.
    """

    left: Node
    right: Node
    left_sources: tuple[Array, ...]
    right_sources: tuple[Array, ...]
    left_output: Array
    right_output: Array
    left_parameters: Mapping[str, Array]
    right_parameters: Mapping[str, Array]
    bound: float
    axes: Sequence[int] | None = None
    left_side: Side = "torch"
    right_side: Side = "keras"
    fix_side: Literal["left", "right"] = "right"
    spatial: tuple[int, ...] = field(default=())
    mode: Mode = "evaluate"
    source_names: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    fixed: tuple[bool, ...] = ()
    weights: tuple[int, ...] = ()
    executed: str = ""

    def is_fixed(self, at: int) -> bool:
        """Whether both sides take a table there."""
        if at < len(self.fixed):
            return self.fixed[at]
        nodes = (self.left, self.right)
        return all(n.sources[at].value.startswith(("constant", "parameter")) for n in nodes)

    def source_name(self, side: int, at: int) -> str:
        """What people call what one side takes."""
        names = self.source_names[side]
        return names[at] if at < len(names) else (self.left, self.right)[side].sources[at].value

    @property
    def before(self) -> float:
        """The distance to be explained."""
        return apart(self.left_output, self.right_output)

    @property
    def tolerance(self) -> float:
        """The bound, but never finer than the reference itself."""
        return max(self.bound, FLOOR * self.scale)

    @property
    def scale(self) -> float:
        """The largest finite value of both outputs."""
        return max(
            float(np.max(np.abs(a), initial=0.0, where=np.isfinite(a)))
            for a in (self.left_output, self.right_output)
        )

    def coarse(self) -> ProofInput | None:
        """The same with a bound of float32; None where the difference is not far larger."""
        resized = "resize" in (self.left.kind, self.right.kind)
        bound = (COARSE_RESIZE if resized else COARSE) * self.scale
        return replace(self, bound=bound) if self.before > CLEAR * bound > 0 else None

    def functions(self) -> tuple[Function, Function]:
        """Both operations for the reference, in the right side's layout."""
        channels = self.right.settings.get("channels") or _channels(self.left, self.axes)
        settings = canonical(self.left, axes=self.axes, channels=channels)
        left = Function(
            self.left.kind, settings, self.left_parameters, self.left_sources, self.mode
        )
        right = Function(
            self.right.kind,
            canonical(self.right),
            self.right_parameters,
            self.right_sources,
            self.mode,
        )
        return left, right


def _channels(node: Node, axes: Sequence[int] | None) -> str | None:
    """Where the left's channels lie in the right's layout."""
    if axes is None or "channels" not in node.settings or len(axes) < 3:
        return None
    at = axes[1 if node.settings["channels"] == "first" else len(axes) - 1]
    return {1: "first", len(axes) - 1: "last"}.get(at)


def prove(evidence: ProofInput) -> tuple[Cause, ...]:
    """Find what makes the pair differ.

    Args:
        evidence: of one guilty pair.

    Returns:
        Confirmed causes, each needed, which together leave no more than rounding. If none are
        found: what is suspected, and at least one cause of kind ``unknown``. Nothing where the
        outputs do not differ.
    """
    if evidence.before <= evidence.tolerance:
        return ()
    flat = evidence.left_output.reshape(-1), evidence.right_output.reshape(-1)
    if np.isinf(evidence.before) and apart(*flat) <= evidence.tolerance:
        return ()  # the same numbers in the same order, only in another shape
    suspicions = differing(evidence.left, evidence.right, axes=evidence.axes)
    if any(np.any(np.isnan(a)) for a in (evidence.left_output, evidence.right_output)):
        return _suspected(evidence, suspicions)  # NaN is NaN, whatever is repaired
    bounds = [e for e in (evidence, evidence.coarse()) if e is not None]
    for together in (False, True):
        for proof in bounds:
            causes = _confirmed(proof, suspicions, together=together)
            if causes:
                return _without_consequences(proof, causes)
    return _suspected(evidence, suspicions)


def _without_consequences(evidence: ProofInput, causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
    """The causes without a padding that the line itself works out from what else is repaired.

    ``padding="same"`` adds 2 rows where the dilation is 2: of two settings that differ, one line of
    code with one change repairs both, and that change is the cause.
    """
    others = [c for c in causes if c.kind in ("dilation", "kernel_size", "stride")]
    node, other = (evidence.right, evidence.left)
    if evidence.fix_side == "left":
        node, other = other, node
    if not others or len(others) == len(causes) or not fix.follows(node, other):
        return causes
    return tuple(replace(c, share=1.0) for c in others)


def _confirmed(
    evidence: ProofInput, suspicions: Sequence[Suspicion], *, together: bool
) -> tuple[Cause, ...]:
    """Causes among the settings, or a guess; with `together` both at once."""
    left, right = evidence.functions()
    fixed = () if together else _other_operand(evidence, left, right)
    if fixed:
        return fixed
    left_fits = apart(left(), evidence.left_output) <= evidence.tolerance
    right_fits = apart(right(), evidence.right_output) <= evidence.tolerance
    # What is known exactly is changed until it gives what the other side has.
    ways = []
    if right_fits:
        ways.append(RepairSearch(evidence, right, left, evidence.left_output, backwards=True))
    if left_fits:
        ways.append(RepairSearch(evidence, left, right, evidence.right_output, backwards=False))
    if together:
        tries = (way.by_both(suspicions) for way in reversed(ways))
        return next((t for t in tries if t), ())
    for way in ways:
        causes = way.by_settings(suspicions)
        if causes:
            return causes
    for way in reversed(ways):
        guess = way.first(way.base)
        if guess is not None:
            return (way.guessed(guess, 1.0),)
    return _by_values(evidence)


def _other_operand(evidence: ProofInput, left: Function, right: Function) -> tuple[Cause, ...]:
    """A number of the code that differs: each side's own operation, on the other's number.

    Before anything is said of the operation itself, which could always be replaced as a whole: the
    right's must give what the left gave as soon as it takes the left's number, and what the right
    gave as long as it takes its own.
    """
    if len(left.sources) != len(right.sources):
        return ()
    for at, (mine, theirs) in enumerate(zip(left.sources, right.sources, strict=True)):
        if not evidence.is_fixed(at) or not apart(mine, theirs):
            continue
        taken = (*right.sources[:at], mine, *right.sources[at + 1 :])
        repaired = right.on(*taken)()
        if (
            apart(right(), evidence.right_output) <= evidence.tolerance
            and apart(repaired, evidence.left_output) <= evidence.tolerance
        ):
            guess = Guess("wiring", "", "", repaired, at)
            return (_wired(evidence, guess, at, 1.0, evidence.left_output),)
    return ()


@dataclass(frozen=True)
class RepairSearch:
    """One function that is understood, to be changed into what the other side computed.

    Attributes:
        evidence: of the pair.
        base: the function understood.
        donor: the other side's, from which settings are taken.
        target: what the other side gave.
        backwards: the base is the right side, so a repair makes right into left.
    """

    evidence: ProofInput
    base: Function
    donor: Function
    target: Array
    backwards: bool

    def left_after(self, function: Function) -> float:
        """How far a function's output is from the target."""
        return apart(function(), self.target)

    def repaired(self, suspicions: Sequence[Suspicion]) -> Function:
        """The base with what the suspicions name taken from the donor."""
        function = self.base
        for suspicion in suspicions:
            if suspicion.whole:
                return replace(self.donor, sources=self.base.sources)
            settings = dict(function.settings)
            for key in suspicion.keys:
                settings.pop(key, None)
                if key in self.donor.settings:
                    settings[key] = self.donor.settings[key]
            parameters = dict(function.parameters)
            for role in suspicion.roles:
                parameters.pop(role, None)
                if role in self.donor.parameters:
                    parameters[role] = self.donor.parameters[role]
            sources = function.sources
            if suspicion.kind == "initial_state":
                sources = (*sources[:1], *self.donor.sources[1:])
            function = replace(function, settings=settings, parameters=parameters, sources=sources)
        return function

    def fits(self, suspicions: Sequence[Suspicion]) -> bool:
        """Whether repairing these brings the base within the tolerance of the target."""
        return self.left_after(self.repaired(suspicions)) <= self.evidence.tolerance

    def by_settings(self, suspicions: Sequence[Suspicion]) -> tuple[Cause, ...]:
        """The smallest set of suspicions that explains it."""
        usable = [s for s in suspicions if s.keys or s.whole]
        for one in usable:
            if self.fits([one]):
                return (self._cause(one, self.left_after(self.repaired([one])), 1.0),)
        chosen = self._smallest(usable)
        if not chosen:
            return ()
        after = self.left_after(self.repaired(chosen))
        causes = []
        for one in chosen:
            rest = self.left_after(self.repaired([s for s in chosen if s is not one]))
            causes.append(
                self._cause(
                    one,
                    after,
                    min(rest / self.evidence.before, 1.0)
                    if np.isfinite(self.evidence.before)
                    else 1.0,
                )
            )
        return tuple(causes)

    def _smallest(self, usable: Sequence[Suspicion]) -> list[Suspicion]:
        if len(usable) < 2:
            return []
        if self.fits(usable):
            chosen = list(usable)
            for one in usable:
                fewer = [s for s in chosen if s is not one]
                if fewer and self.fits(fewer):
                    chosen = fewer
            return chosen
        for size in range(2, min(len(usable), 4)):
            for some in itertools.combinations(usable, size):
                if self.fits(some):
                    return list(some)
        return []

    def by_both(self, suspicions: Sequence[Suspicion]) -> tuple[Cause, ...]:
        """The first guess that explains what is left with all settings repaired."""
        usable = [s for s in suspicions if s.keys]
        if not usable or any(s.whole for s in suspicions):
            return ()
        repaired = self.repaired(usable)
        guess = self.first(repaired)
        if guess is None:
            return ()
        needed = [s for s in usable if self._needs(s, [o for o in usable if o is not s], guess)]
        ratio = apart(guess.output, self.target) / self.evidence.tolerance
        after = self.left_after(repaired) / self.evidence.before
        causes = [self._cause(s, ratio * self.evidence.tolerance, None) for s in needed]
        return (*causes, self.guessed(guess, min(after, 1.0) if np.isfinite(after) else 1.0))

    def _needs(self, one: Suspicion, rest: Sequence[Suspicion], guess: Guess) -> bool:
        """Whether the guess no longer explains it where this one is not repaired."""
        again = self._guesses(self.repaired(rest))
        named = (guess.kind, value_text(guess.target))
        alike = (g for g in again if (g.kind, value_text(g.target)) == named)
        return not any(apart(g.output, self.target) <= self.evidence.tolerance for g in alike)

    def _guesses(self, base: Function) -> Iterator[Guess]:
        return guesses(base, self.target, self.donor, self.evidence.spatial)

    def first(self, base: Function) -> Guess | None:
        """The first guess within the tolerance of the target."""
        for guess in self._guesses(base):
            if apart(guess.output, self.target) <= self.evidence.tolerance:
                return guess
        return None

    def _cause(self, suspicion: Suspicion, after: float, share: float | None) -> Cause:
        return _cause(
            self.evidence,
            suspicion.kind,
            suspicion.left,
            suspicion.right,
            after=after,
            share=share,
            suspicion=suspicion,
        )

    def guessed(self, guess: Guess, share: float) -> Cause:
        """A guess as a cause, told from left to right, with its share of the difference."""
        kind, values_ = guess.kind, (guess.base, guess.target)
        if self.backwards:
            kind, values_ = MIRRORED.get(kind, kind), (guess.target, guess.base)
        if guess.source is not None and kind == "wiring":
            return _wired(self.evidence, guess, guess.source, share, self.target)
        return _cause(
            self.evidence, kind, *values_, share=share, after=apart(guess.output, self.target)
        )


def _wired(evidence: ProofInput, guess: Guess, at: int, share: float, target: Array) -> Cause:
    """The same operation on another operand: a table that differs, or one from elsewhere."""
    texts = [evidence.source_name(side, at) for side in (0, 1)]
    after = apart(guess.output, target)
    if not evidence.is_fixed(at):
        return _cause(evidence, "wiring", texts[0], texts[1], share=share, after=after)
    mine, theirs = evidence.left_sources[at], evidence.right_sources[at]
    if mine.size == theirs.size == 1:
        texts = [value_text(float(a.ravel()[0])) for a in (mine, theirs)]
    else:
        size = " × ".join(map(str, mine.shape))
        texts = [f"{texts[0]} ({size})", relation(mine, theirs) or "the same"]
    if at in evidence.weights:  # which of them is which was not found: no proof that they differ
        return _cause(evidence, "weights", texts[0], texts[1])
    cause = _cause(evidence, "constant", texts[0], texts[1], share=share, after=after)
    if evidence.fix_side == "left":
        return cause
    line = fix.with_table(evidence.right, at, mine, theirs, evidence.executed)
    told = contrast(mine, theirs) if not line and texts[1].startswith("other numbers") else None
    words = cause.fix if told is None else f"{cause.fix}; {told[0]}, where it is {told[1]}"
    return replace(cause, fix=line or words)


def _by_values(evidence: ProofInput) -> tuple[Cause, ...]:
    """What the two outputs tell where the reference understands neither."""
    out, target = evidence.left_output, evidence.right_output
    for repair, repaired in values(out, target):
        after = apart(repaired, target)
        if after <= evidence.tolerance:
            return (
                _cause(
                    evidence,
                    repair.kind,
                    repair.base,
                    repair.target,
                    after=after,
                    share=1.0,
                    proof="values",
                ),
            )
    return ()


def _suspected(evidence: ProofInput, suspicions: Sequence[Suspicion]) -> tuple[Cause, ...]:
    causes = [_cause(evidence, s.kind, s.left, s.right, suspicion=s) for s in suspicions]
    return tuple(causes) or (_cause(evidence, "unknown", evidence.left.code, evidence.right.code),)


def _cause(
    evidence: ProofInput,
    kind: str,
    left: Any,
    right: Any,
    *,
    after: float | None = None,
    share: float | None = None,
    suspicion: Suspicion | None = None,
    proof: Proof = "recomputed",
) -> Cause:
    values = [_in_full(kind, value) for value in (left, right)]
    line = _fix(evidence, kind, *values)
    side = evidence.fix_side
    if side == "right" and kind in _EITHER and (not line or line.startswith("#")):
        other = _fix(replace(evidence, fix_side="left"), kind, *values)
        if other and not other.startswith("#"):
            line, side = other, "left"
    edit: Edit | None = None
    if line.startswith("# "):
        edit = _edit(evidence, kind, line, *values)
    return Cause(
        kind=kind,
        left=(evidence.left.name, value_text(left)),
        right=(evidence.right.name, value_text(right)),
        status="suspected" if after is None else "confirmed",
        residual_ratio=None if after is None else after / evidence.tolerance,
        share=share,
        proof="none" if after is None else proof,
        fix=line,
        edit=edit,
        fix_side=side,
    )


def _edit(evidence: ProofInput, kind: str, line: str, mine: str, theirs: str) -> Edit | None:
    """What no line of the statement's says, done to one operation in it."""
    node, other, side = evidence.right, evidence.left, evidence.right_side
    if evidence.fix_side == "left":
        node, other, side, mine, theirs = other, node, evidence.left_side, theirs, mine
    if kind == "activation":
        return fix.replaced_activation(node, other, side, line)
    return fix.wrapped(kind, node, line, mine, theirs)


def _in_full(kind: str, value: Any) -> str:
    """A value as a line needs it: a factor with all its digits."""
    exact = kind in ("scale", "offset") and isinstance(value, float)
    return repr(value) if exact else value_text(value)


def _fix(evidence: ProofInput, kind: str, mine: str, theirs: str) -> str:
    left, right, axes = evidence.left, evidence.right, evidence.axes
    if evidence.fix_side == "right":
        other = _seen_from(left, right, axes)
        return fix.fix(
            kind,
            right,
            other,
            evidence.right_side,
            wanted=mine,
            present=theirs,
            executed=evidence.executed,
        )
    inverse = None if axes is None else [list(axes).index(i) for i in range(len(axes))]
    other = _seen_from(right, left, inverse)
    return fix.fix(kind, left, other, evidence.left_side, wanted=theirs, present=mine)


def _seen_from(node: Node, other: Node, axes: Sequence[int] | None) -> Node:
    """A node as it would be in the other's layout."""
    if axes is None:
        return node
    channels = other.settings.get("channels") or _channels(node, axes)
    sources = list(node.sources)
    if sources and len(sources[0].shape) == len(axes):
        shape = [0] * len(axes)
        for at, size in enumerate(sources[0].shape):
            shape[axes[at]] = size
        sources[0] = replace(sources[0], shape=tuple(shape))
    settings = canonical(node, axes=axes, channels=channels)
    return replace(node, settings=settings, sources=tuple(sources))
