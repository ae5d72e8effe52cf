"""The NumPy interpreter against both frameworks, each asked in a process of its own."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity.operations import function as operations
from parity_tests.check import reference_cases

ROWS = pytest.mark.parametrize("case", reference_cases.CASES, ids=lambda c: c.name)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Case → what its framework computed, or the text of its error."""
    folder = tmp_path_factory.mktemp("reference")
    found = {}
    for side in ("torch", "keras"):
        subprocess.run(
            [sys.executable, reference_cases.__file__, side, str(folder)],
            check=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        found |= json.loads((folder / f"{side}.json").read_text("utf-8"))
        found |= dict(np.load(folder / f"{side}.npz"))
    return found


@ROWS
def test_agrees_with_the_framework(case, answers):
    sources, roles = case.arrays()
    wanted = answers[case.name]
    assert not isinstance(wanted, str), wanted
    found = operations.apply(case.kind, case.settings, roles, sources, mode=case.mode)
    assert found.shape == wanted.shape
    scale = np.max(np.abs(wanted.astype(float)))
    distance = np.max(np.abs(found.astype(float) - wanted.astype(float)))
    assert distance <= case.relative * scale


def test_single_precision_stays():
    for case in reference_cases.CASES:
        sources, roles = case.arrays()
        single = [s.astype(np.float32) if s.dtype.kind == "f" else s for s in sources]
        found = operations.apply(case.kind, case.settings, roles, single, mode=case.mode)
        double = operations.apply(case.kind, case.settings, roles, sources, mode=case.mode)
        if double.dtype != np.float64 or case.kind == "embedding":
            continue
        assert found.dtype == np.float32, case.name
        assert np.allclose(found, double, rtol=1e-3, atol=1e-3), case.name


def test_relu6_ends_at_six():
    found = operations.apply("activation", {"name": "relu6"}, {}, [np.array([-1.0, 3.0, 9.0])])
    assert found.tolist() == [0, 3, 6]


def test_what_is_unknown_is_said():
    with pytest.raises(operations.NotInterpretable, match="has no 'opaque'"):
        operations.apply("opaque", {"name": "MyLayer"}, {}, [np.zeros(3)])
    with pytest.raises(operations.NotInterpretable, match="KeyError: 'swoosh'"):
        operations.apply("activation", {"name": "swoosh"}, {}, [np.zeros(3)])
    with pytest.raises(operations.NotInterpretable, match=r"shape \(2, 3\)"):
        operations.apply("dense", {"units": 2}, {"kernel": np.zeros((4, 2))}, [np.zeros((2, 3))])


PADS = st.tuples(st.integers(0, 2), st.integers(0, 2))


@given(
    size=st.integers(5, 9),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    pads=PADS,
    groups=st.sampled_from([1, 2, 4]),
    seed=st.integers(0, 9),
)
@settings(deadline=None, max_examples=60)
def test_a_convolution_is_a_sum(*, size, kernel, stride, dilation, pads, groups, seed):
    """Against the definition, element by element; channels first and last say the same."""
    draw = np.random.default_rng(seed)
    x = draw.standard_normal((2, 4, size))
    weights = {"kernel": draw.standard_normal((kernel, 4 // groups, 4))}
    words = {
        "stride": [stride],
        "dilation": [dilation],
        "padding": [pads],
        "groups": groups,
        "bias": False,
    }
    found = operations.apply("convolution", {**words, "channels": "first"}, weights, [x])
    turned = operations.apply(
        "convolution", {**words, "channels": "last"}, weights, [np.moveaxis(x, 1, -1)]
    )
    assert np.array_equal(found, np.moveaxis(turned, -1, 1))
    wide = np.pad(x, ((0, 0), (0, 0), pads))
    each = 4 // groups
    for out in range(4):
        start = out // each * each
        for at in range(found.shape[2]):
            seen = wide[:, start : start + each, at * stride :: dilation][:, :, :kernel]
            wanted = np.einsum("bck,kc->b", seen, weights["kernel"][:, :, out])
            assert np.allclose(found[:, out, at], wanted, rtol=1e-12, atol=1e-12)


@given(
    size=st.integers(3, 7),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    pads=PADS,
    groups=st.sampled_from([1, 2]),
    seed=st.integers(0, 9),
)
@settings(deadline=None, max_examples=60)
def test_transposed_is_the_adjoint(*, size, kernel, stride, pads, groups, seed):
    """⟨conv(x), y⟩ = ⟨x, transposed(y)⟩ where the transposed one gets as far as x."""
    draw = np.random.default_rng(seed)
    y = draw.standard_normal((1, size, 4))
    weights = {"kernel": draw.standard_normal((kernel, 2 // groups, 4))}
    full = (size - 1) * stride + kernel
    if full - sum(pads) < 1:
        return
    words = {"channels": "last", "stride": [stride], "groups": groups, "bias": False}
    back = operations.apply("transposed", {**words, "crop": [pads]}, weights, [y])
    x = draw.standard_normal(back.shape)
    there = operations.apply("convolution", {**words, "padding": [pads]}, weights, [x])
    assert np.isclose(np.sum(there * y), np.sum(x * back), rtol=1e-10, atol=1e-10)


@given(
    n=st.integers(1, 12),
    out=st.integers(1, 12),
    anti=st.booleans(),
    corners=st.booleans(),
    mode=st.sampled_from(["nearest", "nearest_exact", "bilinear", "bicubic", "area"]),
    cubic=st.sampled_from([-0.5, -0.75]),
)
@settings(deadline=None)
def test_resizing_keeps_what_is_constant(*, n, out, anti, corners, mode, cubic):
    words = {
        "channels": "last",
        "size": [out],
        "mode": mode,
        "align_corners": corners,
        "antialias": anti,
        "cubic": cubic,
    }
    found = operations.apply("resize", words, {}, [np.full((1, n, 1), 3.0)])
    assert found.shape == (1, out, 1)
    assert np.allclose(found, 3.0, rtol=1e-12)
