"""Two sides' recordings → findings, one a key, in causal order.

Pure, and without words: `shared.noise` has the rule, `shared.explain` the words.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from shared import causality, names
from shared.errors import RecordingError
from shared.expected import is_zero, matches, numbers, stated
from shared.noise import (
    HORIZON,
    NOISY,
    SHRINK,
    U32,
    U64,
    Array,
    C,
    Finding,
    Quad,
    Status,
    finite,
    judge,
    short,
    worst,
)
from shared.recording import Runs
from shared.spec import Known, Numbers


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
    """

    levels: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    known: tuple[Known, ...] = ()
    expected: Mapping[str, Numbers] | None = None
    nonfinite: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()


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
    horizon, last = _horizon(left, right)
    asker = _Asker(left, right, question, precisions, horizon, last)
    findings = [asker.finding(key) for key in _keys(left, right, question)]
    findings += _fact_findings(left, right, question)
    ordered = sorted(findings, key=lambda f: causality.order(names.parse(f.key), f.failing_step))
    # What could not be decided is the cause of nothing, unless there is nothing else.
    decided = [f for f in ordered if not f.agrees and f.status != "undecided"]
    blamed = decided or [f for f in ordered if not f.agrees]
    failing = {f.key: f.failing_step for f in blamed}
    guilty = causality.guilty(failing, [f.key for f in ordered], question.layers)
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
    return [k for k in chosen if not question.levels or names.parse(k).level in question.levels]


@dataclass(frozen=True)
class _Asker:
    """What every key is asked, with the context that the answers need."""

    left: Runs
    right: Runs
    question: Question
    precisions: tuple[str, ...]
    horizon: int | None
    last_step: int | None
    flips: dict[str, int] = field(default_factory=dict)

    def finding(self, key: str) -> Finding:
        parsed = names.parse(key)
        at_end = parsed.level in ("L4", "L5") and parsed.step is None
        step = self.last_step if at_end else parsed.step
        base = Finding(key, parsed.level, "identical", step=step)
        quad = Quad.read(key, self.left, self.right)
        absent = self._absent(key)
        if absent:
            status: Status = "extra" if absent == (self.left.title,) else "missing"
            return replace(base, status=status, sides=absent)
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
        finding = self._zero(self._kinked(judge(base, parsed, quad, self.precisions)), quad)
        finding = self._expected(self._derived(finding, quad), quad)
        beyond = self.horizon is not None and (finding.step or 0) > self.horizon
        if parsed.level in ("L4", "L5") and beyond and finding.status in ("different", "rounding"):
            return replace(finding, status="undecided")
        return finding

    def _moved(self, key: names.Key) -> tuple[str, ...]:
        """Sides on which a frozen parameter is no longer, bit for bit, what it was."""
        before = f"weights/initial/{key.rest}"
        return tuple(
            runs.title
            for runs in (self.left, self.right)
            if any(not np.array_equal(r[key.text], r[before])
                   for r in runs.present if before in r)
        )  # fmt: skip

    def _kinked(self, finding: Finding) -> Finding:
        """A gradient jumps where rounding has carried one activation across a kink.

        ReLU's slope at +1e-9 and at −1e-9 is another, and so is the element that max pooling
        takes from two that are equal but for rounding. With a million activations a flip between
        float32 and float64 is no rarity, on one side and not on the other. What comes before, every
        output, is continuous and stays under guard: a lower precision shows there.
        """
        if finding.rule != "noise" or finding.status != "noisy" or finding.level == "L1":
            return finding
        loud = self.left if (finding.own_left or 0) > (finding.own_right or 0) else self.right
        if loud.title not in self.flips:
            self.flips[loud.title] = flipped(loud)
        if not self.flips[loud.title]:
            return finding
        noise = finding.noise or 0.0
        return replace(worst(finding, noise, SHRINK * noise), rule="kink")

    def _zero(self, finding: Finding, quad: Quad) -> Finding:
        """A tensor whose true value is zero may differ by what is left of the terms that cancel.

        Its own scale says nothing then; that of its siblings does: it is zero to rounding when
        it is within rounding of *their* scale, on both sides and in both precisions.
        """
        if finding.rule not in ("numbers", "equation", "noise") or not quad.four:
            return finding
        if finding.agrees or finding.level not in ("L1", "L2", "L3", names.VALUES):
            return finding
        ratio = self._share_of_siblings(finding.key, quad)
        if ratio > 1 or not _is_noise(quad):
            return finding
        return replace(finding, status="rounding", rule="zero", ratio=ratio)

    def _derived(self, finding: Finding, quad: Quad) -> Finding:
        """A loss over the test set cannot be more restless than the predictions it comes from.

        A single number has no guard of its own, because it can stay still by chance; but what is
        computed anew or at random in every evaluation would widen its bound without limit.
        """
        known = finding.key.startswith("metrics/") and finding.key.endswith("loss")
        if not known or finding.status != "rounding" or not finding.sigma or not finding.scale:
            return finding
        source = Quad.read("predictions/test", self.left, self.right)
        pairs = ((source.left64, source.left_nudged), (source.right64, source.right_nudged))
        moved = [
            float(np.max(np.abs(finite(a) - finite(b)), initial=0.0))
            for a, b in pairs
            if a is not None and b is not None and a.shape == b.shape
        ]
        if not moved:
            return finding
        allowed = max([*moved, U64 * math.sqrt(finding.step or 1)]) * NOISY**2
        if finding.sigma <= allowed * max(finding.scale, 1.0):
            return finding
        own = [
            0.0 if a is None or b is None else float(np.max(np.abs(finite(a) - finite(b))))
            for a, b in ((quad.left64, quad.left_nudged), (quad.right64, quad.right_nudged))
        ]
        return replace(finding, status="noisy", rule="restless", own_left=own[0],
                       own_right=own[1],
                       ratio=finding.sigma / (allowed * max(finding.scale, 1.0)))  # fmt: skip

    def _share_of_siblings(self, key: str, quad: Quad) -> float:
        """Size over what rounding leaves of its siblings' largest element; the worse precision."""
        group = key.rsplit("/", 1)[0] if key.startswith(names.VALUES) else key.split("/", 2)[:2]
        prefix = group if isinstance(group, str) else "/".join(group)
        siblings = max(
            (
                float(np.max(np.abs(finite(array)), initial=0.0))
                for runs in (self.left, self.right)
                for other in runs.present[-1].arrays
                if other != key and other.startswith(f"{prefix}/")
                for array in (runs.present[-1][other],)
            ),
            default=0.0,
        )
        if siblings == 0:
            return np.inf
        sizes = [
            max(float(np.max(np.abs(finite(a)), initial=0.0)) for a in pair) / unit
            for pair, unit in zip(quad.pairs, (U32, U64), strict=True)
        ]
        return max(sizes) / (C * siblings)

    def _absent(self, key: str) -> tuple[str, ...]:
        """Sides that lack the key in any precision; an empty array says nothing either."""
        return tuple(
            runs.title
            for runs in (self.left, self.right)
            if any(key not in r or r[key].size == 0 for r in runs.present)
        )

    def _sides(self, quad: Quad) -> tuple[tuple[str, tuple[Array, ...]], ...]:
        both = ((self.left, quad.left32, quad.left64), (self.right, quad.right32, quad.right64))
        return tuple((r.title, tuple(a for a in some if a is not None)) for r, *some in both)

    def _known(self, base: Finding, quad: Quad, listed: Known) -> Finding:
        """A listed difference, strict both ways: each side gives just what is listed."""
        values = {"torch": listed.torch, "keras": listed.keras}
        both = zip((self.left, self.right), self._sides(quad), strict=True)
        holds = all(
            runs.side in values and matches(array, values[runs.side])
            for runs, (_, arrays) in both
            for array in arrays
        )
        a, b = quad.best
        return replace(base, status="known" if holds else "stale", left=short(a), right=short(b))

    def _expected(self, finding: Finding, quad: Quad) -> Finding:
        """The third witness: a number from outside, which also tells which side is wrong."""
        value = (self.question.expected or {}).get(finding.key)
        if value is None:
            return finding
        off = tuple(
            title
            for title, arrays in self._sides(quad)
            if not all(matches(a, value) for a in arrays)
        )
        if off and is_zero(value) and _could_be(quad, value):
            off = off if self._share_of_siblings(finding.key, quad) > 1 else ()
        if not off or not finding.agrees:
            return replace(finding, sides=off, expected=stated(value))
        a, b = quad.best
        return replace(finding, status="wrong", rule="expected", sides=off,
                       expected=stated(value), left=short(a), right=short(b))  # fmt: skip


def flipped(runs: Runs) -> int:
    """How many activations of the first batch lie on another side of a kink in float32.

    Counted where an output is exactly 0 in one precision and not in the other, as behind ReLU,
    and where the largest of a window of ``(batch, h, w, channel)`` is another element and another
    layer's output is just the largest of every window: max pooling.
    """
    if runs.float32 is None or runs.float64 is None:
        return 0
    keys = [k for k in runs.float64.keys() if k.startswith("activations/step0/")]  # noqa: SIM118
    both = [(runs.float32[k], runs.float64[k]) for k in keys if k in runs.float32]
    flips = sum(int(np.sum((a == 0) != (b == 0))) for a, b in both if a.shape == b.shape)
    images = [(a, b) for a, b in both if a.shape == b.shape and b.ndim == 4]
    for (a, b), (_, pooled) in itertools.permutations(images, 2):
        if pooled.shape[1] < b.shape[1] and pooled.shape[::3] == b.shape[::3]:
            size = b.shape[1] // pooled.shape[1]
            one, other = _windows(a, size), _windows(b, size)
            if np.array_equal(other.max(axis=-1), pooled):
                flips += int(np.sum(one.argmax(axis=-1) != other.argmax(axis=-1)))
    return flips


def _windows(images: Array, size: int) -> Array:
    """``(batch, h, w, channel, size²)``: each window's elements; what is left over is dropped."""
    n, h, w, c = images.shape
    rows, columns = h // size, w // size
    cut = images[:, : rows * size, : columns * size]
    apart = cut.reshape(n, rows, size, columns, size, c).transpose(0, 1, 3, 5, 2, 4)
    return apart.reshape(n, rows, columns, c, -1)


def _could_be(quad: Quad, value: Numbers) -> bool:
    """Whether all four arrays are finite floating numbers of the shape that is stated."""
    shape = numbers(value).shape
    return quad.four and all(
        array.dtype.kind == "f" and array.shape == shape and bool(np.isfinite(array).all())
        for pair in quad.pairs
        for array in pair
    )


def _is_noise(quad: Quad) -> bool:
    """Whether what each side has is its own error: another number in the other precision."""
    (left32, right32), (left64, right64) = quad.pairs
    return all(
        bool(np.max(np.abs(finite(single) - finite(double)), initial=0.0)
             >= np.max(np.abs(finite(double)), initial=0.0) / 2)
        for single, double in ((left32, left64), (right32, right64))
    )  # fmt: skip


def _structure(base: Finding, quad: Quad) -> Finding | None:
    """Shapes must be equal everywhere; floating dtypes within a precision, kinds everywhere."""
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


def _nonfinite(base: Finding, quad: Quad, *, allowed: bool) -> Finding | None:
    for a, b in quad.pairs:
        if a.dtype.kind != "f":
            continue
        bad_a, bad_b = ~np.isfinite(a), ~np.isfinite(b)
        same = np.array_equal(np.where(bad_a, a, 0), np.where(bad_b, b, 0), equal_nan=True)
        if (bad_a.any() or bad_b.any()) and not (allowed and same):
            index = tuple(int(i) for i in np.argwhere(bad_a | bad_b)[0])
            step = index[0] + 1 if base.key == "loss/curve" else base.step
            sides = tuple(side for side, bad in zip(("left", "right"), (bad_a, bad_b), strict=True)
                          if bad.any())  # fmt: skip
            return replace(base, status="nonfinite", index=index, step=step, sides=sides,
                           left=str(a[index]), right=str(b[index]))  # fmt: skip
    return None


def _facts(runs: Runs) -> dict[str, str]:
    return {k: v for r in runs.present for k, v in r.header.facts.items()}


def _fact_findings(left: Runs, right: Runs, question: Question) -> Iterable[Finding]:
    """Facts are compared exactly, in every precision; listed ones with what is listed."""
    for key in dict.fromkeys((*_facts(left), *_facts(right))):
        level = names.parse(key).level
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
        yield Finding(key, level, status, rule="exact", left=shown[0], right=shown[1],
                      sides=absent or off, expected=wanted)  # fmt: skip


def _horizon(left: Runs, right: Runs) -> tuple[int | None, int | None]:
    """Last step at which both nudged runs are within `HORIZON` of their originals.

    All weights of a step are taken together: one whose true gradient is zero has nothing but
    noise to move by, and no scale of its own.
    """
    steps = [_steps(runs) for runs in (left, right)]
    last = max((max(some, default=0) for some in steps), default=0) or None
    if last is None or not (left.nudged or right.nudged):
        return None, last
    departed = [
        step for some in steps for step, (moved, scale) in some.items() if moved > HORIZON * scale
    ]
    return (min(departed) - 1 if departed else last), last


def _steps(runs: Runs) -> dict[int, tuple[float, float]]:
    """Step → (how far the nudged run is from its original, scale), of weights and losses."""
    if runs.float64 is None:
        return {}
    curve = runs.float64["loss/curve"] if "loss/curve" in runs.float64 else np.zeros(0)
    curve = curve if curve.ndim == 1 else np.zeros(0)  # another shape is a finding of its own
    far = np.zeros(len(curve))
    if runs.nudged is not None and "loss/curve" in runs.nudged:
        nudged = runs.nudged["loss/curve"]
        far = np.abs(finite(nudged) - finite(curve)) if nudged.shape == curve.shape else far
    scale = float(np.max(np.abs(finite(curve)), initial=0.0))
    found = {step: (float(moved), scale) for step, moved in enumerate(far, 1)}
    weights: dict[int, tuple[float, float]] = {}
    for key in runs.float64.keys():  # noqa: SIM118
        parsed = names.parse(key)
        if parsed.stage != "weights" or not parsed.step:
            continue
        here = runs.float64[key]
        distance = 0.0
        if runs.nudged is not None and key in runs.nudged:
            nudged = runs.nudged[key]
            if nudged.shape == here.shape:
                distance = float(np.max(np.abs(finite(nudged) - finite(here)), initial=0.0))
        size = float(np.max(np.abs(finite(here)), initial=0.0))
        before = weights.get(parsed.step, (0.0, 0.0))
        weights[parsed.step] = (max(before[0], distance), max(before[1], size))
    for step, (distance, size) in weights.items():
        # The one of the two that has gone further, each on its own scale.
        loss = found.get(step, (0.0, 0.0))
        further = distance * loss[1] > loss[0] * size or not loss[1]
        found[step] = (distance, size) if further else loss
    return found
