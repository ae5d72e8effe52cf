"""Spec of the dataset examples: what the frameworks' own loaders give, side by side."""

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.spec.cases import Case, Known, Samples
from parity.spec.example import ExampleSpec
from parity.spec.expected import as_numbers

Array = NDArray[Any]
Arrays = dict[str, Any]
_FIRST = Samples("fashion_mnist", 100)
_RANDOM = np.random.Generator(np.random.PCG64(zlib.crc32(b"datasets")))
_PIXELS = as_numbers(_RANDOM.integers(256, size=(2, 32, 32, 3)))
_TORCH = "https://pytorch.org/vision/stable/generated/torchvision.datasets."
_KERAS = "https://keras.io/api/datasets/"


def _fashion_mnist(images: Array, labels: Array) -> Arrays:
    return {
        "images_shape": str(images.shape),
        "images_dtype": "uint8",
        "labels_shape": str(labels.shape),
        "range": str((int(images.min()), int(images.max()))),
        "sum": int(images.sum()),
    }


def _as_batches(images: Array, labels: Array) -> Arrays:
    unit = images[:32, ..., None] / 255
    return {
        "range": str((float(unit.min()), float(unit.max()))),
        "labels": str(tuple(labels[:5].tolist())),
        "images": unit,
    }


def _colour(pixels: Array, classes: Array) -> Arrays:
    return {"images": pixels.astype(float), "images_shape": str(pixels.shape)}


DATASETS = ExampleSpec(
    name="datasets",
    title="Ready-made datasets",
    part="Training",
    summary=(
        "`torchvision.datasets` against `keras.datasets`: the same files, read by each framework's "
        "own loader. Shapes, dtypes, the place of the channel and the range of values, side by "
        "side: what a program that moves from one to the other has to change."
    ),
    cases=(
        Case("fashion_mnist", {}, samples=_FIRST, reference=_fashion_mnist),
        Case(
            "as_batches",
            {},
            samples=_FIRST,
            roles={"images": "images"},
            reference=_as_batches,
        ),
        Case(
            "colour",
            {},
            integers={"pixels": _PIXELS, "classes": (3, 8)},
            reference=_colour,
        ),
    ),
    known=(
        Known(
            "values/fashion_mnist/labels_dtype",
            torch="int64",
            keras="uint8",
            reason="PyTorch's losses want int64; Keras leaves the file's bytes, and casts later",
            link=_KERAS + "fashion_mnist/",
        ),
        Known(
            "values/fashion_mnist/container",
            torch="Tensor",
            keras="ndarray",
            reason="`data` is a tensor of the framework, `load_data` gives NumPy",
            link=_TORCH + "FashionMNIST.html",
        ),
        Known(
            "values/fashion_mnist/sample",
            torch="Image",
            keras="ndarray",
            reason="`dataset[0]` is a picture of Pillow, for transforms to work on",
            link=_TORCH + "FashionMNIST.html",
        ),
        Known(
            "values/fashion_mnist/class_names",
            torch=10,
            keras=0,
            reason="`classes` names what a label means; Keras has the names on its web page alone",
            link=_KERAS + "fashion_mnist/",
        ),
        Known(
            "values/as_batches/shape",
            torch="(32, 1, 28, 28)",
            keras="(32, 28, 28, 1)",
            reason="`ToTensor` puts the channel first; Keras' layers want it last, and `load_data` "
            "gives none where there is one",
            link="https://pytorch.org/vision/stable/generated/torchvision.transforms.ToTensor.html",
        ),
        Known(
            "values/colour/labels_shape",
            torch="(2,)",
            keras="(2, 1)",
            reason="labels of CIFAR-10 are a column in Keras: with predictions of shape (n,), "
            "`==` broadcasts to (n, n)",
            link=_KERAS + "cifar10/",
        ),
        Known(
            "values/colour/labels",
            torch="list",
            keras="ndarray",
            reason="`targets` of CIFAR-10 is a list in torchvision, and a tensor of MNIST",
            link=_TORCH + "CIFAR10.html",
        ),
        Known(
            "values/colour/for_a_model",
            torch="(3, 32, 32)",
            keras="(32, 32, 3)",
            reason="`data` has the channel last on both sides; `ToTensor` turns it",
            link=_TORCH + "CIFAR10.html",
        ),
        Known(
            "values/colour/other_file",
            torch="RuntimeError",
            keras="ValueError",
            reason="each compares checksums, MD5 of every file here, SHA-256 of the archive there",
            link="https://keras.io/api/utils/python_utils/#getfile-function",
        ),
    ),
)
