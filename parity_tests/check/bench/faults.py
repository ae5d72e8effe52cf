"""Ports that are wrong: `FAULTY` with weights transferred, `KEPT_FAULTY` with their own."""

from __future__ import annotations

from .faults_images import IMAGES
from .faults_others import OTHERS, PYTORCH
from .mistakes import wrong
from .rows import Fault

FAULTY: tuple[Fault, ...] = (*IMAGES, *OTHERS, *PYTORCH)

KEPT_FAULTY: tuple[Fault, ...] = (
    wrong(
        "convolutions",
        "kept:kernel_transposed",
        "conv",
        "conv",
        "kernel_order weights",
        "rows and columns of the kernel are swapped: (3, 2, 1, 0) instead of (2, 3, 1, 0)",
    ),
    wrong(
        "convolutions",
        "kept:flat_as_it_is",
        "fc",
        "fc",
        "flatten_order kernel_order",
        "the first dense layer's rows are in PyTorch's order, the flattened values in Keras'",
    ),
    wrong(
        "convolutions",
        "kept:gamma_and_beta",
        "bn",
        "bn",
        "affine order weights",
        "gamma and beta have changed places",
    ),
    wrong(
        "convolutions",
        "kept:no_statistics",
        "bn",
        "bn",
        "weights normalisation",
        "the running mean and variance were not loaded",
    ),
    wrong(
        "convolutions",
        "kept:no_bias",
        "conv",
        "conv",
        "bias weights",
        "the convolution's bias was not loaded",
    ),
    wrong(
        "squares",
        "kept:not_turned",
        "fc2",
        "fc2",
        "kernel_order weights",
        "the second, square, dense layer's weight was not transposed",
    ),
    wrong(
        "recurrent",
        "kept:other_gates",
        "lstm",
        "lstm",
        "gate_order",
        "the gates were put as i f o c, Keras has i f c o",
    ),
    wrong(
        "depthwise",
        "kept:depthwise_reshaped",
        "depthwise",
        "depthwise",
        "kernel_order weights",
        "the depthwise kernel was reshaped where it should have been transposed",
    ),
)
