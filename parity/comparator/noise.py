"""How far apart is too far: the measured-noise rule, one key at a time. Pure, NumPy only.

**The rule.** Each side is run in float32 and in float64. For one quantity, a32 and a64 on the left,
b32 and b64 on the right, scale s = max(|a64|, |b64|), the noise is what rounding alone does to it::

    ν = max(‖a32 − a64‖∞, ‖b32 − b64‖∞, 2⁻²⁴·s)

    same numbers    ‖a32 − b32‖∞ ≤ C·ν
    same equation   ‖a64 − b64‖∞ ≤ C·ν·2⁻²⁹        in float64 a difference must shrink as rounding
                                                   does; that of another equation does not

In a training, after the first step, rounding itself is amplified. There the yardstick is how far
each side moves from *itself* when its initial weights are nudged by one ulp, σ::

    same equation   ‖a64 − b64‖∞ ≤ C·max(σ, 2⁻⁵³·s·√t)       after t steps
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from parity.comparator.key_arrays import KeyArrays
from parity.core import blockwise
from parity.core.blockwise import finite
from parity.core.recording_keys import RecordingKey

Array = NDArray[Any]
Status = Literal[
    "identical",
    "rounding",
    "known",
    "different",
    "noisy",
    "missing",
    "extra",
    "shape",
    "dtype",
    "nonfinite",
    "wrong",
    "stale",
    "undecided",
]
AGREEING: frozenset[Status] = frozenset({"identical", "rounding", "known"})

U32, U64 = 2.0**-24, 2.0**-53

C = 32.0
"""The one constant: how many times the measured noise two correct programs may differ by.

Correct pairs of a convolution, batch normalisation and a dense layer reach 7.5, gradients included;
the largest of all committed reports is 22.8 (``binary_cnn``, a bias at step 20). An epsilon of
1.001e-3 for 1.000e-3 gives 10⁹, so a narrower bound would find nothing more.
"""
NOISY = 64.0
"""How many times noisier than the other a side may be.

The unit of rounding is 2¹³ times float32's in TF32 and 2¹⁶ times in bfloat16: either is seen with
room to spare. Two orders of one sum, of 1 to 400 terms, stay below it in 300 of 300 draws
(``test_two_orders_of_summation_never_cry_wolf``).
"""
FEW = 4
"""Fewer numbers than this can come out exact by chance.

One sum whose terms cancel early on one side and late on the other: in more than 100 of 200 draws
the late one is beyond 64 units of rounding where the early one is exact
(``test_a_number_that_is_exact_by_chance_makes_no_noise``).
"""
SMALL = 16
"""Arrays with fewer elements may agree with themselves by chance.

A nudge may leave an accuracy, or a bias of ten, just where it was; the other side's moves, and is
then infinitely more restless though nothing is wrong (``test_one_restless_side``).
"""
HORIZON = U32
"""A training whose nudged twin is this far from it, relative, is as uncertain in float64 as any
is in float32. From there on a kink of ReLU may be crossed by one run and not by the other.

A thousandth was tried first: float64 is then 10⁴ times less sure than float32 is, and a fault may
hide in that. All trainings of the committed reports stay within 2⁻²⁴ to their last step,
``cifar_mlp`` over 15,630.
"""
SHRINK = U64 / U32
"""2⁻²⁹: rounding becomes this much smaller in float64. What another epsilon, padding or reduction
makes stays as large as it was, which is what tells the two apart."""

# With one precision only there is nothing to measure noise with; these are the defaults of
# torch.testing.assert_close (rtol, atol), https://pytorch.org/docs/stable/testing.html
FALLBACK = {"float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}


@dataclass(frozen=True)
class Finding:
    """What was found for one key.

    Attributes:
        key: of the recordings.
        level: rung of the ladder.
        status: the verdict on this key.
        ratio: worst distance over its bound, at most 1 where the sides agree; None where there is
            no number to give.
        rule: which inequality was worst: ``numbers``, ``equation``, ``copied``, ``exact``,
            ``fallback``, ``noise``, ``restless``, ``sudden``, ``zero``, ``expected``,
            ``frozen``, ``bits``; or empty.
        distance32, distance64: ‖left − right‖∞ in each precision.
        noise: ν.
        own_left, own_right: ‖float32 − float64‖∞ of each side.
        sigma: how far a side moves from itself after the nudge.
        scale: s.
        step: the training step that the finding is about, where there is one.
        index: where the largest difference is.
        left, right: the values there, or the shapes, dtypes or facts that differ.
        guilty: it differs although everything it was computed from agrees.
        sides: the sides that lack the key, or are off the expected number, or are not finite.
        expected: the number that the catalogue states, where it states one.
    """

    key: str
    level: str
    status: Status
    ratio: float | None = None
    rule: str = ""
    distance32: float | None = None
    distance64: float | None = None
    noise: float | None = None
    own_left: float | None = None
    own_right: float | None = None
    sigma: float | None = None
    scale: float | None = None
    step: int | None = None
    index: tuple[int, ...] | None = None
    left: str = ""
    right: str = ""
    guilty: bool = False
    sides: tuple[str, ...] = ()
    expected: str = ""

    @property
    def agrees(self) -> bool:
        """Identical, rounding, or a listed difference that holds."""
        return self.status in AGREEING

    @property
    def rounded(self) -> bool:
        """It differs by the equation only: in float32 the numbers are the same."""
        equation = self.status == "different" and self.rule == "equation"
        return equation and (self.distance32 or 0.0) <= C * (self.noise or 0.0)

    @property
    def failing_step(self) -> int | None:
        """Where in the training the finding stands: the step at which it fails."""
        return None if self.agrees else self.step


def judge(
    base: Finding,
    parsed: RecordingKey,
    quad: KeyArrays,
    precisions: Sequence[str],
    *,
    kinks: bool = False,
) -> Finding:
    """Judge one key whose arrays have the same shape and kind.

    Args:
        base: the finding so far: key, level, step.
        parsed: the key, taken apart.
        quad: the arrays.
        precisions: those that both sides have.
        kinks: whether activations lie on another side of a kink in float32; a gradient that jumps,
            and a float32 run that departs, are no signs of a fault then.
    """
    if not (quad.four and computed(quad, parsed.level)):
        if all(same for same, _ in quad.alike):
            return base
        exact = quad.best[0].dtype.kind != "f" or parsed.level == "L0"
        return _copied(base, quad) if exact else fallback(base, quad, precisions[0])
    measured = _measure(base, quad)
    if quad.extent.same32 and quad.extent.same64:
        return replace(measured, status="identical", ratio=0.0)
    if parsed.level in ("L4", "L5"):
        return _drift(measured, quad, kinks=kinks)
    return _judged_once(measured, quad.best[0].size, guarded=not kinks)


def computed(quad: KeyArrays, level: str) -> bool:
    """Whether the arrays are floating numbers that were computed, and not copied or counted."""
    return quad.best[0].dtype.kind == "f" and level != "L0"


def judge_once(
    base: Finding,
    quad: KeyArrays,
    *,
    guarded: bool = True,
    exact: bool = True,
    unit: float = U32,
) -> Finding:
    """Judge a quantity that was computed once, before any training.

    Args:
        base: the finding so far.
        quad: finite arrays of equal shape, both sides in both precisions.
        guarded: whether one side's float32 being far noisier than the other's is a finding.
        exact: whether float64 was computed in float64 on both sides; where a framework computes
            in float32 whatever it is told, the equation cannot be tested, only the numbers.
        unit: of rounding, where both sides compute in less than float32.

    Where there are nudged runs, what the rounding of constants does may be the difference, too.
    """
    # Before the guards: two sides that give the same bits are not noisier than each other.
    if all(np.array_equal(a, b) for a, b in quad.pairs):
        return replace(_measure(base, quad), status="identical", ratio=0.0)
    measured = _measure(base, quad)
    if quad.left_nudged is not None or quad.right_nudged is not None:
        moved = (quad.extent.moved_left, quad.extent.moved_right)
        measured = replace(measured, sigma=max(m or 0.0 for m in moved))
    if unit > U32:
        least = unit * (measured.scale or 0.0)
        measured = replace(measured, noise=max(measured.noise or 0.0, least))
        guarded = exact = False
    return _judged_once(measured, quad.best[0].size, guarded=guarded, exact=exact)


def _judged_once(measured: Finding, size: int, *, guarded: bool, exact: bool = True) -> Finding:
    noise, sigma = measured.noise or 0.0, measured.sigma or 0.0
    judged = _worst(measured, noise, max(SHRINK * noise, sigma) if exact else noise)
    return _noise_guard(judged, size) if guarded else judged


def _copied(base: Finding, quad: KeyArrays) -> Finding:
    """Inputs and initial weights are copied, not computed: they are identical or they differ.

    A last bit that is off was read from another file or went through another precision; by the
    noise rule it would pass, and be blamed on whatever amplifies it first.
    """
    for a, b in reversed(quad.pairs):
        unequal = blockwise.first(a, b, np.not_equal)
        if unequal is not None:
            floats = a.dtype.kind == "f"
            peak, distance = blockwise.peak(a, b)
            at = peak if floats else unequal
            index = quad.place(at)
            step = index[0] + 1 if base.key == "inputs/batches" else base.step
            rule = "copied" if floats else "exact"
            return replace(
                base,
                status="different",
                rule=rule,
                index=index,
                step=step,
                distance64=distance,
                scale=_scale(a, b),
                left=str(a.reshape(-1)[at]),
                right=str(b.reshape(-1)[at]),
            )
    # What was kept is equal, and the digests of all elements are not.
    return replace(base, status="different", rule="copied", distance64=0.0, scale=_scale(a, b))


def fallback(base: Finding, quad: KeyArrays, precision: str) -> Finding:
    """Judge by torch.testing's tolerance: with one precision there is no noise to measure."""
    rtol, atol = FALLBACK[precision]
    ratio, most, at, begin = 0.0, 0.0, 0, 0
    for part in blockwise.over(quad.best, list):
        a, b = (finite(x) for x in part)  # infinities that are meant are equal by now
        apart = np.abs(a - b)
        place = int(np.argmax(apart))
        if apart[place] > most:
            most, at = float(apart[place]), begin + place
        ratio = max(ratio, float(np.max(apart / (atol + rtol * np.abs(b)))))
        begin += blockwise.BLOCK
    return replace(
        base,
        status="rounding" if ratio <= 1 else "different",
        ratio=ratio,
        rule="fallback",
        distance32=most,
        **_shown(quad, at),
    )


def _measure(base: Finding, quad: KeyArrays) -> Finding:
    extent = quad.extent
    scale = max(extent.size_left, extent.size_right)
    return replace(
        base,
        status="rounding",
        distance32=extent.distance32,
        distance64=extent.distance64,
        own_left=extent.own_left,
        own_right=extent.own_right,
        # One unit at least: where float32 happens to be exact, as of powers of two, the measured
        # noise is zero, and the other side's honest last bit would be a fault.
        noise=max(extent.own_left, extent.own_right, U32 * scale),
        scale=scale,
        **_shown(quad, extent.peak),
    )


def _worst(finding: Finding, unit32: float, unit64: float) -> Finding:
    # Both inequalities must hold. float64 alone would not see a fault that only float32 has (a
    # fused kernel); float32 alone passes every epsilon that is small beside its own rounding.
    ratio32 = _over(finding.distance32 or 0.0, C * unit32)
    ratio64 = _over(finding.distance64 or 0.0, C * unit64)
    ratio, rule = max((ratio64, "equation"), (ratio32, "numbers"))
    return replace(
        finding, ratio=ratio, rule=rule, status="rounding" if ratio <= 1 else "different"
    )


def _noise_guard(finding: Finding, size: int) -> Finding:
    """One side's float32 much further from its own float64 than the other's: a fault, or its veil.

    Products in bfloat16 leave float64 as it is, and widen ν until they pass by it: planted in
    either side's perceptron, they are found here and nowhere else (``bfloat16_products``). Only up
    to the first step: later, rounding is amplified at a moment that differs by chance.
    """
    low, high = sorted((finding.own_left or 0.0, finding.own_right or 0.0))
    # Of a few numbers one side can be exact by chance; then only a coarse unit of rounding tells:
    # 64² units are 2⁻¹², under the 2⁻¹¹ of TF32 and above what cancelling was seen to leave.
    floor = (NOISY if size >= FEW else NOISY**2) * U32 * (finding.scale or 0.0)
    if finding.status == "rounding" and high > NOISY * low and high >= floor > 0:
        return replace(finding, status="noisy", rule="noise", ratio=high / max(NOISY * low, floor))
    return finding


def _drift(finding: Finding, quad: KeyArrays, *, kinks: bool) -> Finding:
    """A quantity of a long training: the bound is what a nudge of one ulp does to it."""
    curve = finding.key == "loss/curve"
    finding, own, ratio64 = (_curve_drift if curve else _array_drift)(finding, quad)
    # float32 has no yardstick but itself here, and seldom fails; it does where the nudged run says
    # nothing, a stale one, say (`test_same_numbers_is_a_rule_of_its_own`).
    ratio32 = _over(finding.distance32 or 0.0, C * (finding.noise or 0.0))
    ratio, rule = max((ratio64, "equation"), (ratio32, "numbers"))
    status: Status = "rounding" if ratio <= 1 else "different"
    finding = replace(finding, ratio=ratio, rule=rule, status=status)
    finding = _restless_guard(finding, own, quad.best[0].size)
    # Of the loss every step is recorded; of weights and predictions a few, between which anything
    # may grow.
    return _sudden_guard(finding, quad) if curve and not kinks else finding


def _array_drift(
    finding: Finding, quad: KeyArrays
) -> tuple[Finding, Sequence[Array | float], float]:
    """Of one step's array: the finding with σ, how far each side moved, distance over bound."""
    own = [m for m in (quad.extent.moved_left, quad.extent.moved_right) if m is not None]
    sigma = max(own, default=0.0)
    # Rounding enters anew at every step and adds up as a random walk does, hence √t; the nudge
    # enters once, and alone would allow a long training no rounding of its own.
    entered = U64 * (finding.scale or 0.0) * math.sqrt(max(finding.step or 1, 1))
    ratio = _over(finding.distance64 or 0.0, C * max(sigma, entered))
    return replace(finding, sigma=sigma), own, ratio


def _curve_drift(
    finding: Finding, quad: KeyArrays
) -> tuple[Finding, Sequence[Array | float], float]:
    """The same of the loss at every step; the finding is about the step that is worst."""
    l64, r64 = finite(quad.left64), finite(quad.right64)
    own = [
        np.abs(finite(nudged) - x)
        for nudged, x in ((quad.left_nudged, l64), (quad.right_nudged, r64))
        if nudged is not None and nudged.shape == x.shape
    ]
    # The nudge's effect on a single loss crosses zero by chance; its running maximum does not.
    sigma = np.maximum.accumulate(np.max(np.array(own), axis=0)) if own else np.zeros(len(l64))
    entered = U64 * (finding.scale or 0.0) * np.sqrt(np.arange(1, len(l64) + 1))
    bound = C * np.maximum(sigma, entered)
    ratios = np.abs(l64 - r64) / np.where(bound > 0, bound, np.finfo(float).tiny)
    late = np.flatnonzero(ratios > 1)
    # What is reported is the first step that fails, or the one nearest to failing.
    at = int(late[0]) if len(late) else int(np.argmax(ratios))
    finding = replace(
        finding,
        sigma=float(np.max(sigma, initial=0.0)),
        step=at + 1,
        index=(at,),
        left=str(l64[at]),
        right=str(r64[at]),
        distance64=float(np.abs(l64[at] - r64[at])),
    )
    return finding, own, float(ratios[at])


def _sudden_guard(finding: Finding, quad: KeyArrays) -> Finding:
    """float32 leaves float64 all at once on one side: from that step on something else is computed.

    Rounding is amplified step by step. A lower precision or another rate that sets in at some
    step makes one side's distance of float32 from float64 jump, and leaves the other's where it
    was. Adam's first steps amplify too, up to 70 times in one step behind batch normalisation,
    because they go by the sign of gradients that may be nothing but rounding; but they do so on
    both sides, each at its own moment. Planted from step 8 on, in the float32 run alone: bfloat16,
    and a rate of 0.9e-3 for 1e-3. By then ν has grown so large that no bound sees either.
    """
    if finding.status != "rounding":
        return finding
    sides = ((quad.left32, quad.left64), (quad.right32, quad.right64))
    unit = U32 * (finding.scale or 0.0)
    departures = [_departure(np.abs(finite(s) - finite(d)), unit) for s, d in sides]
    jumps, aparts = zip(*departures, strict=True)
    low, high = np.minimum(*jumps), np.maximum(*jumps)
    # Where both jump it is the data, and where the other has come as far the optimizer; then
    # neither is alone.
    alone = (low < NOISY / 4) & (np.maximum(*aparts) > NOISY * np.minimum(*aparts))
    late = np.flatnonzero((high > NOISY) & alone)
    if not len(late):
        return finding
    at = int(late[0]) + 1
    own = [float(abs(finite(s)[at] - finite(d)[at])) for s, d in sides]
    return replace(
        finding,
        status="noisy",
        rule="sudden",
        step=at + 1,
        index=(at,),
        ratio=float(high[at - 1] / NOISY),
        own_left=own[0],
        own_right=own[1],
    )


def _departure(apart: Array, unit: float) -> tuple[Array, Array]:
    """How float32 leaves float64, from the second step on.

    Args:
        apart: its distance at every step.
        unit: float32's rounding of the curve's scale.

    Returns:
        How many times further it is than it ever was, 0 where that was far already; and how far it
        has been.
    """
    # A loss that float32 has right by chance has no distance to grow from; four units stand for it.
    so_far = np.maximum(np.maximum.accumulate(apart), max(4 * unit, np.finfo(float).tiny))
    before = so_far[:-1]
    # Further away rounding has been amplified already, and honest sides leap, too.
    jumps = np.where(before <= NOISY * unit, apart[1:] / before, 0.0)
    return jumps, so_far[1:]


def _restless_guard(finding: Finding, own: Sequence[Array | float], size: int) -> Finding:
    """One side moves much further from itself than the other: it is not the same program twice.

    A side that is not deterministic would otherwise widen its own bound. Small arrays are left
    out: a single number can stay still by chance. The limit is NOISY², because in a training that
    amplifies quickly two honest sides, nudged, are a hundred times apart within a few steps.
    Planted: noise from no seed, in one side only, is named at step 2 (``unseeded_noise``).
    """
    if len(own) < 2 or size < SMALL or finding.status != "rounding":
        return finding
    moved: list[Any] = [np.maximum.accumulate(o) if finding.key == "loss/curve" else o for o in own]
    steps = np.arange(1, size + 1) if finding.key == "loss/curve" else finding.step or 1
    low, high = np.minimum(*moved), np.maximum(*moved)
    floor = U64 * (finding.scale or 0.0) * np.sqrt(steps)
    limit = NOISY**2 * np.maximum(low, floor)
    ratios = np.atleast_1d(high / np.maximum(limit, np.finfo(float).tiny))
    late = np.flatnonzero(ratios > 1)
    if not len(late):
        return finding
    at = int(late[0])
    step = at + 1 if finding.key == "loss/curve" else finding.step
    left, right = (float(np.atleast_1d(m)[at]) for m in moved)
    return replace(
        finding,
        status="noisy",
        rule="restless",
        step=step,
        own_left=left,
        own_right=right,
        ratio=float(np.max(ratios)),
    )


def _scale(a: Array, b: Array) -> float:
    sizes = [[np.max(np.abs(part[0])) for part in blockwise.over((x,), list)] for x in (a, b)]
    return float(max(np.max(some, initial=0.0) for some in sizes))


def _shown(quad: KeyArrays, flat: int) -> dict[str, Any]:
    """Where an element of the best pair stands, and what it is on both sides."""
    left, right = (
        str(finite(a.reshape(-1)[flat : flat + 1])[0]) if a.size else "" for a in quad.best
    )
    return {"index": quad.place(flat), "left": left, "right": right}


def _over(distance: float, bound: float) -> float:
    # Finite over a bound of zero, so that findings can still be ranked and written as JSON.
    if distance == 0:
        return 0.0
    return distance / bound if bound > 0 else float(np.finfo(np.float64).max)
