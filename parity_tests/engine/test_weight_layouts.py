"""`parity.reference.weight_layouts`: weights there and back, in both frameworks' shapes."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from parity.core.errors import UsageError
from parity.reference.weight_layouts import KERAS_NAMES, to_keras, to_torch

size = st.integers(1, 4)
A, B, H, D = 5, 3, 2, 4  # inputs, hidden; heads, size of a head


def shapes(kind: str, a: int, b: int, heads: int, d: int) -> dict[str, tuple[int, ...]]:
    """Keras' shapes for `a` inputs and `b` outputs, or `heads` of size `d`."""
    e = heads * d
    gates = 4 if "lstm" in kind else 3
    bias = (4 * b,) if "lstm" in kind else (2, 3 * b)
    recurrent = {"kernel": (a, gates * b), "recurrent_kernel": (b, gates * b), "bias": bias}
    attention = {f"{p}_kernel": (e, heads, d) for p in ("query", "key", "value")}
    attention |= {f"{p}_bias": (heads, d) for p in ("query", "key", "value")}
    return {
        "dense": {"kernel": (a, b), "bias": (b,)},
        "conv2d": {"kernel": (heads, d, a, b), "bias": (b,)},
        "conv2d_transpose": {"kernel": (heads, d, b, a), "bias": (b,)},
        "depthwise_conv2d": {"kernel": (heads, d, a, b), "bias": (a * b,)},
        "embedding": {"embeddings": (a, b)},
        "layer_norm": {"gamma": (a,), "beta": (a,)},
        "group_norm": {"gamma": (a,), "beta": (a,)},
        "batch_norm": dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (a,)),
        "lstm": recurrent,
        "gru": recurrent,
        "bidirectional_lstm": {
            f"{s}_{n}": x for s in ("forward", "backward") for n, x in recurrent.items()
        },
        "bidirectional_gru": {
            f"{s}_{n}": x for s in ("forward", "backward") for n, x in recurrent.items()
        },
        "multi_head_attention": attention | {"output_kernel": (heads, d, e), "output_bias": (e,)},
    }[kind]


def weights(kind: str, *sizes: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)
    wanted = shapes(kind, *sizes)
    return {name: random.normal(size=wanted[name]) for name in KERAS_NAMES[kind]}


@pytest.mark.parametrize("kind", KERAS_NAMES)
@hypothesis.given(sizes=st.tuples(size, size, size, size), biased=st.booleans())
def test_there_and_back(kind: str, sizes: tuple[int, int, int, int], biased: bool) -> None:
    given = {n: w for n, w in weights(kind, *sizes).items() if biased or "bias" not in n}
    back = to_keras(kind, to_torch(kind, given), heads=sizes[2], channels=sizes[0])
    assert list(back) == list(given)
    for name, array in given.items():
        np.testing.assert_array_equal(back[name], array, strict=True)


@pytest.mark.parametrize("kind", [k for k in KERAS_NAMES if "lstm" not in k])
@hypothesis.given(a=size, b=size, heads=size, d=size)
def test_back_and_there(kind: str, a: int, b: int, heads: int, d: int) -> None:
    state = to_torch(kind, weights(kind, a, b, heads, d))
    again = to_torch(kind, to_keras(kind, state, heads=heads, channels=a))
    assert again.keys() == state.keys()
    for name, array in state.items():
        np.testing.assert_array_equal(again[name], array, strict=True)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("dense", {"weight": (B, A), "bias": (B,)}),
        ("conv2d", {"weight": (B, A, H, D), "bias": (B,)}),
        ("conv2d_transpose", {"weight": (A, B, H, D), "bias": (B,)}),
        ("depthwise_conv2d", {"weight": (A * B, 1, H, D), "bias": (A * B,)}),
        (
            "lstm",
            {
                "weight_ih_l0": (4 * B, A),
                "weight_hh_l0": (4 * B, B),
                "bias_ih_l0": (4 * B,),
                "bias_hh_l0": (4 * B,),
            },
        ),
        (
            "gru",
            {
                "weight_ih_l0": (3 * B, A),
                "weight_hh_l0": (3 * B, B),
                "bias_ih_l0": (3 * B,),
                "bias_hh_l0": (3 * B,),
            },
        ),
        (
            "multi_head_attention",
            {
                "in_proj_weight": (24, 8),
                "in_proj_bias": (24,),
                "out_proj.weight": (8, 8),
                "out_proj.bias": (8,),
            },
        ),
    ],
)
def test_shapes_are_pytorchs(kind: str, wanted: dict[str, tuple[int, ...]]) -> None:
    state = to_torch(kind, weights(kind, A, B, H, D))
    assert {name: array.shape for name, array in state.items()} == wanted


def test_both_directions_have_pytorchs_names() -> None:
    names = [*to_torch("bidirectional_lstm", weights("bidirectional_lstm", A, B, H, D))]
    assert names[:2] == ["weight_ih_l0", "weight_hh_l0"]
    assert names[4:] == [
        "weight_ih_l0_reverse",
        "weight_hh_l0_reverse",
        "bias_ih_l0_reverse",
        "bias_hh_l0_reverse",
    ]


def test_two_biases_of_an_lstm_add_up_and_their_gradients_do_not() -> None:
    state = {"bias_ih_l0": np.arange(4.0), "bias_hh_l0": np.ones(4)}
    np.testing.assert_array_equal(to_keras("lstm", state)["bias"], [1, 2, 3, 4])
    both = dict.fromkeys(state, np.arange(4.0))
    np.testing.assert_array_equal(to_keras("lstm", both, gradients=True)["bias"], [0, 1, 2, 3])


def test_gates_of_a_gru_change_places() -> None:
    kernel = np.array([[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(
        to_torch("gru", {"kernel": kernel})["weight_ih_l0"], [[2.0], [1.0], [3.0]]
    )


def test_depthwise_filters_of_a_channel_stay_together() -> None:
    kernel = np.arange(6.0).reshape(1, 1, 3, 2)
    assert to_torch("depthwise_conv2d", {"kernel": kernel})["weight"].ravel().tolist() == [
        0,
        1,
        2,
        3,
        4,
        5,
    ]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: to_torch("gur", {}), "Did you mean 'gru'?"),
        (lambda: to_torch("dense", {"weight": np.ones(1)}), "expected some of kernel, bias"),
        (lambda: to_torch("gru", {"bias": np.ones(3)}), "reset_after=False"),
        (lambda: to_keras("multi_head_attention", {}), "needs heads=…"),
        (lambda: to_keras("depthwise_conv2d", {}), "needs channels=…"),
    ],
)
def test_what_cannot_go_across_is_said(call, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        call()
    assert words in str(caught.value)
