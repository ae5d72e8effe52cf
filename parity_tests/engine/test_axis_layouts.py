"""`parity.core.axis_layouts`: axes by name."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from parity.core.axis_layouts import LAYOUTS, permute
from parity.core.errors import UsageError


def test_dense_kernel() -> None:
    kernel = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(permute(kernel, "out in", "in out"), kernel.T, strict=True)


def test_convolution_kernel_goes_to_the_place_its_names_say() -> None:
    kernel = np.zeros((2, 3, 5, 7))  # out in h w
    kernel[1, 2, 4, 6] = 1
    moved = permute(kernel, *(getattr(LAYOUTS["conv2d/kernel"], s) for s in ("torch", "keras")))
    assert moved.shape == (5, 7, 3, 2)
    assert moved[4, 6, 2, 1] == 1


def test_images_put_the_channel_last() -> None:
    layout = LAYOUTS["images"]
    assert permute(np.zeros((2, 3, 5, 7)), layout.torch, layout.keras).shape == (2, 5, 7, 3)


@hypothesis.given(st.permutations(list("abcd")), st.permutations(list("abcd")))
def test_there_and_back(source: list[str], target: list[str]) -> None:
    array = np.arange(2 * 3 * 5 * 7).reshape(2, 3, 5, 7)
    there = permute(array, " ".join(source), " ".join(target))
    assert there.shape == tuple(array.shape[source.index(axis)] for axis in target)
    np.testing.assert_array_equal(permute(there, " ".join(target), " ".join(source)), array)


@pytest.mark.parametrize(
    ("source", "target"), [("in out", "in up"), ("a a", "a a"), ("a b", "a b c")]
)
def test_patterns_must_name_the_same_axes(source: str, target: str) -> None:
    with pytest.raises(UsageError, match="must name the same axes, each once"):
        permute(np.zeros((2, 3)), source, target)


def test_the_array_must_have_as_many_axes() -> None:
    with pytest.raises(UsageError, match=r"names 2 axes, but the array has shape \(2, 3, 5\)"):
        permute(np.zeros((2, 3, 5)), "in out", "out in")


@pytest.mark.parametrize("role", LAYOUTS)
def test_every_role_names_the_same_axes_on_both_sides(role: str) -> None:
    layout = LAYOUTS[role]
    count = len(layout.torch.split())
    assert permute(np.zeros([2] * count), layout.torch, layout.keras).ndim == count
