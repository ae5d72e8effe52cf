"""What a compact reference leaves out: numbers that are drawn, computed again, or not seen."""

import numpy as np
import pytest

from parity.checker.graph import unseen
from parity.checker.graph.graph import Graph, Node, Parameter, Source, Value
from parity.checker.graph.model_interface import Traced
from parity.checker.judge.comparing import compare
from parity.checker.references import compact_runs, recomputing
from parity.checker.references.compact_runs import FEW, Ran, Restored, Spots
from parity.checker.references.drawn_weights import Recipe
from parity.comparator.key_arrays import KeyArrays
from parity.comparator.noise import Finding

SIZE = 2000
BASE = Finding("k", "check", "identical")


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_unseen_numbers_stay_so_wherever_they_go():
    array = unseen.array((2, 3), np.dtype(np.float64))
    array[0, 1] = 5.0
    for moved in (array.T, array[:, ::-1], array.astype(np.float32), 2 * array + 1, array[None]):
        assert unseen.known(moved).sum() == 1
    assert unseen.seen(array).tolist() == [5.0]
    assert unseen.largest(array - 7) == 2.0


def test_a_nan_of_the_model_is_not_unseen():
    array = np.array([1.0, np.nan, np.inf, -np.inf])
    assert unseen.known(array) is None
    with np.errstate(invalid="ignore"):
        assert unseen.known(np.sqrt(-np.ones(2))) is None


@pytest.mark.parametrize("apart", [0.0, 1e-9], ids=["right", "wrong"])
def test_sampled_gradients_are_judged_by_the_noise_rule(apart):
    right = draw(SIZE)
    left = right * (1 + apart)
    noise = 1e-7 * draw(SIZE, seed=1)
    recorded = {**run(draw(2, 4, 3, 3)), "gradients/w": left}
    kept, near, _ = compact_runs.compacted(
        ran(draw(2, 4, 3, 3)), recorded, {"gradients/w": (left + noise).astype(np.float32)}, None
    )
    mine = [Restored(run, dict)["gradients/w"] for run in (near, kept)]
    assert len(kept.spots["gradients/w"].places) < FEW
    arrays = KeyArrays(*mine, (right - noise).astype(np.float32), right)
    whole = KeyArrays((left + noise).astype(np.float32), left, arrays.right32, right)
    found, full = compare(BASE, arrays), compare(BASE, whole)
    assert found.agrees == full.agrees == (not apart)
    assert found.noise == pytest.approx(full.noise, rel=0.3)


@pytest.mark.parametrize("apart", [0.0, 1e-2], ids=["right", "wrong"])
def test_so_they_are_in_one_precision_alone(apart):
    right = draw(SIZE).astype(np.float32)
    left = unseen.array((SIZE,), right.dtype)
    left[:9] = right[:9] * (1 + apart + 1e-7)
    found = compare(BASE, KeyArrays(left, None, right, None))
    assert (found.agrees, found.rule) == (not apart, "fallback")


def test_of_few_numbers_all_are_kept():
    x = draw(2, 4, 3, 3)
    kept, *_ = compact_runs.compacted(ran(x), {**run(x), "gradients/w": draw(FEW)}, None, None)
    assert unseen.known(kept["gradients/w"]) is None


@pytest.mark.parametrize("kind", ["normal", "positive", "sparse", "one value"])
def test_drawn_weights_are_like_the_model_s_own(kind):
    own = draw(200, 100)
    own = {"normal": own, "positive": np.exp(own), "sparse": own * (own > 1)}.get(kind, own * 0 + 3)
    recipe = Recipe.like(own.astype(np.float32))
    drawn = recipe.drawn("net/kernel", 0)
    assert drawn.shape == own.shape
    assert drawn.dtype == np.float32
    assert drawn.min() >= own.min() - 1e-4 * abs(own.min())
    assert drawn.max() <= own.max() + 1e-4 * abs(own.max())
    assert np.median(drawn) == pytest.approx(np.median(own), abs=0.05)
    assert (drawn == 0).mean() == pytest.approx((own == 0).mean(), abs=0.1)
    assert not np.array_equal(drawn, recipe.drawn("net/kernel", 1)) or kind == "one value"


def test_they_are_drawn_alike_on_every_machine():
    drawn = Recipe((3,), (-1.0, -0.5, -0.25, -0.1, 0.0, 0.1, 0.3, 0.7, 2.0)).drawn("net/kernel", 7)
    assert drawn.tolist() == DRAWN


DRAWN = [0.41450196504592896, -0.31976318359375, -0.8323974609375]
WEIGHTS = {"norm/gamma": draw(4, seed=2), "norm/beta": draw(4, seed=3)}


def traced(kind="layer_norm"):
    """An image with its channels first; a norm over them, which NumPy moves to the end."""
    settings = {"channels": "first", "groups": 2, "epsilon": 1e-5}
    norm = Node(
        "n0",
        "norm",
        kind,
        settings,
        (Source("input:0", (2, 4, 3, 3)),),
        (Value("n0:0", (2, 4, 3, 3)),),
        {"gamma": "norm/gamma", "beta": "norm/beta"},
    )
    last = Node(
        "n1",
        "act",
        "activation",
        {"name": "relu"},
        (Source("n0:0", (2, 4, 3, 3)),),
        (Value("n1:0", (2, 4, 3, 3)),),
    )
    parameters = {name: Parameter(name, name.partition("/")[2], (4,)) for name in WEIGHTS}
    graph = Graph(
        "torch",
        "net",
        (Value("input:0", (2, 4, 3, 3)),),
        (Source("n1:0", (2, 4, 3, 3)),),
        (norm, last),
        parameters,
    )
    return Traced(graph, {})


def ran(x, kind="group_norm"):
    return Ran(traced(kind), [x], WEIGHTS, "evaluate")


def run(x):
    made = recomputing.Recomputed(traced("group_norm"), [x], WEIGHTS)
    for node in traced("group_norm").graph.nodes:
        made.update(made.node(node))
    values = {f"values/{n}": made[n] for n in ("n0:0", "n1:0")}
    return {**values, "outputs/0": made["n1:0"]}


@pytest.mark.parametrize("kind", ["group_norm", "opaque"])
def test_values_are_computed_again_or_kept(kind):
    """Of what NumPy does not know the values are kept, and what follows is computed from them."""
    x = draw(2, 4, 3, 3)
    double = run(x)
    noise = 1e-7 * draw(2, 4, 3, 3, seed=5)
    single = {key: (array + noise).astype(np.float32) for key, array in double.items()}
    kept, near, _ = compact_runs.compacted(ran(x, kind), double, single, None)
    assert set(kept.whole) == ({"values/n0:0"} if kind == "opaque" else set())
    made = compact_runs.recomputed(ran(x, kind), kept)
    assert compact_runs.differing(kept, made, near) == ""
    again, rounded = (Restored(one, lambda: made) for one in (kept, near))
    for key, array in double.items():
        assert np.allclose(again[key], array, rtol=0, atol=1e-14)
        apart = np.max(np.abs(rounded[key] - again[key]))
        assert apart == pytest.approx(np.max(np.abs(single[key] - array)), rel=1e-6), key


def test_it_is_laid_over_numbers_in_any_order_of_axes():
    spots = Spots((4, 3), "<f4", True, np.array([5], np.uint32), np.array([9], np.float32))
    assert spots.over(draw(3, 4).T)[1, 2] == 9


def test_a_value_that_comes_out_otherwise_is_named():
    x = draw(2, 4, 3, 3)
    kept, near, _ = compact_runs.compacted(ran(x), run(x), run(x), None)
    made = compact_runs.recomputed(ran(x), kept)
    made["values/n1:0"] = made["values/n1:0"] * (1 + 1e-9)
    assert compact_runs.differing(kept, made, near) == "values/n1:0"


def test_of_a_single_sample_the_outputs_are_kept_alone():
    x = draw(1, 4, 3, 3)
    recorded = {"values/n0:0": x, "outputs/0": x, "gradients/input:0": x}
    kept, *_ = compact_runs.compacted(ran(x), recorded, None, None)
    assert list(kept) == ["outputs/0"]
