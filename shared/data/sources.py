"""What the datasets are: their files, checksums, where they come from, whose they are.

Only facts live here; `shared.data.fetch` gets the files and `shared.data.images` reads them.
A new dataset is one more `Dataset` in `DATASETS`. A source that is neither a folder of files nor
a plain mirror (an archive, another package manager) is one more class with the same methods.
"""

import difflib
import gzip
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from shared.errors import UsageError


@dataclass(frozen=True)
class SourceFile:
    """One file of a full dataset, as it lies in the cache: raw, never compressed.

    Attributes:
        name: File name in the cache folder of its dataset.
        md5: MD5 (hex) of the raw content. Compressed copies differ from mirror to mirror.
        bytes_raw: Size of the raw content in bytes.
        shape: Shape of the array inside, e.g. `(60000, 28, 28)`.
        role: What it holds: `train_images`, `train_labels`, `test_images`, `test_labels`.
    """

    name: str
    md5: str
    bytes_raw: int
    shape: tuple[int, ...]
    role: str


def _open_file(path: Path, suffix: str) -> io.BufferedIOBase:
    return gzip.open(path, "rb") if suffix == ".gz" else path.open("rb")


@dataclass(frozen=True)
class Mirror:
    """A folder on a web server with one download per file.

    Attributes:
        base: Address of the folder.
        suffix: What the server's file names end in; `.gz` means gzip, empty means raw.
    """

    base: str
    suffix: str = ".gz"

    def url(self, file: SourceFile) -> str:
        """Return the address of `file`. Files that share an address share one download."""
        return f"{self.base.rstrip('/')}/{file.name}{self.suffix}"

    def open_raw(self, download: Path, file: SourceFile) -> io.BufferedIOBase:
        """Open the raw content of `file` inside what `url(file)` delivered."""
        return _open_file(download, self.suffix)


class PackageCopy(Protocol):
    """The same files as an installed or installable package brings them."""

    @property
    def label(self) -> str:
        """How messages call it."""

    @property
    def install(self) -> str:
        """The command that installs it."""

    def available(self) -> bool:
        """Say, without network, whether it is installed."""

    def open_raw(self, file: SourceFile) -> io.BufferedIOBase:
        """Open the raw content of `file`. An `OSError` says why it cannot."""


@dataclass(frozen=True)
class DebianPackage:
    """A Debian package that puts the files into one folder.

    Attributes:
        package: Name of the package.
        folder: Folder it installs into (see `dpkg -L`).
        files: The dataset's file names, to tell whether it is installed.
        suffix: As in `Mirror`.
    """

    package: str
    folder: str
    files: tuple[str, ...]
    suffix: str = ".gz"

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"Debian package {self.package} ({self.folder})"

    @property
    def install(self) -> str:
        """The command that installs it."""
        return f"apt-get install {self.package}"

    def available(self) -> bool:
        """Say whether all its files are there."""
        return all((Path(self.folder) / f"{name}{self.suffix}").is_file() for name in self.files)

    def open_raw(self, file: SourceFile) -> io.BufferedIOBase:
        """Open the raw content of `file`."""
        return _open_file(Path(self.folder) / f"{file.name}{self.suffix}", self.suffix)


@dataclass(frozen=True)
class EmbeddedFile:
    """One file of a subset that the repository carries: gzip-ed IDX.

    Attributes:
        name: File name in `shared/data/embedded/DATASET/`.
        sha256: SHA-256 (hex) of the raw content: gzip bytes may differ between zlib versions.
        shape: Shape of the array inside.
        role: As in `SourceFile`.
    """

    name: str
    sha256: str
    shape: tuple[int, ...]
    role: str


@dataclass(frozen=True)
class Embedded:
    """The subset that the repository carries, and the rule that chose it.

    The rule: of each class in `classes` the first `per_class` images, kept in file order.

    Attributes:
        files: Its files.
        sizes: Images for training, images for testing.
        classes: The labels kept.
        per_class: Images of each class for training and for testing; None keeps all.
    """

    files: tuple[EmbeddedFile, ...]
    sizes: tuple[int, int]
    classes: tuple[int, ...]
    per_class: tuple[int | None, int | None]


@dataclass(frozen=True)
class Dataset:
    """A dataset: its files, sources, classes and terms.

    Attributes:
        name: The name people type.
        title: The name people read.
        files: The files of the full set; empty if nothing has to be fetched.
        sizes: Images for training, images for testing, in the full set.
        class_names: One per label.
        licence: Whose it is and on what terms.
        mirrors: Tried first, in this order.
        package_copies: Tried next, in this order.
        embedded: The subset in the repository, if there is one.
        format: How the files in the cache are laid out; the reader is chosen by it.
    """

    name: str
    title: str
    files: tuple[SourceFile, ...]
    sizes: tuple[int, int]
    class_names: tuple[str, ...]
    licence: str
    mirrors: tuple[Mirror, ...] = ()
    package_copies: tuple[PackageCopy, ...] = ()
    embedded: Embedded | None = None
    format: Literal["idx"] = "idx"


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

DATASETS: tuple[Dataset, ...] = (FASHION_MNIST,)


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
