"""The suite of this project: its examples, their data and their initial weights, for the tool."""

from pathlib import Path

from parity.spec.suite import DataFiles, Suite
from shared import data, initial_weights
from shared.data.cache import cache_folder
from shared.data.images import EMBEDDED_FOLDER
from shared.differences import DIFFERENCES, SECTIONS
from shared.examples import ALL


def _data_files(name: str) -> DataFiles:
    """The files of a dataset, in the cache and in the repository, and what reads them."""
    places = [cache_folder(data.find(name)), EMBEDDED_FOLDER / name]
    content = sorted(file for place in places for file in place.rglob("*") if file.is_file())
    return DataFiles(tuple(content), tuple(sorted(Path(data.__file__).parent.glob("*.py"))))


SUITE = Suite(
    examples=ALL,
    differences=DIFFERENCES,
    sections=SECTIONS,
    load=data.load,
    data_files=_data_files,
    draw=initial_weights.draw,
)
