"""From an index array to an expression: whatever is moved, the expression moves it so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity.convert.expressions import evaluated, from_json, to_json
from parity.convert.places import KEPT, ZERO, InexpressibleError, Places
from parity.core.errors import UsageError

SHAPES = {"w": (12, 5), "q": (6, 4), "k": (6, 4), "image": (7, 3 * 4 * 5), "conv": (8, 3, 5, 7)}


def moved(places, expression):
    """What the expression makes of random weights, and what the numbers say."""
    rng = np.random.default_rng(0)
    weights = {name: rng.standard_normal(shape) for name, shape in SHAPES.items()}
    every = np.concatenate([w.reshape(-1) for w in weights.values()])
    own = rng.standard_normal(places.shape)
    wanted = np.where(places >= 0, every[np.maximum(places, 0)], 0.0)
    wanted = np.where(places == KEPT, own, wanted)
    again = from_json(to_json(expression))
    return evaluated(again, weights.__getitem__, lambda name: own), wanted


P = Places(SHAPES)
SAID = [
    (P.of("w"), "w"),
    (P.of("w").T, {"transpose": "w", "axes": [1, 0]}),
    (P.of("conv").transpose(2, 3, 1, 0), {"transpose": "conv", "axes": [2, 3, 1, 0]}),
    (
        P.of("w")[6:10].T,
        {"transpose": {"slice": "w", "axis": 0, "start": 6, "stop": 10}, "axes": [1, 0]},
    ),
    (P.of("q")[::-1], {"flip": "q", "axes": [0]}),
    (np.concatenate([P.of("q"), P.of("k")], 1), {"concatenate": ["q", "k"], "axis": 1}),
    (
        P.of("image").reshape(7, 3, 20).transpose(2, 1, 0).reshape(-1, 7),
        {
            "reshape": {
                "transpose": {"reshape": "image", "shape": [7, 3, 20]},
                "axes": [2, 1, 0],
            },
            "shape": [60, 7],
        },
    ),
    (
        np.concatenate([P.of("q"), np.full((2, 4), KEPT)]),
        {
            "concatenate": ["q", {"slice": {"kept": "own"}, "axis": 0, "start": 6, "stop": 8}],
            "axis": 0,
        },
    ),
    (np.full((3,), ZERO), {"constant": 0, "shape": [3], "dtype": "float32"}),
    (np.full((3,), KEPT), {"kept": "own"}),
]


@pytest.mark.parametrize(("places", "said"), SAID, ids=lambda x: str(x)[:30])
def test_is_said_as_one_would_write_it(places, said):
    expression = P.expression(places, kept="own")
    assert to_json(expression) == said
    made, wanted = moved(places, expression)
    assert np.array_equal(made, wanted)


def test_gates_in_another_order_are_slices_joined():
    parts = np.split(P.of("w"), 3)
    expression = P.expression(np.concatenate([parts[1], parts[0], parts[2]]))
    assert [one["slice"] for one in to_json(expression)["concatenate"]] == ["w"] * 3


def test_rows_in_no_order_are_a_list():
    rows = [3, 1, 0, 11, 5, 2, 4, 10, 6, 9, 7, 8]
    assert to_json(P.expression(P.of("w")[rows])) == {"take": "w", "axis": 0, "indices": rows}


def test_no_order_at_all_is_refused():
    wide = Places({"a": (300, 400), "b": (300, 400)})
    both = np.concatenate([wide.of("a"), wide.of("b")])
    mixed = np.random.default_rng(0).permutation(both.reshape(-1)).reshape(both.shape)
    with pytest.raises(InexpressibleError):
        wide.expression(mixed)


@st.composite
def rearranged(draw):
    """A weight after a few steps of what models do to weights."""
    places = P.of(draw(st.sampled_from(sorted(SHAPES))))
    for step in draw(st.lists(st.sampled_from("trsfc"), max_size=4)):
        axis = draw(st.integers(0, places.ndim - 1))
        if step == "t":
            places = places.transpose(draw(st.permutations(range(places.ndim))))
        elif step == "r":
            sizes = [n for n in range(1, places.size + 1) if places.size % n == 0]
            places = places.reshape(draw(st.sampled_from(sizes)), -1)
        elif step == "s":
            start = draw(st.integers(0, places.shape[axis] - 1))
            stop = draw(st.integers(start + 1, places.shape[axis]))
            places = places.take(range(start, stop), axis)
        elif step == "f":
            places = np.flip(places, axis)
        else:
            places = np.concatenate([places, places], axis)
    return places


@settings(max_examples=200, deadline=None, derandomize=True)
@given(rearranged())
def test_says_what_was_done(places):
    made, wanted = moved(places, P.expression(places))
    assert np.array_equal(made, wanted)


@pytest.mark.parametrize("raw", [{}, {"turn": "w"}, {"slice": "w", "axis": 0}, 3, [], None])
def test_what_is_no_expression_is_refused(raw):
    with pytest.raises(UsageError, match="an expression that is none"):
        from_json(raw)
