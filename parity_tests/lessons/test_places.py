"""torchvision's and Keras' own loaders, offline, on what `shared.data.places` lays for them.

Small data in the places of the real ones. Where a framework compares a checksum, the test gives
it the small data's and changes nothing else; that the real ones are those that the framework
compares, it reads in the framework.
"""

import dataclasses
import gzip
import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from parity.workers.environment import environment
from parity_tests.engine.test_data_cifar import packed
from shared.data import DATASETS, places
from shared.data.idx import write_idx
from shared.data.sources import Dataset

ROOT = Path(__file__).parents[2]
IMAGES = np.random.default_rng(5).integers(0, 256, (30, 28, 28), dtype=np.uint8)
IDX = {
    "train-images-idx3-ubyte": write_idx(IMAGES),
    "train-labels-idx1-ubyte": write_idx(np.arange(30, dtype=np.uint8) % 10),
    "t10k-images-idx3-ubyte": write_idx(IMAGES[:10]),
    "t10k-labels-idx1-ubyte": write_idx(np.arange(10, dtype=np.uint8)),
}
OFFLINE = """
import json, socket, sys, urllib.request

def refuse(*_, **__):
    raise OSError("no network in this test")

socket.socket.connect = socket.getaddrinfo = refuse
ours, root = json.loads(sys.argv[1]), sys.argv[2]
found = {}

def outcome(load):
    try:
        return load()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
"""
TORCH = """
from torchvision import datasets

kinds = datasets.FashionMNIST, datasets.MNIST, datasets.CIFAR10
theirs = {name: md5 for name, md5 in datasets.CIFAR10.train_list + datasets.CIFAR10.test_list}
theirs[datasets.CIFAR10.meta["filename"]] = datasets.CIFAR10.meta["md5"]
for part in (datasets.CIFAR10.train_list, datasets.CIFAR10.test_list):
    part[:] = [[name, ours[name]] for name, _ in part]
datasets.CIFAR10.meta["md5"] = ours["batches.meta"]

def sums(kind):
    parts = [kind(root, train=train, download=False) for train in (True, False)]
    return [[*part.data.shape, int(part.data.sum()), sum(map(int, part.targets))] for part in parts]
"""
KERAS = """
import inspect
from keras import datasets

kinds = datasets.fashion_mnist, datasets.mnist, datasets.cifar10
theirs = []
for kind in kinds:
    module = sys.modules[kind.load_data.__module__]
    theirs.append(inspect.getsource(module))
    def get_file(*args, get=module.get_file, **options):
        if "file_hash" in options:
            options["file_hash"] = ours[options["fname"]]
        return get(*args, **options)
    module.get_file = get_file

def sums(kind):
    return [[*x.shape, int(x.sum()), int(y.sum())] for x, y in kind.load_data()]
"""
ANSWER = """
for kind in kinds:
    found[kind.__name__.rpartition(".")[2]] = outcome(lambda: sums(kind))
print(json.dumps({"theirs": theirs, "found": found}))
"""


def small(dataset: Dataset, contents: dict[str, bytes]) -> Dataset:
    """The dataset with other contents, and their checksums where the real ones were."""

    def checksum(file, content):
        kind = "md5" if len(file.checksum) == 32 else "sha256"
        return dataclasses.replace(file, checksum=hashlib.new(kind, content).hexdigest())

    where = tuple(
        dataclasses.replace(
            place,
            files=tuple(
                checksum(file, contents[file.member or file.source]) for file in place.files
            ),
        )
        for place in dataset.places
    )
    original = dataset.original and dataclasses.replace(
        dataset.original,
        sha256=hashlib.sha256(contents[dataset.original.name]).hexdigest(),
        bytes=len(contents[dataset.original.name]),
    )
    return dataclasses.replace(dataset, places=where, original=original, mirrors=())


def npz(folder: Path) -> bytes:
    path = folder / "small.npz"
    labels = np.arange(30, dtype=np.uint8) % 10
    np.savez_compressed(
        path, x_train=IMAGES, y_train=labels, x_test=IMAGES[:10], y_test=labels[:10]
    )
    return path.read_bytes()


def batches() -> dict[str, bytes]:
    """Of the only size that Keras reads: 10,000 images each, all of one number."""
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    made = {
        name: {"data": np.full((10_000, 3_072), i, np.uint8), "labels": [i] * 10_000}
        for i, name in enumerate(names)
    }
    made["batches.meta"] = {"label_names": [f"class {i}" for i in range(10)]}
    return {f"cifar-10-batches-py/{name}": pickled(batch) for name, batch in made.items()}


def pickled(batch: dict) -> bytes:
    """As Python 2 and NumPy 1 wrote it: its keys are neither text nor bytes."""
    content = pickle.dumps(batch, protocol=3).replace(b"numpy._core", b"numpy.core")
    for key in (b"data", b"labels", b"label_names"):
        text = b"X" + len(key).to_bytes(4, "little") + key
        content = content.replace(text, b"U" + bytes([len(key)]) + key)
    return content


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    """The small datasets, laid; the folder of all."""
    folder = tmp_path_factory.mktemp("places")
    made = batches()
    contents = {
        "fashion_mnist": IDX,
        "mnist": IDX | {"mnist.npz": npz(folder)},
        "cifar10": made | {"cifar-10-python.tar.gz": packed(made)},
    }
    datasets = [small(d, contents[d.name]) for d in DATASETS if d.places]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(folder / "keras"))
        for dataset in datasets:
            (folder / dataset.name).mkdir()
            for name, content in contents[dataset.name].items():
                if "/" not in name:
                    (folder / dataset.name / name).write_bytes(content)
            found = places.lay(dataset, cache=folder)
            assert [place.state for place in found] == ["present"] * 2
        yield folder, datasets


def loaded(laid, code):
    """What the framework finds, in a process of its own."""
    folder, datasets = laid
    ours = {
        key: file.checksum
        for dataset in datasets
        for place in dataset.places
        for file in place.files
        for key in (Path(file.path).name, Path(file.path).name.removesuffix("_archive"))
    }
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-c", OFFLINE + code + ANSWER),
            *(json.dumps(ours), str(places.torchvision_root(folder))),
        ],
        cwd=folder,
        env=environment() | {"KERAS_HOME": str(folder / "keras"), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    return answer["theirs"], answer["found"]


GREY = [[30, 28, 28, int(IMAGES.sum()), 135], [10, 28, 28, int(IMAGES[:10].sum()), 45]]
COLOUR = [
    [50_000, 32, 32, 3, 10_000 * 3_072 * 10, 100_000],
    [10_000, 32, 32, 3, 10_000 * 3_072 * 5, 50_000],
]


def corrupt(path: Path, cut: int = 0) -> None:
    """A bit flipped in the middle, or the end cut off; the cache keeps its own file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content[:-cut] if cut else content)


def damaged(laid) -> set[str]:
    """The places that ours refuse, as `dataset framework`."""
    folder, datasets = laid
    found = {d.name: places.status(d, cache=folder) for d in datasets}
    bad = {f"{n} {place.framework}": place for n, all_ in found.items() for place in all_}
    return {name for name, place in bad.items() if place.state == "damaged"}


def repaired(laid) -> None:
    folder, datasets = laid
    for dataset in datasets:
        assert {p.state for p in places.lay(dataset, cache=folder)} == {"present"}


def real(name: str, framework: str):
    (dataset,) = (d for d in DATASETS if d.name == name)
    (place,) = (p for p in dataset.places if p.framework == framework)
    return {Path(file.path).name: file.checksum for file in place.files}


def test_torchvision_loads_what_is_laid(laid):
    theirs, found = loaded(laid, TORCH)
    assert theirs == real("cifar10", "torchvision")
    assert found == {"FashionMNIST": GREY, "MNIST": GREY, "CIFAR10": COLOUR}

    root = places.torchvision_root(laid[0])
    corrupt(root / "FashionMNIST" / "raw" / "train-images-idx3-ubyte")
    corrupt(root / "MNIST" / "raw" / "train-images-idx3-ubyte", cut=9)
    corrupt(root / "cifar-10-batches-py" / "data_batch_3")
    assert damaged(laid) == {f"{d.name} torchvision" for d in laid[1]}
    _, found = loaded(laid, TORCH)
    # torchvision compares no checksum of these: it takes the flipped bit, which ours refuses.
    assert found["FashionMNIST"][0][:3] == GREY[0][:3]
    assert found["FashionMNIST"] != GREY
    assert "shape" in found["MNIST"]
    assert "not found or corrupted" in found["CIFAR10"]
    repaired(laid)


def test_keras_loads_what_is_laid(laid):
    theirs, found = loaded(laid, KERAS)
    assert real("mnist", "keras")["mnist.npz"] in theirs[1]
    assert real("cifar10", "keras")["cifar-10-batches-py-target_archive"] in theirs[2]
    assert found == {"fashion_mnist": GREY, "mnist": GREY, "cifar10": COLOUR}

    home = laid[0] / "keras" / "datasets"
    corrupt(home / "fashion-mnist" / "train-images-idx3-ubyte.gz")
    corrupt(home / "mnist.npz")
    corrupt(home / "cifar-10-batches-py-target_archive")
    assert damaged(laid) == {f"{d.name} keras" for d in laid[1]}
    _, found = loaded(laid, KERAS)
    assert any(word in found["fashion_mnist"] for word in ("CRC", "rror -3"))
    for name in ("mnist", "cifar10"):  # another checksum: it would download
        assert "URL fetch failure" in found[name]
    repaired(laid)


@pytest.mark.full
def test_the_real_fashion_mnist(tmp_path, monkeypatch):
    """Of the user's cache, if it has it: both places verified by checksums known beforehand."""
    (dataset,) = (d for d in DATASETS if d.name == "fashion_mnist")
    from shared.data.cache import status

    (state,) = status([dataset])
    if state.full != "present":
        if os.environ.get("CI"):
            pytest.fail(state.detail)
        pytest.skip(state.detail)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    found = places.lay(dataset, torchvision=tmp_path / "torchvision")
    assert [place.state for place in found] == ["present"] * 2
    labels = tmp_path / "keras" / "datasets" / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz"
    assert len(gzip.decompress(labels.read_bytes())) == 10_008
