"""Spec of the input pipelines: from bytes to batches, the same ones in the same order.

The images are real, the first hundred of Fashion-MNIST, given as NumPy arrays. An order that both
sides shall follow is drawn here, in NumPy: no shuffle of one framework is ever that of the other.
That batches are the same is proven by a checksum of each one's exact bytes in float32, images in
canonical layout and then labels; the pipelines compute them in float32 in both precisions.
"""

import itertools
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.spec.cases import Case, Known, Numbers, Samples
from parity.spec.example import ExampleSpec
from parity.spec.expected import as_numbers, numbers
from shared.initial_weights import drawn

Array = NDArray[Any]
Arrays = dict[str, Any]
_IMAGE = "images"
_BATCH = 32
_BUFFER = 10
_MEAN, _DEVIATION = np.float32(0.286), np.float32(0.353)
_V2 = "https://pytorch.org/vision/stable/generated/torchvision.transforms.v2."
_TF_DATASET = "https://www.tensorflow.org/api_docs/python/tf/data/Dataset"
_KERAS_RESIZE = "https://keras.io/api/ops/image/#resize-function"
_HUNDRED = Samples("fashion_mnist", 100)
_RANDOM = np.random.Generator(np.random.PCG64(zlib.crc32(b"input_pipeline")))
_ORDER = as_numbers(_RANDOM.permutation(100))
_SLOTS = as_numbers([_RANDOM.integers(min(_BUFFER, 100 - i)) for i in range(100)])
_CHOSEN = as_numbers(_RANDOM.permutation(100)[:45])


def _delivered(images: Array, labels: Array, order: Array, *, drop: bool = False) -> Arrays:
    """Size and checksum of every batch of bytes → 0…1 → 64×64 → normalised."""
    nearest = np.floor((np.arange(64) + 0.5) * 28 / 64).astype(int)
    sizes, sums = [], []
    for at in range(0, len(order), _BATCH):
        some = order[at : at + _BATCH]
        if drop and len(some) < _BATCH:
            break
        unit = images[some].astype(np.float32) * np.float32(1 / 255)
        batch = (unit[:, nearest][:, :, nearest] - _MEAN) / _DEVIATION
        sizes.append(len(some))
        sums.append(zlib.crc32(labels[some].tobytes(), zlib.crc32(batch.tobytes())))
    return {"sizes": str(tuple(sizes)), "checksums": " ".join(f"{s:08x}" for s in sums)}


def _prefixed(prefix: str, found: Arrays) -> Arrays:
    return {f"{prefix}_{name}": value for name, value in found.items()}


def _to_tensor(images: Array, labels: Array, mean: Array, deviation: Array) -> Arrays:
    unit = images[..., None] / 255
    levels = np.arange(256, dtype=np.float32)
    apart = levels / np.float32(255) != levels * np.float32(1 / 255)
    return {
        "unit": unit,
        "divided": unit,
        "normalised": (unit - mean) / deviation,
        "apart_in_float32": int(apart.sum()),
        "floats_are_scaled": False,
        "dtype": "float32",
    }


def _weights(size: int, target: int, *, antialias: bool) -> Array:
    """``(target, size)``: a triangle around each target pixel's centre, of sum 1.

    Without antialiasing it reaches over one source pixel to each side, with it over as many as a
    target pixel covers.
    """
    scale = size / target
    reach = max(1.0, scale) if antialias else 1.0
    centres = (np.arange(target) + 0.5) * scale
    away = np.abs(np.arange(size) + 0.5 - centres[:, None]) / reach
    triangle = np.maximum(0, 1 - away)
    return np.asarray(triangle / triangle.sum(axis=1, keepdims=True))


def _bilinear(x: Array, height: int, width: int, *, antialias: bool) -> Array:
    rows = _weights(x.shape[1], height, antialias=antialias)
    columns = _weights(x.shape[2], width, antialias=antialias)
    return np.asarray(np.einsum("ih,jw,bhwc->bijc", rows, columns, x))


def _nearest(x: Array, height: int, width: int, offset: float) -> Array:
    rows = np.floor((np.arange(height) + offset) * x.shape[1] / height).astype(int)
    columns = np.floor((np.arange(width) + offset) * x.shape[2] / width).astype(int)
    return x[:, rows][:, :, columns]


def _resize(x: Array) -> Arrays:
    return {
        "larger": _bilinear(x, 24, 64, antialias=False),
        "smaller": _bilinear(x, 6, 4, antialias=False),
        "antialiased_inside": _bilinear(x, 6, 4, antialias=True)[:, 1:-1, 1:-1],
        "nearest_larger": _nearest(x, 17, 23, 0.5),
        "nearest_smaller": _nearest(x, 7, 5, 0.5),
    }


def _batches(images: Array, labels: Array) -> Arrays:
    every = np.arange(len(labels))
    return {
        **_delivered(images, labels, every),
        **_prefixed("dropped", _delivered(images, labels, every, drop=True)),
        "steps": 4,
        "steps_dropped": 3,
        "dtypes": "float32, int64",
        "first_labels": labels[:_BATCH].astype(float),
    }


def _full_shuffle(images: Array, labels: Array, order: Array) -> Arrays:
    return _delivered(images, labels, order)


def _buffered_shuffle(images: Array, labels: Array, slots: Array) -> Arrays:
    buffer: list[int] = []
    order: list[int] = []
    rest = itertools.count()
    for slot in slots:  # keep the buffer full while there is something to fill it with
        buffer += [i for i in itertools.islice(rest, _BUFFER - len(buffer)) if i < len(labels)]
        order.append(buffer[slot])
        buffer[slot] = buffer[-1]
        buffer.pop()
    earlier = max(i - at for at, i in enumerate(order))
    return {**_delivered(images, labels, np.array(order)), "earliest": earlier}


def _native_shuffle(images: Array, labels: Array) -> Arrays:
    return {
        "every_sample_once": True,
        "same_seed_same_order": True,
        "next_epoch_same_order": False,
        "buffer_every_sample_once": True,
        "buffer_never_too_early": True,
    }


def _subset(images: Array, labels: Array, chosen: Array) -> Arrays:
    return {
        **_delivered(images, labels, chosen),
        **_prefixed("third", _delivered(images, labels, np.arange(1, len(labels), 3))),
        "shuffled_same_samples": True,
    }


def _workers(images: Array, labels: Array, order: Array) -> Arrays:
    once = _delivered(images, labels, order)
    return {**once, **_prefixed("again", once)}


# Eighths, and ratios of 2 and 4: then every sum inside is exact in float32 as in float64.
_RESIZED = as_numbers(np.round(8 * numbers(drawn("input_pipeline/image", (1, 12, 16, 2)))) / 8)


def _smaller(*, antialias: bool) -> Numbers:
    return as_numbers(_bilinear(numbers(_RESIZED), 6, 4, antialias=antialias))


def _plain_nearest(offset: float) -> Numbers:
    return as_numbers(_nearest(numbers(_RESIZED), 7, 5, offset))


INPUT_PIPELINE = ExampleSpec(
    name="input_pipeline",
    title="Input pipelines: from bytes to batches",
    part="Training",
    summary=(
        "`Dataset` and `DataLoader` against `tf.data`: bytes to floats, normalising, resizing, "
        "batching, shuffling, subsets, workers and prefetching. The same batches in the same "
        "order, bit for bit in float32, when asked; what a framework shuffles by itself is in "
        "nobody else's order."
    ),
    cases=(
        Case(
            "to_tensor",
            {"mean": 0.286, "deviation": 0.353},
            samples=Samples("fashion_mnist", 3),
            roles=dict.fromkeys(("unit", "divided", "normalised"), _IMAGE),
            reference=_to_tensor,
        ),
        Case(
            "resize",
            {"x": _RESIZED},
            roles=dict.fromkeys(
                (
                    "x",
                    "larger",
                    "smaller",
                    "antialiased_inside",
                    "smaller_default",
                    "nearest_larger",
                    "nearest_smaller",
                    "plain_nearest",
                ),
                _IMAGE,
            ),
            reference=_resize,
        ),
        Case("batches", {}, samples=_HUNDRED, reference=_batches),
        Case(
            "full_shuffle",
            {},
            samples=_HUNDRED,
            integers={"order": _ORDER},
            reference=_full_shuffle,
        ),
        Case(
            "buffered_shuffle",
            {},
            samples=_HUNDRED,
            integers={"slots": _SLOTS},
            reference=_buffered_shuffle,
        ),
        Case("native_shuffle", {}, samples=_HUNDRED, reference=_native_shuffle),
        Case("subset", {}, samples=_HUNDRED, integers={"chosen": _CHOSEN}, reference=_subset),
        Case("workers", {}, samples=_HUNDRED, integers={"order": _ORDER}, reference=_workers),
    ),
    known=(
        Known(
            "values/resize/smaller_default",
            torch=_smaller(antialias=True),
            keras=_smaller(antialias=False),
            reason="torchvision's `Resize` antialiases unless told otherwise, Keras' resize only "
            "when told",
            link=f"{_V2}Resize.html",
        ),
        Known(
            "values/resize/plain_nearest",
            torch=_plain_nearest(0.0),
            keras=_plain_nearest(0.5),
            reason="PyTorch's `nearest` takes the pixel at a target pixel's upper left corner; "
            "Keras' takes the one at its centre, which PyTorch calls `nearest-exact`",
            link=_KERAS_RESIZE,
        ),
        Known(
            "values/resize/float64_computed_in",
            torch="float64",
            keras="float32",
            reason="TensorFlow's bilinear kernels compute in float32 whatever they are given; "
            "Keras casts the result back, and float64 has lost half its digits",
            link="https://www.tensorflow.org/api_docs/python/tf/image/resize",
        ),
        Known(
            "values/batches/shape",
            torch="(32, 1, 64, 64)",
            keras="(32, 64, 64, 1)",
            reason="channels come first in PyTorch and last in Keras; the checksums are taken of "
            "the same layout",
            link=f"{_V2}ToImage.html",
        ),
        Known(
            "values/native_shuffle/first_five",
            torch="(37, 4, 58, 47, 1)",
            keras="(67, 21, 47, 46, 22)",
            reason="the same seed starts another stream of random numbers in each framework",
            link=f"{_TF_DATASET}#shuffle",
        ),
    ),
)
