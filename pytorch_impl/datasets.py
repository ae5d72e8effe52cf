"""Ready-made datasets: `torchvision.datasets`, their shapes, dtypes, channels and ranges.

Twin: keras_impl/datasets.py
Look at: `fashion_mnist`, where a dataset gives pictures, one sample at a time, and a `transform`
makes tensors of them (there, `load_data` gives four arrays at once); `as_batches` for the place of
the channel; and `colour`, whose labels are a list here and a column there.
`FashionMNIST(root, download=True)` fetches 30 MB into `root` once. Below it reads files that lie
there already, so that this runs without a network; `parity data fetch` lays the whole sets there.
Seen in notes, wrong because: dividing by 255 after `ToTensor()`, which has divided already.
"""

import hashlib
import pickle
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader
from torchvision.datasets import CIFAR10, MNIST, FashionMNIST
from torchvision.transforms import ToTensor

from shared.data import load, torchvision_root
from shared.plots import Plots


def write_idx(path, array):
    """IDX, the format of MNIST: two zero bytes, 8 for bytes, the number of axes, sizes, numbers."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes())


def lay_fashion_mnist(folder, images, labels):
    """Files where `FashionMNIST(root=folder)` looks; the test set is the same, it is not read."""
    raw = Path(folder) / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        write_idx(raw / f"{part}-images-idx3-ubyte", images)
        write_idx(raw / f"{part}-labels-idx1-ubyte", labels)


def fashion_mnist(images, labels):
    """`data` and `targets` are tensors of bytes and of int64; one sample is a picture of Pillow."""
    with tempfile.TemporaryDirectory() as folder:
        lay_fashion_mnist(folder, images, labels)
        dataset = FashionMNIST(folder, train=True, download=False)
    sample, _ = dataset[0]
    return {
        "images_shape": tuple(dataset.data.shape),
        "images_dtype": str(dataset.data.dtype).removeprefix("torch."),
        "labels_shape": tuple(dataset.targets.shape),
        "labels_dtype": str(dataset.targets.dtype).removeprefix("torch."),
        "range": (int(dataset.data.min()), int(dataset.data.max())),
        "sum": int(dataset.data.sum()),
        "container": type(dataset.data).__name__,
        "sample": type(sample).__name__,
        "class_names": len(dataset.classes),
    }


def as_batches(images, labels):
    """`ToTensor` divides by 255, in the default dtype, and puts the channel first."""
    with tempfile.TemporaryDirectory() as folder:
        lay_fashion_mnist(folder, images, labels)
        dataset = FashionMNIST(folder, train=True, transform=ToTensor())
    batch, truth = next(iter(DataLoader(dataset, batch_size=32)))
    return {
        "shape": tuple(batch.shape),
        "range": (batch.min().item(), batch.max().item()),
        "labels": tuple(truth[:5].tolist()),
        "images": batch,
    }


def write_cifar(path, pixels, classes):
    """CIFAR's batch: a pickle with one row an image, all red bytes, then green, then blue."""
    rows = np.asarray(pixels).astype(np.uint8).transpose(0, 3, 1, 2).reshape(len(pixels), -1)
    path.write_bytes(pickle.dumps({"data": rows, "labels": np.asarray(classes).tolist()}))


def colour(pixels, classes):
    """CIFAR-10: `data` is NumPy with the channel *last*, and `ToTensor` turns it; labels a list.

    A file with another checksum is refused, so these few images need a class with their own.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / CIFAR10.base_folder / "data_batch_1"
        path.parent.mkdir()
        write_cifar(path, pixels, classes)
        names = path.with_name("batches.meta")
        names.write_bytes(pickle.dumps({"label_names": [f"class {i}" for i in range(10)]}))
        try:
            CIFAR10(folder)
            outcome = "taken"
        except RuntimeError as error:
            outcome = type(error).__name__

        def md5(file):
            return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()

        class Few(CIFAR10):
            train_list, test_list = [[path.name, md5(path)]], []
            meta = CIFAR10.meta | {"md5": md5(names)}

        dataset = Few(folder, transform=ToTensor())
    sample, _ = dataset[0]
    return {
        "images": torch.from_numpy(dataset.data).to(torch.get_default_dtype()),
        "images_shape": dataset.data.shape,
        "labels_shape": np.shape(dataset.targets),
        "labels": type(dataset.targets).__name__,
        "for_a_model": tuple(sample.shape),
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
    root = torchvision_root()
    for kind in (FashionMNIST, MNIST, CIFAR10):
        try:
            whole = kind(root, train=False)
            print(f"{kind.__name__}: test set {tuple(whole.data.shape)} in {root}")
        except RuntimeError as error:
            print(f"{kind.__name__} in {root}: {error}")

    names = data.class_names
    plots.gallery("first images", data.train_images[:10], data.train_labels, names)


if __name__ == "__main__":
    main()
