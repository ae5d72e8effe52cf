"""A checkpoint converted by a map: no model, no framework where both files are safetensors.

A tensor is read, made and written before the next one; memory is that of the largest. What is no
safetensors file its own framework reads and writes, in a process of its own, by way of one.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parity.convert import names, tensor_files
from parity.convert.expressions import Array
from parity.convert.tensor_files import TensorFile
from parity.convert.weight_map import WeightMap
from parity.core.errors import UsageError, WorkerError
from parity.core.sides import SIDE_PACKAGES, TITLES, Side
from parity.workers.environment import ROOT, environment

_PLAIN = (".safetensors", ".safetensors.index.json")


@dataclass(frozen=True)
class Mapped:
    """What came of it.

    Attributes:
        weights: how many the new file has.
        unexpected: names of the old file that the map does not know.
        prefix: what was taken off the names of the old file.
    """

    weights: int
    unexpected: tuple[str, ...]
    prefix: str


def convert_by_map(
    found: WeightMap, source: Path, out: Path, pythons: Mapping[Side, str]
) -> Mapped:
    """Write the other side's file.

    Args:
        found: the map.
        source: the file to be converted.
        out: the new one.
        pythons: interpreter of each side, where a file is that framework's own.

    Raises:
        UsageError: the file is not what the map is of.
        WorkerError: a framework that is needed is not there.
    """
    if out.name.endswith(".keras"):
        raise UsageError(
            f"--out '{out}' would hold the model, too, which a map does not have. Expected "
            "NAME.weights.h5 or NAME.safetensors."
        )
    with contextlib.ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix=".parity-", dir=out.parent))
        )
        file = TensorFile(_plain(found, source, folder, pythons))
        fit = names.fitted(file, found.tensors, found.alike)
        needed = set(found.needed)
        lacking = tuple(name for name in fit.missing if name in needed)
        names.expect_all(names.Fit(fit.names, lacking, ()), str(source), found.titles[found.source])
        tensors = {name: file.tensors[fit.names[name]] for name in found.needed}
        shapes = {name: tensor.shape for name, tensor in tensors.items()}
        names.expect_shapes(shapes, found.tensors, str(source), found.titles[found.source])
        weights = _Renamed(file, fit.names)
        results = found.results(tensors)
        temporary = stack.enter_context(tensor_files.replacing(out))
        plain = out.name.endswith(".safetensors")
        target = temporary if plain else folder / "made.safetensors"
        metadata = {"format": "pt"} if found.target == "torch" else None
        tensor_files.write(
            target, results, lambda name: found.make(name, weights, results[name].dtype), metadata
        )
        if not plain:
            _written(found, temporary, target, pythons)
    return Mapped(len(results), fit.unexpected, fit.prefix)


class _Renamed(Mapping[str, Array]):
    """A file by the names of the map."""

    def __init__(self, file: TensorFile, own: Mapping[str, str]) -> None:
        self._file, self._own = file, own

    def __getitem__(self, name: str) -> Array:
        return self._file[self._own[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


def _plain(found: WeightMap, source: Path, folder: Path, pythons: Mapping[Side, str]) -> Path:
    """The file as safetensors."""
    if source.name.endswith(_PLAIN):
        return source
    plain = folder / "read.safetensors"
    asked: dict[str, Any] = {"do": "read", "path": str(source), "plain": str(plain)}
    if found.source == "keras":
        asked["datasets"] = _datasets(found, found.needed)
    else:
        asked["names"] = list(found.tensors)
    _ask(found.source, asked, pythons)
    return plain


def _written(found: WeightMap, out: Path, plain: Path, pythons: Mapping[Side, str]) -> None:
    """A safetensors file as the framework's own."""
    asked: dict[str, Any] = {"do": "write", "path": str(out), "plain": str(plain)}
    if found.target == "keras":
        asked["datasets"] = _datasets(found, tuple(found.weights))
    _ask(found.target, asked, pythons)


def _datasets(found: WeightMap, wanted: Sequence[str]) -> dict[str, str]:
    known = found.datasets.get("keras", {})
    lacking = [name for name in wanted if name not in known]
    if lacking:
        raise UsageError(
            f"The map does not say where a .weights.h5 has {', '.join(lacking[:8])}: Keras writes "
            "it in a way of its own. Expected safetensors."
        )
    return {name: known[name] for name in wanted}


def _ask(side: Side, asked: Mapping[str, Any], pythons: Mapping[Side, str]) -> None:
    """Have a framework read or write its own file."""
    # By its path: the package around it would import all of the framework.
    package = SIDE_PACKAGES[side].removeprefix("parity.")
    script = ROOT / "parity" / package / "checker" / "plain_files.py"
    ended = subprocess.run(
        [pythons.get(side, sys.executable), str(script)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env=environment(),
    )
    if ended.returncode == 1 and ended.stdout.strip():
        raise UsageError(ended.stdout.strip())
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]
        raise WorkerError(
            f"{TITLES[side]} is needed to {asked['do']} its own file: {last}. Give its interpreter "
            f"with --{side}-python, or take safetensors, for which no framework is needed."
        )
