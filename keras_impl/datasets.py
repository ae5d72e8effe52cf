"""Ready-made datasets: `keras.datasets`, their shapes, dtypes, channels and ranges.

Twin: pytorch_impl/datasets.py
Look at: `fashion_mnist`, where `load_data` gives four arrays at once (there, a dataset gives
pictures, one sample at a time); `as_batches`, where you divide by 255 and add the channel; and
`colour`, whose labels are a column here and a list there.
`load_data()` fetches into `~/.keras/datasets` once. Below it reads files that lie there already,
so that this runs without a network; `parity data fetch` lays the whole sets there.
Seen in notes, wrong because: labels `(n, 1)` of CIFAR-10 compared with predictions `(n,)`: the
two broadcast to `(n, n)`, and the accuracy is nonsense; `labels[:, 0]` first.
"""

import contextlib
import gzip
import io
import os
import pickle
import tarfile
import tempfile
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from keras.datasets import fashion_mnist as keras_fashion_mnist

from shared.data import load
from shared.plots import Plots

ROOT = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "datasets"
WHOLE = {
    "fashion_mnist": "fashion-mnist",
    "mnist": "mnist.npz",
    "cifar10": "cifar-10-batches-py-target_archive",
}


def write_idx(path, array):
    """IDX, the format of MNIST: two zero bytes, 8 for bytes, the number of axes, sizes, numbers."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    content = bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content, compresslevel=1))


def lay_fashion_mnist(folder, images, labels):
    """Files where `load_data()` looks; the test set is the same, nothing below needs it."""
    raw = Path(folder) / "datasets" / "fashion-mnist"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        write_idx(raw / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(raw / f"{part}-labels-idx1-ubyte.gz", labels)


def _load_data(folder):
    """`load_data()` as if Keras had been imported with `KERAS_HOME` set to this folder."""
    with mock.patch("keras.src.backend.config.keras_home", return_value=str(folder)):
        return keras_fashion_mnist.load_data()


def fashion_mnist(images, labels):
    """Two pairs of NumPy arrays, all bytes, labels too; there are no names of classes."""
    with tempfile.TemporaryDirectory() as folder:
        lay_fashion_mnist(folder, images, labels)
        (train_images, train_labels), _ = _load_data(folder)
    return {
        "images_shape": train_images.shape,
        "images_dtype": str(train_images.dtype),
        "labels_shape": train_labels.shape,
        "labels_dtype": str(train_labels.dtype),
        "range": (int(train_images.min()), int(train_images.max())),
        "sum": int(train_images.sum()),
        "container": type(train_images).__name__,
        "sample": type(train_images[0]).__name__,
        "class_names": len(getattr(keras_fashion_mnist, "classes", ())),
    }


def as_batches(images, labels):
    """Divide by 255 in the default dtype, add the channel at the end; `tf.data` cuts batches."""
    with tempfile.TemporaryDirectory() as folder:
        lay_fashion_mnist(folder, images, labels)
        (train_images, train_labels), _ = _load_data(folder)
    unit = train_images[..., np.newaxis].astype(keras.config.floatx()) / 255
    batch, truth = next(iter(tf.data.Dataset.from_tensor_slices((unit, train_labels)).batch(32)))
    return {
        "shape": tuple(batch.shape),
        "range": (float(tf.reduce_min(batch)), float(tf.reduce_max(batch))),
        "labels": tuple(truth.numpy()[:5].tolist()),
        "images": batch,
    }


def write_cifar(path, pixels, classes):
    """CIFAR's batch: a pickle with one row an image, all red bytes, then green, then blue."""
    rows = np.asarray(pixels).astype(np.uint8).transpose(0, 3, 1, 2).reshape(len(pixels), -1)
    path.write_bytes(pickle.dumps({"data": rows, "labels": np.asarray(classes).tolist()}))


def colour(pixels, classes):
    """CIFAR-10: the channel is last, also for a model; labels are a column.

    `cifar10.load_data()` reads 50,000 images or nothing; here, few are read as it reads them. An
    archive with another checksum is fetched again, and if that is no better, refused.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data_batch_1"
        write_cifar(path, pixels, classes)
        archive = Path(folder) / "cifar.tar.gz"
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(path, arcname=f"cifar-10-batches-py/{path.name}")
        where = {"origin": archive.as_uri(), "extract": True, "cache_dir": folder}
        with contextlib.redirect_stdout(io.StringIO()):  # a progress bar
            try:
                keras.utils.get_file("other", file_hash="0" * 64, **where)
                outcome = "taken"
            except ValueError as error:
                outcome = type(error).__name__
            unpacked = Path(keras.utils.get_file("few", **where))
        batch = pickle.loads((unpacked / "cifar-10-batches-py" / path.name).read_bytes())
    images = batch["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    labels = np.reshape(batch["labels"], (-1, 1))
    return {
        "images": tf.cast(images, keras.config.floatx()),
        "images_shape": images.shape,
        "labels_shape": labels.shape,
        "labels": type(labels).__name__,
        "for_a_model": images[0].shape,
        "other_file": outcome,
    }


def main():
    """Fashion-MNIST as the library reads it, batches of it, and the whole sets where they lie."""
    plots = Plots(__file__)
    data = load("fashion_mnist", "available")
    print(data.describe())
    pixels = np.random.default_rng(0).integers(256, size=(4, 32, 32, 3))
    found = {
        "Fashion-MNIST": fashion_mnist(data.train_images, data.train_labels),
        "in batches": as_batches(data.train_images, data.train_labels),
        "in colour": colour(pixels, np.arange(4)),
    }
    for title, values in found.items():
        print(f"{title}:")
        for name, value in values.items():
            many = hasattr(value, "dtype")
            print(f"  {name:13} {f'{value.dtype} {tuple(value.shape)}' if many else value}")
    for kind, file in WHOLE.items():
        if (ROOT / file).exists():
            _, (test_images, _) = getattr(keras.datasets, kind).load_data()
            print(f"{kind}: test set {test_images.shape} in {ROOT}")
        else:
            print(f"{kind}: no {ROOT / file}; load_data() would fetch it")

    names = data.class_names
    plots.gallery("first images", data.train_images[:10], data.train_labels, names)


if __name__ == "__main__":
    main()
