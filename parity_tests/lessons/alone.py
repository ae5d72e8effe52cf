"""Runs a lesson as a script where only its framework and NumPy are installed; made small."""

import sys
from importlib.abc import MetaPathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = {"torch": "pytorch_impl", "keras": "keras_impl"}
_OTHERS = {"torch": ("keras", "tensorflow"), "keras": ("torch", "torchvision")}
_TOOLS = {  # what the tool needs and the framework does not
    "torch": ("typer", "rich", "platformdirs", "libcst", "requests", "statsmodels"),
    "keras": ("typer", "platformdirs", "libcst", "jinja2", "statsmodels"),
}
TRAIN, TEST = 256, 64


class _Without(MetaPathFinder):
    """Finds what another finder finds, as if these packages were not installed."""

    def __init__(self, finder, names):
        self._finder, self._names = finder, names

    def find_spec(self, name, path=None, target=None):
        """None for what is not installed."""
        missing = name.partition(".")[0] in self._names
        return None if missing else self._finder.find_spec(name, path, target)


def run(side, name, *arguments):
    """What ``python pytorch_impl/NAME.py`` does, on a few samples and in one epoch.

    Prints as the lesson does. The lesson finds what its own folder and the folder above offer, for
    that is what a script finds in a clone where nothing of ours is installed.
    """
    path = ROOT / FOLDERS[side] / f"{name}.py"
    missing = {*_OTHERS[side], *_TOOLS[side]}
    sys.meta_path[:] = [_Without(finder, missing) for finder in sys.meta_path]
    here = {str(ROOT), "", "."}
    sys.path[:] = [str(path.parent), *(folder for folder in sys.path if folder not in here)]
    sys.argv = [str(path), *arguments]
    again = {"shared", "parity", *missing}  # as if nothing of them had been imported
    for loaded in [n for n in sys.modules if n.partition(".")[0] in again]:
        del sys.modules[loaded]
    load_few()
    spec = spec_from_file_location(name, path)
    lesson = module_from_spec(spec)
    sys.modules[name] = lesson  # for TensorFlow's AutoGraph, and for processes that load batches
    spec.loader.exec_module(lesson)
    if hasattr(lesson, "EPOCHS"):
        lesson.EPOCHS = 1
    lesson.main()
    loaded = {n.partition(".")[0] for n in sys.modules}
    assert not loaded & set(_OTHERS[side]), "it loads the other framework"
    print("done")


def load_few():
    """From now on `shared.data.load` gives a few samples, of what the repository carries."""
    import shared.data

    whole = shared.data.load
    embedded = {dataset.name for dataset in shared.data.DATASETS if dataset.embedded}

    def load(name, part="embedded", **_):
        return _some(whole(name, "embedded" if name in embedded else part))

    shared.data.load = load


def _some(data):
    """The first samples of a dataset."""
    import dataclasses

    return dataclasses.replace(
        data.first(min(TRAIN, len(data.train_labels))),
        test_images=data.test_images[:TEST],
        test_labels=data.test_labels[:TEST],
    )
