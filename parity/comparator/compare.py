"""Two sides' recordings → findings, one a key, in causal order.

Pure, and without words: `parity.comparator.noise` has the rule, `parity.verdict.wording` the words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from parity.comparator import causal_order
from parity.comparator.horizon import follow
from parity.comparator.key_arrays import KeyArrays, RecordedKeys
from parity.comparator.kinks import count_flips
from parity.comparator.noise import NOISY, U32, U64, Array, C, Finding, Status, computed, judge
from parity.core import blockwise, recording_keys
from parity.core.errors import RecordingError
from parity.core.text import short
from parity.recording.recording_file import Recording, Runs
from parity.spec.cases import Known, Numbers
from parity.spec.expected import is_zero, matches, numbers, stated


@dataclass(frozen=True)
class Question:
    """What is asked of a pair, besides the recordings.

    Attributes:
        levels: rungs to judge; empty for all.
        required: keys that must be there, so that silence is not taken for agreement.
        known: listed differences.
        expected: key → the number or fact that both sides must give.
        nonfinite: keys whose NaN or infinity is meant.
        layers: names of the layers in forward order, for cause and effect.
        frozen: names of the parameters that nothing may move.
        identical: the sides must be equal bit for bit.
    """

    levels: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    known: tuple[Known, ...] = ()
    expected: Mapping[str, Numbers] | None = None
    nonfinite: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    identical: bool = False


@dataclass(frozen=True)
class Comparison:
    """All findings in causal order, and how far the training can be followed.

    Attributes:
        findings: causes before effects.
        horizon: the last step at which every nudged run is still within `HORIZON` of its original;
            None where nothing was trained or nudged.
        last_step: the last step recorded; None where nothing was trained.
        precisions: which were compared.
    """

    findings: tuple[Finding, ...]
    horizon: int | None
    last_step: int | None
    precisions: tuple[str, ...]


def compare(left: Runs, right: Runs, question: Question | None = None) -> Comparison:
    """Compare two sides key by key, holding no more than one key's arrays at a time.

    Raises:
        RecordingError: the recordings answer different questions, or share no precision.
    """
    question = question or Question()
    check_comparable(left, right)
    precisions = tuple(p for p in ("float32", "float64") if getattr(left, p) and getattr(right, p))
    quads = RecordedKeys(left, right)
    horizon, last = follow(quads)
    asker = _Asker(left, right, question, precisions, quads, horizon, last)
    findings = [asker.finding(key) for key in _keys(left, right, question)]
    findings += _fact_findings(left, right, question)
    ordered = sorted(
        findings, key=lambda f: causal_order.order(recording_keys.parse_key(f.key), f.failing_step)
    )
    # What could not be decided is the cause of nothing, unless there is nothing else
    # (`test_what_is_undecided_is_the_cause_of_nothing_decided`).
    decided = [f for f in ordered if not f.agrees and f.status != "undecided"]
    blamed = decided or [f for f in ordered if not f.agrees]
    failing = {f.key: f.failing_step for f in blamed}
    guilty = causal_order.guilty(failing, [f.key for f in ordered], question.layers)
    marked = tuple(replace(f, guilty=f.key in guilty) for f in ordered)
    return Comparison(marked, horizon, last, precisions)


def check_comparable(left: Runs, right: Runs) -> None:
    """Refuse recordings that answer different questions.

    Raises:
        RecordingError: with both values.
    """
    recordings = [r for runs in (left, right) for r in (*runs.present, runs.nudged) if r]
    if not left.present or not right.present:
        raise RecordingError("Nothing to compare: each side needs at least one recording.")
    first = recordings[0]
    for other in recordings[1:]:
        for name in ("example", "digest", "seed", "mode"):
            a, b = getattr(first.header, name), getattr(other.header, name)
            if a != b:
                raise RecordingError(
                    f"{first.origin} and {other.origin} answer different questions: {name} is "
                    f"'{a}' in one and '{b}' in the other. Record both from the same spec, data, "
                    "size and seed."
                )
    for runs in (left, right):
        codes = {r.header.code for r in (*runs.present, runs.nudged) if r and r.header.code}
        if len(codes) > 1:
            raise RecordingError(
                f"{runs.title}'s recordings were made by different versions of its source "
                f"({', '.join(sorted(codes))}): two runs wrote into one folder? Record them again."
            )
    if not any(getattr(left, p) and getattr(right, p) for p in ("float32", "float64")):
        raise RecordingError(
            f"{left.title} and {right.title} share no precision: "
            f"{[r.header.precision for r in left.present]} against "
            f"{[r.header.precision for r in right.present]}. Record one of them again."
        )


def _keys(left: Runs, right: Runs, question: Question) -> list[str]:
    present = [k for runs in (left, right) for r in runs.present for k in r.keys()]  # noqa: SIM118
    keys = dict.fromkeys((*question.required, *present))
    facts = _facts(left).keys() | _facts(right).keys()
    chosen = [k for k in keys if k not in facts]
    return [
        k
        for k in chosen
        if not question.levels or recording_keys.parse_key(k).level in question.levels
    ]


@dataclass(frozen=True)
class _Asker:
    """What every key is asked, with the context that the answers need."""

    left: Runs
    right: Runs
    question: Question
    precisions: tuple[str, ...]
    quads: RecordedKeys
    horizon: int | None
    last_step: int | None
    flips: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, list[tuple[str, float]]] = field(default_factory=dict)

    def finding(self, key: str) -> Finding:
        parsed = recording_keys.parse_key(key)
        at_end = parsed.level in ("L4", "L5") and parsed.step is None
        step = self.last_step if at_end else parsed.step
        base = Finding(key, parsed.level, "identical", step=step)
        quad = self.quads.read(key)
        absent = self._absent(quad)
        if absent:
            status: Status = "extra" if absent == (self.left.title,) else "missing"
            return replace(base, status=status, sides=absent)
        if quad.alike_in_form and computed(quad, parsed.level):
            self.quads.known[key] = quad.extent
        problem = _structure(base, quad) or _nonfinite(
            base, quad, allowed=key in self.question.nonfinite
        )
        listed = next((k for k in self.question.known if k.key == key), None)
        if listed is not None:
            return self._known(base, quad, listed)
        if problem is not None:
            titles = {"left": self.left.title, "right": self.right.title}
            return replace(problem, sides=tuple(titles[side] for side in problem.sides))
        if parsed.stage == "weights" and parsed.rest in self.question.frozen:
            moved = self._moved(parsed)
            if moved:
                return replace(base, status="wrong", rule="frozen", sides=moved)
        if self.question.identical:
            return self._expected(_bits(base, quad), quad)
        finding = self._zero(self._judged(base, parsed, quad), quad)
        finding = self._expected(self._derived(finding, quad), quad)
        # Beyond the horizon nobody can say of a difference that it is rounding, nor that it is not.
        # What is noisy, missing or not finite is so at any step.
        beyond = self.horizon is not None and (finding.step or 0) > self.horizon
        if parsed.level in ("L4", "L5") and beyond and finding.status in ("different", "rounding"):
            return replace(finding, status="undecided")
        return finding

    def _moved(self, key: recording_keys.RecordingKey) -> tuple[str, ...]:
        """Sides on which a frozen parameter is no longer, bit for bit, what it was.

        Both sides may move it alike, and agree with each other and not with the example; so it is
        held against itself (``test_a_frozen_weight_that_moves_is_found_at_once``).
        """
        before = f"weights/initial/{key.rest}"
        return tuple(
            runs.title
            for runs in (self.left, self.right)
            if any(not _same(r, key.text, before) for r in runs.present if before in r)
        )

    def _judged(
        self, base: Finding, parsed: recording_keys.RecordingKey, quad: KeyArrays
    ) -> Finding:
        """The rule; without two of its guards where rounding has carried activations across kinks.

        ReLU's slope at +1e-9 and at −1e-9 is another, and so is the element that max pooling
        takes from two that are equal but for rounding. With a million activations a flip between
        float32 and float64 is no rarity, on one side and not on the other: gradients jump then,
        and in training the whole float32 run departs. Outputs are continuous and stay under guard.
        """
        finding = judge(base, parsed, quad, self.precisions)
        if finding.rule not in ("noise", "sudden") or finding.level == "L1":
            return finding
        # A flip excuses the side that has it (`test_the_flip_must_be_on_the_loud_side`); a sudden
        # departure at step 1,000 may come from either, and the flips of that step are not recorded.
        loud = self.left if (finding.own_left or 0) > (finding.own_right or 0) else self.right
        suspects = (loud,) if finding.rule == "noise" else (self.left, self.right)
        for runs in suspects:
            if runs.title not in self.flips:
                self.flips[runs.title] = count_flips(runs)
        if not any(self.flips[runs.title] for runs in suspects):
            return finding
        return judge(base, parsed, quad, self.precisions, kinks=True)

    def _zero(self, finding: Finding, quad: KeyArrays) -> Finding:
        """A tensor whose true value is zero may differ by what is left of the terms that cancel.

        Its own scale says nothing then; that of its siblings does: it is zero to rounding when
        it is within rounding of *their* scale, on both sides and in both precisions. The case is
        ∂Σ softmax(x)/∂x: the sum is 1 whatever x is, and two orders of summation, both right,
        leave 10⁻¹⁷ and nothing.
        """
        if finding.rule not in ("numbers", "equation", "noise") or not quad.four:
            return finding
        if finding.agrees or finding.level not in ("L1", "L2", "L3", recording_keys.VALUES):
            return finding
        ratio = self._share_of_siblings(finding.key, quad)
        # A small gradient is no zero: one that each side has to the last digit of float64, and with
        # another value, is a fault (`test_a_small_real_difference_is_no_zero`).
        if ratio > 1 or not _is_noise(quad):
            return finding
        return replace(finding, status="rounding", rule="zero", ratio=ratio)

    def _derived(self, finding: Finding, quad: KeyArrays) -> Finding:
        """A loss over the test set cannot be more restless than the predictions it comes from.

        A single number has no guard of its own, because it can stay still by chance; but what is
        computed anew or at random in every evaluation would widen its bound without limit. Planted:
        a test loss that adds up over evaluations (``test_loss_accumulates``).
        """
        known = finding.key.startswith("metrics/") and finding.key.endswith("loss")
        if not known or finding.status != "rounding" or not finding.sigma or not finding.scale:
            return finding
        moved = self._moved_by_nudge("predictions/test")
        if not moved:
            return finding
        # NOISY² as for the restless side: a logarithm amplifies what probabilities near 0 move by.
        allowed = max([*moved, U64 * math.sqrt(finding.step or 1)]) * NOISY**2
        if finding.sigma <= allowed * max(finding.scale, 1.0):
            return finding
        own = [
            0.0 if a is None or b is None else blockwise.apart(a, b)
            for a, b in ((quad.left64, quad.left_nudged), (quad.right64, quad.right_nudged))
        ]
        return replace(
            finding,
            status="noisy",
            rule="restless",
            own_left=own[0],
            own_right=own[1],
            ratio=finding.sigma / (allowed * max(finding.scale, 1.0)),
        )

    def _moved_by_nudge(self, key: str) -> list[float]:
        """How far each side moves from itself in one key, where both runs have it."""
        measured = self.quads.measure(key)
        if measured is not None:
            return [m for m in (measured.moved_left, measured.moved_right) if m is not None]
        quad = self.quads.read(key)
        return [
            blockwise.apart(a, b)
            for a, b in ((quad.left64, quad.left_nudged), (quad.right64, quad.right_nudged))
            if a is not None and b is not None and a.shape == b.shape
        ]

    def _share_of_siblings(self, key: str, quad: KeyArrays) -> float:
        """Size over what rounding leaves of its siblings' largest element; the worse precision."""
        group = (
            key.rsplit("/", 1)[0]
            if key.startswith(recording_keys.VALUES)
            else key.split("/", 2)[:2]
        )
        prefix = group if isinstance(group, str) else "/".join(group)
        # Without siblings nothing is zero: against its own size any number is as large as itself.
        siblings = max((s for k, s in self._sizes(prefix) if k != key), default=0.0)
        if siblings == 0:
            return np.inf
        sizes = [
            max(blockwise.largest(a) for a in pair) / unit
            for pair, unit in zip(quad.pairs, (U32, U64), strict=True)
        ]
        return max(sizes) / (C * siblings)

    def _sizes(self, prefix: str) -> list[tuple[str, float]]:
        """Largest elements of all keys below a prefix, on both sides; each array is read once."""
        if prefix not in self.sizes:
            self.sizes[prefix] = [
                (key, blockwise.largest(runs.present[-1][key]))
                for runs in (self.left, self.right)
                for key in runs.present[-1].arrays
                if key.startswith(f"{prefix}/")
            ]
        return self.sizes[prefix]

    def _absent(self, quad: KeyArrays) -> tuple[str, ...]:
        """Sides that lack the key in any precision; an empty array says nothing either."""
        both = ((self.left, quad.left32, quad.left64), (self.right, quad.right32, quad.right64))
        return tuple(
            runs.title
            for runs, *arrays in both
            if any(
                recording is not None and (array is None or array.size == 0)
                for recording, array in zip((runs.float32, runs.float64), arrays, strict=True)
            )
        )

    def _sides(self, quad: KeyArrays) -> tuple[tuple[str, tuple[Array, ...]], ...]:
        both = ((self.left, quad.left32, quad.left64), (self.right, quad.right32, quad.right64))
        return tuple((r.title, tuple(a for a in some if a is not None)) for r, *some in both)

    def _known(self, base: Finding, quad: KeyArrays, listed: Known) -> Finding:
        """A listed difference, strict both ways: each side gives just what is listed.

        One that has gone is stale and fails, too: a framework's new release repaired it, and what
        the page says of it is no longer so.
        """
        values = {"torch": listed.torch, "keras": listed.keras}
        both = zip((self.left, self.right), self._sides(quad), strict=True)
        holds = all(
            runs.side in values and matches(array, values[runs.side])
            for runs, (_, arrays) in both
            for array in arrays
        )
        a, b = quad.best
        return replace(base, status="known" if holds else "stale", left=short(a), right=short(b))

    def _expected(self, finding: Finding, quad: KeyArrays) -> Finding:
        """The third witness: a number from outside, which also tells which side is wrong."""
        value = (self.question.expected or {}).get(finding.key)
        if value is None:
            return finding
        off = tuple(
            title
            for title, arrays in self._sides(quad)
            if not all(matches(a, value) for a in arrays)
        )
        # Where 0 is expected both sides may have what cancelling terms leave.
        if off and is_zero(value) and _could_be(quad, value):
            off = off if self._share_of_siblings(finding.key, quad) > 1 else ()
        if not off or not finding.agrees:
            return replace(finding, sides=off, expected=stated(value))
        a, b = quad.best
        return replace(
            finding,
            status="wrong",
            rule="expected",
            sides=off,
            expected=stated(value),
            left=short(a),
            right=short(b),
        )


def _same(recording: Recording, key: str, other: str) -> bool:
    """Whether two arrays of a recording are equal bit for bit."""
    one, another = (recording.header.thinned.get(k) for k in (key, other))
    if one is not None and another is not None:
        return one.digest == another.digest
    return blockwise.identical(recording[key], recording[other], equal_nan=False)


def _bits(finding: Finding, quad: KeyArrays) -> Finding:
    """The finding, or that some bit differs though rounding would excuse it; −0 is not 0 here."""
    for a, b in quad.pairs:
        unlike = blockwise.first(a, b, _unlike if a.dtype.kind == "f" else np.not_equal)
        if unlike is not None:
            return replace(
                finding,
                status="different",
                rule="bits",
                index=quad.place(unlike),
                step=unlike + 1
                if finding.key in ("loss/curve", "inputs/batches")
                else finding.step,
                left=str(a.reshape(-1)[unlike]),
                right=str(b.reshape(-1)[unlike]),
            )
    # Of what was kept of a large array every bit may be equal where the whole is not.
    if not all(same for same, _ in quad.alike):
        return replace(finding, status="different", rule="bits")
    return finding


def _unlike(a: Array, b: Array) -> Array:
    unlike: Array = a.view(f"u{a.itemsize}") != b.view(f"u{b.itemsize}")
    return unlike


def _could_be(quad: KeyArrays, value: Numbers) -> bool:
    """Whether all four arrays are finite floating numbers of the shape that is stated."""
    shape = numbers(value).shape
    return quad.four and all(
        array.dtype.kind == "f" and array.shape == shape and bool(np.isfinite(array).all())
        for pair in quad.pairs
        for array in pair
    )


def _is_noise(quad: KeyArrays) -> bool:
    """Whether what each side has is its own error: another number in the other precision.

    Half of it at least: where rounding leaves 10⁻¹⁷ in float64 it leaves 10⁻⁹ in float32; what is
    really there differs between the two by its last digits only.
    """
    (left32, right32), (left64, right64) = quad.pairs
    return all(
        blockwise.apart(single, double) >= blockwise.largest(double) / 2
        for single, double in ((left32, left64), (right32, right64))
    )


def _structure(base: Finding, quad: KeyArrays) -> Finding | None:
    """Shapes must be equal everywhere; floating dtypes within a precision, kinds everywhere.

    Nothing is broadcast: ``(8, 1)`` against ``(8,)`` is a fault of its own, and their difference
    would be an array of 8 × 8. Widths of whole numbers are free: a framework's index type is no
    finding.
    """
    across = []
    if quad.four:
        (left32, right32), (left64, right64) = quad.pairs
        across = [(left32, left64), (right32, right64)]
    for a, b in (*quad.pairs, *across):
        if a.shape != b.shape:
            lengths = (len(np.atleast_1d(x)) for x in (a, b))
            step = min(lengths) + 1 if base.key == "loss/curve" else base.step
            return replace(base, status="shape", step=step, left=str(a.shape), right=str(b.shape))
        if (a.dtype.kind == "f") != (b.dtype.kind == "f"):
            return replace(base, status="dtype", left=str(a.dtype), right=str(b.dtype))
    for a, b in quad.pairs:
        if a.dtype.kind == "f" and a.dtype != b.dtype:
            return replace(base, status="dtype", left=str(a.dtype), right=str(b.dtype))
    return None


def _nonfinite(base: Finding, quad: KeyArrays, *, allowed: bool) -> Finding | None:
    if quad.alike_in_form and computed(quad, base.level):
        if quad.extent.finite:
            return None
    elif all(whole for _, whole in quad.alike):
        return None
    for a, b in quad.pairs:
        first = blockwise.first(a, b, _either_bad) if a.dtype.kind == "f" else None
        if first is not None and not (allowed and all(blockwise.over((a, b), _bad_alike))):
            index = quad.place(first)
            step = index[0] + 1 if base.key == "loss/curve" else base.step
            sides = tuple(
                side
                for side, array in (("left", a), ("right", b))
                if blockwise.first(array, array, _either_bad) is not None
            )
            return replace(
                base,
                status="nonfinite",
                index=index,
                step=step,
                sides=sides,
                left=str(a.reshape(-1)[first]),
                right=str(b.reshape(-1)[first]),
            )
    return None


def _either_bad(a: Array, b: Array) -> Array:
    bad: Array = ~(np.isfinite(a) & np.isfinite(b))
    return bad


def _bad_alike(part: list[Array]) -> bool:
    """Whether NaN and infinities stand in the same places."""
    a, b = (np.where(np.isfinite(x), 0, x) for x in part)
    return bool(np.array_equal(a, b, equal_nan=True))


def _facts(runs: Runs) -> dict[str, str]:
    return {k: v for r in runs.present for k, v in r.header.facts.items()}


def _fact_findings(left: Runs, right: Runs, question: Question) -> Iterable[Finding]:
    """Facts are compared exactly, in every precision; listed ones with what is listed."""
    for key in dict.fromkeys((*_facts(left), *_facts(right))):
        level = recording_keys.parse_key(key).level
        if question.levels and level not in question.levels:
            continue
        values = [[r.header.facts.get(key) for r in runs.present] for runs in (left, right)]
        shown = [", ".join(sorted({str(v) for v in some})) for some in values]
        wanted = str((question.expected or {}).get(key, ""))
        listed = next((k for k in question.known if k.key == key), None)
        absent = tuple(
            runs.title for runs, some in zip((left, right), values, strict=True) if None in some
        )
        off = tuple(
            runs.title
            for runs, some in zip((left, right), values, strict=True)
            if wanted and {*some} != {wanted}
        )
        status: Status = "identical"
        if absent:
            status = "extra" if absent == (left.title,) else "missing"
        elif listed is not None:
            lists = {"torch": str(listed.torch), "keras": str(listed.keras)}
            both = zip((left, right), values, strict=True)
            holds = all({*some} == {lists.get(runs.side)} for runs, some in both)
            status = "known" if holds else "stale"
        elif len({v for some in values for v in some}) != 1:
            status = "different"
        elif off:
            status = "wrong"
        yield Finding(
            key,
            level,
            status,
            rule="exact",
            left=shown[0],
            right=shown[1],
            sides=absent or off,
            expected=wanted,
        )
