"""`shared.numpy_reference`: the witnesses are right by other means than their own formulas."""

import hypothesis
import hypothesis.strategies as st
import numpy as np

from shared import numpy_reference

sizes = st.integers(1, 3)


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape)


def test_a_gradient_known_by_heart() -> None:
    found = numpy_reference.gradients(
        lambda x, y: np.exp(x) * y**3, {"x": draw(2), "y": draw(3)[:2]}, np.array([1.0, -2.0])
    )
    x, y, upstream = draw(2), draw(3)[:2], np.array([1.0, -2.0])
    np.testing.assert_allclose(found["dx"], upstream * np.exp(x) * y**3, rtol=1e-15)
    np.testing.assert_allclose(found["dy"], upstream * np.exp(x) * 3 * y**2, rtol=1e-15)


@hypothesis.given(
    strides=st.tuples(sizes, sizes),
    dilation=st.tuples(sizes, sizes),
    top=st.integers(0, 2),
    right=st.integers(0, 2),
)
def test_convolution_element_by_element(strides, dilation, top, right) -> None:
    x, kernel = draw(2, 7, 8, 3), draw(3, 2, 3, 4)
    pads = ((top, 0), (0, right))
    y = numpy_reference.conv2d(x, kernel, strides=strides, pads=pads, dilation=dilation)
    padded = np.pad(x, ((0, 0), *pads, (0, 0)))
    assert y.shape[1] == (7 + top - dilation[0] * 2 - 1) // strides[0] + 1
    assert y.shape[2] == (8 + right - dilation[1] - 1) // strides[1] + 1
    for b, i, j, o in np.ndindex(*y.shape):
        want = sum(
            padded[b, i * strides[0] + u * dilation[0], j * strides[1] + v * dilation[1], c]
            * kernel[u, v, c, o]
            for u, v, c in np.ndindex(3, 2, 3)
        )
        assert abs(y[b, i, j, o] - want) < 1e-12


def test_groups_do_not_see_each_other() -> None:
    x, kernel = draw(1, 4, 4, 4), draw(2, 2, 2, 6)
    halves = [
        numpy_reference.conv2d(x[..., 2 * g : 2 * g + 2], kernel[..., 3 * g : 3 * g + 3])
        for g in (0, 1)
    ]
    np.testing.assert_array_equal(
        numpy_reference.conv2d(x, kernel, groups=2), np.concatenate(halves, axis=3)
    )


@hypothesis.given(stride=sizes)
def test_the_transposed_convolution_is_the_adjoint(stride: int) -> None:
    """⟨conv(x), y⟩ = ⟨x, transposed(y)⟩ for the same kernel, whatever x and y are."""
    kernel = draw(3, 2, 5, 4)
    y = draw(2, 3, 4, 4)
    stamped = numpy_reference.conv2d_transpose(y, kernel, stride)
    x = draw(*stamped.shape)
    one = np.sum(numpy_reference.conv2d(x, kernel, strides=(stride, stride)) * y)
    assert abs(one - np.sum(x * stamped)) < 1e-10


def test_pooling_window_by_window() -> None:
    x = draw(2, 5, 6, 3)
    y = numpy_reference.pool2d(x, (2, 3), np.nanmax, strides=(2, 2), pads=((0, 1), (1, 0)))
    padded = np.pad(x, ((0, 0), (0, 1), (1, 0), (0, 0)), constant_values=-np.inf)
    assert y.shape == (2, 3, 3, 3)
    for b, i, j, c in np.ndindex(*y.shape):
        assert y[b, i, j, c] == padded[b, 2 * i : 2 * i + 2, 2 * j : 2 * j + 3, c].max()
