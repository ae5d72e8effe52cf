"""`parity.comparator.noise`: the rule, its boundary, its guards, and what it must never do."""

import math

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from parity.comparator import noise
from parity.comparator.key_arrays import KeyArrays
from parity.comparator.noise import Finding
from parity.core import text
from parity.verdict import wording

L1, L2, L3 = "activations/step0/a", "gradients/step0/a/kernel", "weights/step1/a/kernel"
FINAL, CURVE, TEST = "weights/final/a/kernel", "loss/curve", "predictions/test"
VALUE = "values/case/x"
SEEDS = st.integers(0, 2**32 - 1)


def base(*small: float) -> np.ndarray:
    """1, so that the scale is 1 exactly, then what is looked at."""
    return np.array([1.0, *small])


def f32(array: np.ndarray) -> np.ndarray:
    return np.asarray(array).astype(np.float32)


def honest(
    seed: int, shape: tuple[int, ...] = (6, 7), scale: float = 1.0
) -> tuple[np.ndarray, ...]:
    """Both sides in both precisions, a few units of rounding from the same numbers."""
    random = np.random.default_rng(seed)
    true = scale * random.normal(size=shape)

    def side() -> tuple[np.ndarray, np.ndarray]:
        low, high = random.uniform(-3, 3, (2, *shape))
        return f32(true * (1 + low * 2.0**-24)), true * (1 + high * 2.0**-53)

    return (*side(), *side())


def swapped(arrays: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    return (*arrays[2:4], *arrays[:2], *arrays[:3:-1])


# --- Identical, copied, exact ---------------------------------------------------------------------


@pytest.mark.parametrize("key", [L1, L2, L3, FINAL, TEST, VALUE])
def test_the_same_numbers_are_identical(judge, key: str) -> None:
    l32, l64, *_ = honest(1)
    found = judge(key, l32, l64, l32.copy(), l64.copy())
    assert (found.status, found.ratio, found.agrees) == ("identical", 0.0, True)
    assert found.distance32 == found.distance64 == 0


def test_identical_takes_both_precisions(judge) -> None:
    l32, l64, r32, _ = honest(1)
    assert judge(L1, l32, l64, r32, l64).status == "rounding"
    assert judge(L1, l32, l64, l32, r32.astype(np.float64)).status == "different"


def test_nan_that_is_meant_is_identical(judge) -> None:
    array = np.array([np.nan, np.inf, 1.0])
    found = judge(VALUE, f32(array), array, f32(array), array)
    assert (found.status, found.ratio) == ("identical", 0.0)


@pytest.mark.parametrize("key", ["inputs/images", "weights/initial/a/kernel"])
def test_what_is_copied_may_not_even_round(judge, key: str) -> None:
    l64 = base(0.125, 0.5)
    r64 = np.nextafter(l64, [1, 1, 0])
    found = judge(key, f32(l64), l64, f32(l64), r64)
    assert (found.status, found.rule, found.agrees) == ("different", "copied", False)
    assert found.index == (2,)
    assert (found.left, found.right) == ("0.5", str(r64[2]))
    assert found.distance64 == 2.0**-54
    assert judge(key, f32(l64), l64, f32(l64), l64).status == "identical"
    assert judge(key, f32(r64 + 1), l64, f32(l64), l64).status == "different"


def test_whole_numbers_are_exact_on_every_rung(judge) -> None:
    left, right = np.array([3, 4, 5]), np.array([3, 9, 4])
    found = judge(TEST, left, left, right, right)
    assert (found.status, found.rule, found.index) == ("different", "exact", (1,))
    assert (found.left, found.right) == ("4", "9")
    assert judge(TEST, left, left, left, left).status == "identical"
    flags = np.array([True, False])
    assert judge(VALUE, flags, flags, ~flags, ~flags).status == "different"


def test_batches_name_the_step_that_was_fed_otherwise(judge) -> None:
    left = np.arange(9, dtype=np.uint32)
    right = left.copy()
    right[4:] += 1
    assert judge("inputs/batches", left, left, right, right, step=None).step == 5
    assert judge("inputs/labels", left, left, right, right, step=None).step is None


# --- The boundary ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("distance", "status", "ratio"),
    [
        (2.0**-48, "rounding", 1.0),  # 32 · 2⁻²⁴ · 2⁻²⁹
        (2.0**-48 + 2.0**-53, "different", 1 + 2.0**-5),
        (2.0**-48 - 2.0**-53, "rounding", 1 - 2.0**-5),
        (2.0**-30, "different", 2.0**18),
    ],
)
@pytest.mark.parametrize("key", [L1, L2, L3, VALUE])
def test_the_same_equation(judge, key: str, distance: float, status: str, ratio: float) -> None:
    l64 = base(0.5)
    found = judge(key, f32(l64), l64, f32(l64), base(0.5 + distance))
    assert (found.status, found.rule) == (status, "equation")
    assert found.ratio == pytest.approx(ratio, rel=1e-9)
    assert found.scale == 1
    assert found.distance64 == distance
    assert found.index == (1,)
    assert (found.left, found.right) == ("0.5", str(0.5 + distance))


def test_measured_noise_widens_the_bound(judge) -> None:
    l64, r64 = base(0.5), base(0.5 + 2.0**-40)
    quiet = judge(L2, f32(l64), l64, f32(l64), r64)
    loud = judge(L2, f32(base(0.5 + 2.0**-14)), l64, f32(base(0.5 + 2.0**-14)), r64)
    assert quiet.status == "different"
    assert loud.status == "rounding"
    assert loud.noise == loud.own_left == 2.0**-14
    assert loud.ratio == pytest.approx(2.0**-40 / (32 * 2.0**-43), rel=1e-6)


@pytest.mark.parametrize("loud_side", [0, 1])
def test_the_noisier_side_sets_the_noise(judge, loud_side: int) -> None:
    l64 = base(0.5)
    lows = [f32(base(0.5 + 2.0**-20)), f32(base(0.5 + 2.0**-21))]
    found = judge(L2, lows[loud_side], l64, lows[1 - loud_side], l64)
    owns = (found.own_left, found.own_right)
    assert found.noise == 2.0**-20 == owns[loud_side]
    assert owns[1 - loud_side] == 2.0**-21


def test_same_numbers_is_a_rule_of_its_own(judge) -> None:
    """A nudged run that says nothing, a stale one, say, cannot hide float32 that parts."""
    l64, r64 = base(*[0.5] * 20), base(*[0.5 + 2.0**-10] * 20)
    wild = l64 + 2.0**-8
    found = judge(FINAL, f32(l64), l64, f32(r64), r64, wild, r64 + 2.0**-8, step=9)
    assert (found.status, found.rule) == ("different", "numbers")
    assert found.ratio == pytest.approx(2.0**-10 / (32 * 2.0**-24))
    assert found.distance32 == 2.0**-10


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("key", [L1, L2, L3, FINAL, TEST, VALUE])
def test_an_epsilon_in_float64_is_caught_at_every_scale(judge, key: str, scale: float) -> None:
    l32, l64, _, r64 = honest(3, scale=scale)
    wrong = r64 * (1 + 1e-6)
    found = judge(key, l32, l64, f32(wrong), wrong, step=5)
    assert (found.status, found.rule, found.agrees) == ("different", "equation", False)
    assert found.ratio > 1e6


@pytest.mark.parametrize("eps", [1.001e-3, 1.0000001e-3])
def test_another_epsilon_of_a_batch_norm_is_caught(judge, eps: float) -> None:
    x = np.random.default_rng(5).normal(size=(32, 8))

    def normed(array: np.ndarray, eps: float) -> np.ndarray:
        one = array.dtype.type
        return (array - array.mean(0)) / np.sqrt(array.var(0) + one(eps))

    good = judge(L1, normed(f32(x), 1e-3), normed(x, 1e-3), normed(f32(x), 1e-3), normed(x, 1e-3))
    bad = judge(L1, normed(f32(x), 1e-3), normed(x, 1e-3), normed(f32(x), eps), normed(x, eps))
    assert good.agrees
    assert bad.status == "different"


# --- What must never be called different ----------------------------------------------------------


@hypothesis.given(SEEDS, st.sampled_from([L1, L2, L3, VALUE]), st.floats(1e-9, 1e9))
def test_rounding_is_rounding(judge, seed: int, key: str, scale: float) -> None:
    found = judge(key, *honest(seed, scale=scale))
    assert found.status == "rounding"
    assert found.ratio < 1


def test_true_zero_gradients_pass(judge) -> None:
    random = np.random.default_rng(0)
    for seed in range(200):
        size = 1 + seed % 40
        l32, r32 = (f32(1e-9 * random.normal(size=size)) for _ in "lr")
        l64, r64 = (1e-18 * random.normal(size=size) for _ in "lr")
        if size >= 16:
            assert judge(L2, l32, l64, r32, r64).agrees
        assert judge(L2, l32, l64, l32, r64).agrees
    zero = np.zeros(5)
    assert judge(L2, f32(zero + 1e-9), zero, f32(zero), zero).agrees


def orders(x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One product, summed forwards one by one, and summed as BLAS likes."""
    total = np.zeros((len(x), w.shape[1]), x.dtype)
    for k in range(x.shape[1]):
        total = total + x[:, k, None] * w[k]
    return total, x @ w


def test_two_orders_of_summation_never_cry_wolf(judge, record_property) -> None:
    worst = 0.0
    for seed in range(300):
        random = np.random.default_rng(seed)
        rows, inner, columns = random.integers([2, 1, 8], [30, 400, 30])
        x = f32(random.normal(size=(rows, inner)) * 10.0 ** random.uniform(-6, 6))
        w = f32(random.normal(size=(inner, columns)) * 10.0 ** random.uniform(-3, 3))
        if seed % 3 == 0:
            x = np.abs(x)
        left32, right32 = orders(x, w)
        left64, right64 = orders(x.astype(np.float64), w.astype(np.float64))
        found = judge(L1, left32, left64, right32, right64)
        assert found.agrees, (seed, found)
        worst = max(worst, found.ratio)
    record_property("worst_ratio", worst)
    print(f"worst ratio of two orders of summation: {worst:.3f}")
    assert 0 < worst <= 1


@hypothesis.given(
    seed=SEEDS,
    key=st.sampled_from([L1, FINAL, TEST]),
    power=st.integers(-60, 60),
    parted=st.booleans(),
    noisy=st.integers(0, 12),
)
def test_the_rule_is_free_of_scale(judge, *, seed, key, power, parted, noisy) -> None:
    arrays = list(honest(seed))
    random = np.random.default_rng(seed)
    if parted:
        arrays[3] = arrays[3] * (1 + 1e-13)
    arrays[2] = f32(arrays[2] * (1 + 2.0 ** (noisy - 24) * random.normal(size=(6, 7))))
    arrays += [a + 1e-14 * random.normal(size=a.shape) for a in (arrays[1], arrays[3])]
    one = judge(key, *arrays, step=5)
    factor = 2.0**power
    other = judge(key, *(a * a.dtype.type(factor) for a in arrays), step=5)
    assert (one.status, one.rule, one.ratio) == (other.status, other.rule, other.ratio)


@hypothesis.given(
    seed=SEEDS,
    key=st.sampled_from([L1, L2, L3, FINAL, TEST, CURVE]),
    noisy=st.integers(0, 14),
    moved_left=st.floats(1e-16, 1e-9),
    moved_right=st.floats(1e-16, 1e-9),
)
def test_left_and_right_are_equals(judge, *, seed, key, noisy, moved_left, moved_right) -> None:
    shape = (42,) if key == CURVE else (6, 7)
    l32, l64, r32, r64 = honest(seed, shape)
    random = np.random.default_rng(seed)
    r32 = f32(r32 * (1 + 2.0 ** (noisy - 24) * random.normal(size=shape)))
    n_l, n_r = l64 + moved_left, r64 + moved_right
    one = judge(key, l32, l64, r32, r64, n_l, n_r, step=7)
    other = judge(key, r32, r64, l32, l64, n_r, n_l, step=7)
    assert (one.status, one.rule, one.ratio) == (other.status, other.rule, other.ratio)
    assert (one.step, one.index, one.left) == (other.step, other.index, other.right)


# --- The noisy side -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "low", "high", "noisy"),
    [
        (4, 0.0, 2.0**-18, True),  # 64 units of rounding
        (4, 0.0, 2.0**-18 - 2.0**-24, False),
        (4, 2.0**-18, 2.0**-12 + 2.0**-24, True),  # 64 times the other
        (4, 2.0**-18, 2.0**-12, False),
        (4, 2.0**-12, 2.0**-11, False),
        (3, 0.0, 2.0**-12, True),  # of a few numbers 64 times 64 units
        (3, 0.0, 2.0**-12 - 2.0**-24, False),
        (2, 0.0, 2.0**-12, True),
        (2, 0.0, 2.0**-12 - 2.0**-24, False),
        (2, 2.0**-16, 2.0**-10 + 2.0**-24, True),  # 64 times the other, as for many
        (2, 2.0**-16, 2.0**-10, False),
    ],
)
@pytest.mark.parametrize("loud", ["left", "right"])
@pytest.mark.parametrize("key", [L1, L2, L3, VALUE])
def test_one_noisy_side(judge, *, key, loud, size, low, high, noisy) -> None:
    rest = [0.25] * (size - 2)
    exact = base(0.5, *rest)
    sides = [f32(base(0.5 + low, *rest)), f32(base(0.5 + high, *rest))]
    if loud == "left":
        sides.reverse()
    found = judge(key, sides[0], exact, sides[1], exact)
    assert found.status == ("noisy" if noisy else "rounding")
    if noisy:
        floor = 2.0**-18 if size >= 4 else 2.0**-12
        assert found.rule == "noise"
        assert not found.agrees
        assert found.ratio == pytest.approx(high / max(64 * low, floor))
        assert (found.own_left > found.own_right) == (loud == "left")


@pytest.mark.parametrize("unit", [2.0**-8, 2.0**-11])  # of bfloat16, of TF32
@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 2)])
@pytest.mark.parametrize("loud", ["left", "right"])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_reduced_precision_is_noisy_in_a_few_numbers_too(
    judge, *, loud, shape, unit, scale
) -> None:
    exact = np.full(shape, scale, np.float32).astype(np.float64)
    coarse = [f32(exact * (1 + unit)), f32(exact)]
    if loud == "right":
        coarse.reverse()
    found = judge(L2, coarse[0], exact, coarse[1], exact)
    assert (found.status, found.rule) == ("noisy", "noise")
    assert (found.own_left > found.own_right) == (loud == "left")


def test_a_number_that_is_exact_by_chance_makes_no_noise(judge) -> None:
    """One sum, its terms cancelling early or late: both are correct, one is exact by chance."""
    loud = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        terms = f32(random.integers(1, 2**20, 100)) * f32(2.0**-18)
        late = np.concatenate([terms, -terms, f32([1.5])])
        early = np.concatenate([np.stack([terms, -terms], axis=1).ravel(), f32([1.5])])
        lows = [np.cumsum(side, dtype=np.float32)[-1] for side in (early, late)]
        highs = [np.cumsum(side, dtype=np.float64)[-1] for side in (early, late)]
        assert lows[0] == highs[0] == highs[1] == 1.5
        found = judge("loss/step0", lows[0], highs[0], lows[1], highs[1])
        assert found.agrees, (seed, found)
        loud += found.own_right >= 64 * 2.0**-24 * 1.5
    assert loud > 100, "many numbers would not be exact by chance"


@pytest.mark.parametrize("bits", [8, 11])
def test_a_reduced_precision_is_noisy(judge, bits: int) -> None:
    random = np.random.default_rng(2)
    x, w = f32(random.normal(size=(16, 64))), f32(random.normal(size=(64, 16)))

    def cut(array: np.ndarray) -> np.ndarray:
        mantissa, exponent = np.frexp(array)
        return f32(np.ldexp(np.round(mantissa * 2.0**bits) / 2.0**bits, exponent))

    high = x.astype("f8") @ w.astype("f8")
    assert judge(L1, x @ w, high, x @ w + 0, high).agrees
    assert judge(L1, cut(x) @ cut(w), high, x @ w, high).status == "noisy"


def test_a_difference_outweighs_noise(judge) -> None:
    exact = base(0.5)
    found = judge(L1, f32(exact), exact, f32(base(0.6)), base(0.6))
    assert found.status == "different"
    noisy_and_different = judge(L1, f32(exact), exact, f32(base(0.7)), base(0.5001))
    assert noisy_and_different.status == "different"


@pytest.mark.parametrize("key", [FINAL, TEST])
def test_float32_of_a_long_training_may_part(judge, key: str) -> None:
    exact = base(*[0.5] * 20)
    found = judge(key, f32(exact), exact, f32(exact + 0.1), exact, exact, exact, step=9)
    assert found.status == "rounding"


# --- Trainings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "step"),
    [(FINAL, 4), (TEST, 9), ("state/final/a/m", 16), ("weights/step25/a", 25), (FINAL, None)],
)
def test_without_a_nudge_rounding_may_enter_at_every_step(judge, key: str, step) -> None:
    bound = 32 * 2.0**-53 * math.sqrt(step or 1)
    exact = base(0.5)
    for factor, status in ((0.9, "rounding"), (1.1, "different")):
        found = judge(key, f32(exact), exact, f32(exact), base(0.5 + factor * bound), step=step)
        assert (found.status, found.rule) == (status, "equation")
        assert found.ratio == pytest.approx(factor, abs=0.04)
        assert found.sigma == 0


@pytest.mark.parametrize("moved", ["left", "right", "both"])
def test_the_nudge_is_the_yardstick(judge, moved: str) -> None:
    exact = base(0.5)
    nudge = base(0.5 + 2.0**-40)
    n_l = exact if moved == "right" else nudge
    n_r = exact if moved == "left" else nudge
    for distance, status in ((2.0**-35, "rounding"), (2.0**-35 + 2.0**-40, "different")):
        other = base(0.5 + distance)
        found = judge(FINAL, f32(exact), exact, f32(exact), other, n_l, n_r - exact + other, step=4)
        assert (found.status, found.rule, found.sigma) == (status, "equation", 2.0**-40)
        assert found.ratio == distance / 2.0**-35


def test_a_nudged_run_of_another_shape_is_no_yardstick(judge) -> None:
    exact = base(0.5)
    other = base(0.5 + 2.0**-40)
    found = judge(FINAL, f32(exact), exact, f32(exact), other, np.zeros(3), None, step=1)
    assert (found.status, found.sigma) == ("different", 0)


def curve(*changes: tuple[int, float], length: int = 40) -> np.ndarray:
    values = np.linspace(1.0, 0.5, length)
    for at, change in changes:
        values[at] += change
    return values


def test_a_curve_names_the_first_step_that_fails(judge) -> None:
    left, right = curve(), curve((20, 1e-9), (30, 1e-6))
    found = judge(CURVE, f32(left), left, f32(right), right, left, right, step=40)
    assert (found.status, found.rule, found.step, found.index) == (
        "different",
        "equation",
        21,
        (20,),
    )
    assert found.failing_step == 21
    assert (found.left, found.right) == (str(left[20]), str(right[20]))
    assert found.ratio == pytest.approx(1e-9 / (32 * 2.0**-53 * math.sqrt(21)), rel=1e-3)
    assert found.distance64 == float(right[20] - left[20])
    assert judge(CURVE, f32(left), left, f32(left), left, left, left, step=40).failing_step is None


def test_a_curve_that_agrees_names_the_step_nearest_to_failing(judge) -> None:
    left, right = curve(), curve((20, 2.0**-50), (30, 2.0**-52))
    found = judge(CURVE, f32(left), left, f32(right), right, left, right, step=40)
    assert (found.status, found.rule) == ("rounding", "equation")
    assert (found.step, found.index) == (21, (20,))
    assert (found.left, found.right) == (str(left[20]), str(right[20]))
    assert found.distance64 == float(right[20] - left[20]) > 0
    assert found.ratio == pytest.approx(found.distance64 / (32 * 2.0**-53 * math.sqrt(21)))


def test_a_curve_is_measured_step_by_step(judge) -> None:
    """What σ becomes later excuses nothing earlier."""
    left, right, nudged = curve(), curve((3, 1e-9)), curve((30, 1e-3))
    found = judge(CURVE, f32(left), left, f32(right), right, nudged, nudged - left + right, step=40)
    assert (found.status, found.step) == ("different", 4)
    assert found.sigma == pytest.approx(1e-3)


def test_sigma_of_a_curve_is_its_running_maximum(judge) -> None:
    left, right, nudged = curve(), curve((30, 1e-9)), curve((10, 1e-9))
    found = judge(CURVE, f32(left), left, f32(right), right, nudged, nudged - left + right, step=40)
    assert (found.status, found.step) == ("rounding", 31)
    assert found.ratio == pytest.approx(1 / 32, rel=1e-3)


def test_either_side_may_move_a_curve(judge) -> None:
    left, right, nudged = curve(), curve((30, 1e-9)), curve((10, 1e-9))
    for nudges in ((nudged, None), (None, nudged - left + right)):
        assert judge(CURVE, f32(left), left, f32(right), right, *nudges, step=40).agrees
    assert not judge(CURVE, f32(left), left, f32(right), right, None, None, step=40).agrees


def test_the_side_that_moves_more_sets_the_bound_of_a_curve(judge) -> None:
    left, right = curve(), curve((30, 1e-8))
    moved = [np.full(40, 1e-9), np.full(40, 1e-10)]
    for more, less in (moved, moved[::-1]):
        found = judge(CURVE, f32(left), left, f32(right), right, left + more, right + less, step=40)
        assert (found.status, found.ratio) == ("rounding", pytest.approx(10 / 32, rel=1e-3))


def test_a_curve_may_round_more_at_later_steps(judge) -> None:
    change = 2 * 32 * 2.0**-53
    left = curve()
    early, late = curve((1, change)), curve((39, change))
    assert judge(CURVE, f32(left), left, f32(early), early, step=40).status == "different"
    assert judge(CURVE, f32(left), left, f32(late), late, step=40).status == "rounding"


def test_a_curve_of_zeros(judge) -> None:
    zeros = np.zeros(20)
    assert judge(CURVE, f32(zeros), zeros, f32(zeros + 1e-9), zeros, step=20).agrees


# --- The sudden departure -------------------------------------------------------------------------

UNIT = 2.0**-24


def departed(judge, left: np.ndarray, right: np.ndarray | float = 0.0, **changes: float) -> Finding:
    """A curve of scale 1 whose float32 is so many units from float64; float64 agrees."""
    exact = f32(curve()).astype(np.float64)
    other = exact.copy()
    other[30] -= 2.0**-53  # what is identical is not looked at
    lows = [f32(exact - UNIT * far * (np.arange(40) > 0)) for far in (left, right)]
    return judge(CURVE, lows[0], exact, lows[1], other, step=40)


def jump(before: float, after: float, at: int = 20) -> np.ndarray:
    return np.where(np.arange(40) >= at, after, before)


@pytest.mark.parametrize(
    ("before", "after", "sudden"),
    [
        (0, 257, True),  # 64 times four units of rounding
        (0, 256, False),
        (4, 257, True),
        (4, 256, False),
        (10, 641, True),
        (10, 640, False),
        (64, 4097, True),
        (64, 4096, False),
        (65, 2**20, False),  # float32 had drifted away before: then anything may come
        (250, 2**20, False),
    ],
)
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("at", [2, 20, 39])
def test_float32_that_leaves_float64_at_once(judge, *, side, before, after, sudden, at) -> None:
    sides = [jump(before, after, at), 2.0]
    if side == "right":
        sides.reverse()
    found = departed(judge, *sides)
    assert found.status == ("noisy" if sudden else "rounding")
    assert found.agrees is not sudden
    if sudden:
        assert (found.rule, found.step, found.index) == ("sudden", at + 1, (at,))
        assert found.failing_step == at + 1
        assert found.ratio == pytest.approx(after / (64 * max(before, 4)))
        owns = (found.own_left, found.own_right)
        assert owns == ((after * UNIT, 2 * UNIT) if side == "left" else (2 * UNIT, after * UNIT))
        words = wording.sentence(found, "left", "right")
        assert f"at step {at + 1}: {side}'s float32 leaves its float64 all at once" in words


@pytest.mark.parametrize(("quiet", "sudden"), [(2, True), (63, True), (64, False), (2**19, False)])
@pytest.mark.parametrize("swap", [False, True])
def test_where_both_sides_jump_it_is_the_data(judge, quiet: int, *, sudden, swap: bool) -> None:
    sides = [jump(2, 2**18), jump(2, quiet)]
    found = departed(judge, *(sides[::-1] if swap else sides))
    assert found.status == ("noisy" if sudden else "rounding")


@pytest.mark.parametrize(("after", "status"), [(2**9, "rounding"), (2**10, "noisy")])
def test_where_the_other_side_has_come_as_far_it_is_the_optimizer(judge, after, status) -> None:
    """Adam goes by the sign of gradients that may be rounding: both leave, each in its way."""
    slow = np.where(np.arange(40) < 20, 2.0, 12.0)  # less than 64 times behind 2**9
    assert departed(judge, jump(2, after), slow).status == status


def test_a_jump_of_the_other_side_at_another_step_excuses_nothing(judge) -> None:
    found = departed(judge, jump(2, 2**18, 20), jump(2, 2**18, 12))
    assert (found.status, found.rule, found.step) == ("noisy", "sudden", 13)
    assert found.own_right > found.own_left


@pytest.mark.parametrize(
    ("factor", "status"),
    [(1.5, "rounding"), (15.0, "rounding"), (63.0, "rounding"), (66.0, "noisy")],
)
def test_rounding_that_grows_step_by_step_is_no_departure(judge, factor: float, status) -> None:
    grown = np.minimum(np.round(4 * factor ** np.maximum(np.arange(40) - 4, 0)), 2.0**22)
    found = departed(judge, grown, 2.0)
    assert found.status == status
    assert found.noise > 0.1, "it gets far"
    if status == "noisy":
        assert (found.rule, found.step) == ("sudden", 6)


def test_a_curve_that_crosses_its_float32_has_not_come_back(judge) -> None:
    """A single distance is small by chance; how far it has been is not."""
    far = jump(60, 60 * 64)
    far[19] = 0
    assert departed(judge, far).status == "rounding"
    far[20:] += 1
    assert departed(judge, far).status == "noisy"


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**40])
@pytest.mark.parametrize(("after", "status"), [(256, "rounding"), (257, "noisy")])
def test_a_departure_is_free_of_scale(judge, scale: float, after: int, status: str) -> None:
    exact = f32(curve()).astype(np.float64)
    other = exact.copy()
    other[30] -= 2.0**-53
    low = f32(exact - UNIT * jump(0, after))
    arrays = (low, exact, f32(exact), other)
    assert judge(CURVE, *(a * a.dtype.type(scale) for a in arrays), step=40).status == status


@pytest.mark.parametrize("key", [FINAL, TEST])
def test_only_the_loss_is_followed_step_by_step(judge, key: str) -> None:
    exact = f32(curve()).astype(np.float64)
    found = judge(key, f32(exact - UNIT * jump(0, 2**18)), exact, f32(exact), exact, step=40)
    assert found.status == "rounding"


def test_a_real_difference_outweighs_a_departure(judge) -> None:
    exact = f32(curve()).astype(np.float64)
    other = exact + 1e-6 * (np.arange(40) >= 25)
    low = f32(exact - UNIT * jump(0, 2**18))
    found = judge(CURVE, low, exact, f32(other), other, step=40)
    assert (found.status, found.step) == ("different", 26)


def test_a_curve_of_one_step_departs_from_nothing(judge) -> None:
    one = np.array([0.5])
    assert judge(CURVE, f32(one + 0.1), one, f32(one), one, step=1).status == "rounding"


# --- The restless side ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "low", "high", "restless"),
    [
        (16, 2.0**-40, 2.0**-28 + 2.0**-34, True),  # 64² times the other
        (16, 2.0**-40, 2.0**-28, False),
        (15, 2.0**-40, 2.0**-24, False),  # a few numbers may stay still by chance
        (16, 0.0, 2.0**-40 + 2.0**-44, True),  # 64² units of rounding after four steps
        (16, 0.0, 2.0**-40, False),
    ],
)
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("key", [FINAL, TEST])
def test_one_restless_side(judge, *, key, side, size, low, high, restless) -> None:
    exact = np.full(size, 0.5)
    exact[0] = 1.0
    other = exact.copy()
    other[1] += 2.0**-53
    moves = [np.where(exact == 1, 0, low), np.where(exact == 1, 0, high)]
    if side == "left":
        moves.reverse()
    found = judge(
        key, f32(exact), exact, f32(exact), other, exact + moves[0], other + moves[1], step=4
    )
    assert found.status == ("noisy" if restless else "rounding")
    if restless:
        assert found.rule == "restless"
        assert (found.own_left > found.own_right) == (side == "left")
        assert found.ratio == pytest.approx(high / (64**2 * max(low, 2.0**-52)), rel=1e-3)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_restless_curve_names_its_step(judge, side: str) -> None:
    """Both end equally far from themselves; one of them was there long before."""
    exact, other = curve(), curve((1, 2.0**-53))
    calm, wild = (np.where(np.arange(40) >= at, 2.0**-20, 2.0**-40) for at in (30, 10))
    wild[20:] = 2.0**-18
    moves = (wild, calm) if side == "left" else (calm, wild)
    found = judge(
        CURVE, f32(exact), exact, f32(other), other, exact + moves[0], other + moves[1], step=40
    )
    assert (found.status, found.rule, found.step) == ("noisy", "restless", 11)
    assert (found.own_left > found.own_right) == (side == "left")
    assert found.ratio == pytest.approx(2.0**22 / 64**2)


def test_a_curve_that_crosses_its_nudged_twin_is_not_restless(judge) -> None:
    exact, other = curve(), curve((1, 2.0**-53))
    moved = np.full(40, 2.0**-20)
    crossing = moved.copy()
    crossing[12] = 0
    found = judge(
        CURVE, f32(exact), exact, f32(other), other, exact + crossing, other + moved, step=40
    )
    assert found.status == "rounding"


@pytest.mark.parametrize(("steps", "status"), [(9, "rounding"), (0, "noisy")])
def test_a_restless_curve_may_round_at_every_step(judge, steps: int, status: str) -> None:
    exact, other = curve(), curve((1, 2.0**-53))
    moved = np.where(np.arange(40) >= steps, 64**2 * 2.0**-53 * 2.5, 0)
    found = judge(CURVE, f32(exact), exact, f32(other), other, exact, other + moved, step=40)
    assert found.status == status


def test_a_restless_side_beside_zeros(judge) -> None:
    zeros = np.zeros(20)
    found = judge(FINAL, f32(zeros + 1e-9), zeros, f32(zeros), zeros, zeros + 1e-300, zeros, step=4)
    assert (found.status, found.rule) == ("noisy", "restless")
    assert math.isfinite(found.ratio)


def test_a_real_difference_outweighs_restlessness(judge) -> None:
    exact = np.full(20, 0.5)
    other = exact + 0.1
    found = judge(FINAL, f32(exact), exact, f32(other), other, exact, other + 1e-6, step=4)
    assert found.status == "different"


# --- One precision only ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("precision", "rtol", "atol"), [("float32", 1.3e-6, 1e-5), ("float64", 1e-7, 1e-7)]
)
def test_with_one_precision_torch_testing_decides(judge, precision, rtol, atol) -> None:
    right = np.array([1.0, 100.0], precision)
    for factor, status in ((0.9, "rounding"), (1.1, "different")):
        left = right.astype(np.float64)
        left[1] += factor * (atol + rtol * 100)
        low, high = (left.astype(precision), right), (None, None)
        if precision == "float64":
            low, high = high, low
        found = judge(FINAL, low[0], high[0], low[1], high[1], step=5)
        assert (found.status, found.rule, found.index) == (status, "fallback", (1,))
        assert found.ratio == pytest.approx(factor, rel=0.05)
        assert (found.left, found.right) == (str(np.float64(left.astype(precision)[1])), "100.0")


def test_one_precision_may_be_identical_or_copied(judge) -> None:
    array = f32(base(0.5))
    assert judge(L1, array, None, array, None).status == "identical"
    found = judge("inputs/images", array, None, np.nextafter(array, f32(2)), None)
    assert (found.status, found.rule) == ("different", "copied")


def test_meant_infinities_do_not_disturb_one_precision(judge) -> None:
    left, right = np.array([np.nan, np.inf, 1.0]), np.array([np.nan, np.inf, 1.0 + 1e-9])
    assert judge(VALUE, None, left, None, right).status == "rounding"
    assert judge(VALUE, None, left, None, right + 1).status == "different"


def test_meant_infinities_do_not_disturb_two(judge) -> None:
    left, right = np.array([np.nan, -np.inf, 1.0]), np.array([np.nan, -np.inf, 1.0 + 2.0**-52])
    assert judge(VALUE, f32(left), left, f32(right), right).status == "rounding"
    assert judge(VALUE, f32(left), left, f32(right + 1), right + 1).status == "different"


# --- Small things ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status",
    [
        "missing",
        "extra",
        "shape",
        "dtype",
        "nonfinite",
        "wrong",
        "stale",
        "undecided",
        "different",
        "noisy",
    ],
)
def test_what_does_not_agree(status) -> None:
    finding = Finding("loss/curve", "L4", status, step=3)
    assert not finding.agrees
    assert finding.failing_step == 3


@pytest.mark.parametrize("status", ["identical", "rounding", "known"])
def test_what_agrees(status) -> None:
    finding = Finding("loss/curve", "L4", status, step=3)
    assert finding.agrees
    assert finding.failing_step is None


def test_a_quad_pairs_what_both_sides_have() -> None:
    one, two = np.ones(1), np.zeros(1)
    assert KeyArrays(one, None, two, None).pairs == ((one, two),)
    assert KeyArrays(one, None, None, two).pairs == ()
    assert KeyArrays(one, one, two, None).four is False
    assert KeyArrays(one, one, two, two).four is True
    assert KeyArrays(two, one, two, one).best == (one, one)


def test_a_quad_reads_every_run(runs) -> None:
    left = runs("torch", {"values/a": [1.0]}, {"values/a": np.float32([2.0])}, {"values/a": [3.0]})
    right = runs("keras", {"values/a": [4.0]}, None)
    quad = KeyArrays.read("values/a", left, right)
    assert [None if a is None else float(a[0]) for a in vars(quad).values()] == [
        2.0,
        1.0,
        None,
        4.0,
        3.0,
        None,
    ]
    assert all(a is None for a in vars(KeyArrays.read("values/b", left, right)).values())


def test_finite_zeroes_what_is_not() -> None:
    have = noise.finite(np.array([np.nan, np.inf, -np.inf, 2.0], np.float32))
    np.testing.assert_array_equal(have, np.array([0, 0, 0, 2.0]), strict=True)


def test_long_arrays_are_shown_short() -> None:
    assert text.short(np.array(1.5)) == "1.5"
    assert text.short(np.array([[1.0], [np.nan]])) == "[[ 1.], [nan]]"
    assert len(text.short(np.arange(10_000) / 7)) < 100
    assert "\n" not in text.short(np.arange(10_000.0).reshape(10, -1) / 7)


def test_the_constants_of_the_rule() -> None:
    assert (noise.C, noise.NOISY, noise.SMALL, noise.HORIZON) == (32, 64, 16, 2.0**-24)
    assert noise.FEW == 4
    assert (noise.U32, noise.U64, noise.SHRINK) == (2.0**-24, 2.0**-53, 2.0**-29)
