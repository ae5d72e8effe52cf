"""A conversion from beginning to end: check, carry, write, load again, and only then keep."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from parity.checker import check as checking
from parity.checker.check import Carried
from parity.checker.graph.model_interface import Model
from parity.checker.graph.target import Target
from parity.checker.result.check_result import CheckResult
from parity.checker.workers.pair import Say
from parity.checker.workers.remote_model import RemoteModel
from parity.checker.workers.request import CheckRequest, processes
from parity.convert import derive, loaded_alone, tensor_files
from parity.convert.derive import Derived
from parity.convert.expressions import Array, Constant, Expression, Kept
from parity.convert.loaded_alone import LoadedAgain
from parity.convert.stored import Stored
from parity.convert.tensor_files import TensorFile
from parity.convert.weight_map import Made, WeightMap, kept_names
from parity.core.errors import UsageError
from parity.core.sides import SIDES, Side

SUFFIXES: Mapping[Side, tuple[str, ...]] = {
    "torch": (".safetensors", ".pt", ".pth", ".bin", ".pth.tar"),
    "keras": (".weights.h5", ".keras", ".safetensors"),
}
"""How what each framework writes may be called."""


@dataclass(frozen=True)
class ConversionRequest:
    """What to convert.

    Attributes:
        targets: both models, PyTorch's first; one may have a weights file.
        check: how they are checked; `weights_from` is the side that the weights are of.
        out: the other side's file.
        anyway: write it even where the two are not the same function.
        mapped: say the map, too.
    """

    targets: tuple[Target, Target]
    check: CheckRequest
    out: Path
    anyway: bool = False
    mapped: bool = False

    @property
    def target(self) -> Side:
        """The side that the weights go to."""
        return SIDES[1 - SIDES.index(self.check.weights_from)]


@dataclass(frozen=True)
class Conversion:
    """What came of it.

    Attributes:
        result: of the check, with telling numbers in place of zeros and ones.
        carried: whether the two agree with the weights just as they are, too.
        weights: how many the new file has.
        numbers: in all of them but those that are kept.
        kept: names in the new file of what no weight of the old one goes into.
        unused: names in the old file of what goes nowhere.
        computed: name in the new file → of which weights the other model computes it.
        map: where it was asked for.
        again: how the file did in a fresh process; None where nothing was written.
        notes: what the reader must know.
    """

    result: CheckResult
    carried: bool
    weights: int
    numbers: int
    kept: tuple[str, ...]
    unused: tuple[str, ...]
    computed: Mapping[str, str]
    map: WeightMap | None = None
    again: LoadedAgain | None = None
    notes: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether the two are the same function."""
        return self.result.verdict == "agree" and self.carried


def convert(request: ConversionRequest, say: Say = lambda words: None) -> Conversion:
    """Take the weights of one model to the other, prove it, and write them.

    Raises:
        ModelError: a model cannot be loaded or run, its file is not of it, or the new file does not
            load.
        WorkerError: a process does not start, dies or hangs.
        UsageError: what is asked contradicts itself.
    """
    expect_writable(request.out, request.target)
    with processes(request.check) as remotes:
        return convert_in(remotes, request, say)


def convert_in(
    remotes: tuple[RemoteModel, RemoteModel],
    request: ConversionRequest,
    say: Say = lambda words: None,
) -> Conversion:
    """Convert in processes that are there; raises as `convert` does."""
    source = request.check.weights_from
    carried = checking.carry_in(remotes, request.targets, request.check, say)
    mine, theirs = remotes if source == "torch" else remotes[::-1]
    say("saying what goes where")
    taken = derive.across(carried.comparison, source)
    raw = (
        mine.stored(datasets=request.mapped),
        theirs.stored([*taken.weights, *taken.computed], datasets=request.mapped),
    )
    stored = Stored.from_json(raw[0]), Stored.from_json(raw[1])
    derived = derive.derive(taken, *stored)
    conversion = _outcome(carried, derived, stored[1], [n for one in raw for n in one["notes"]])
    if not (conversion.agrees or request.anyway):
        return conversion
    if request.mapped:
        say("proving the map")
        found = _map(source, carried, derived, stored, (mine, theirs))
        conversion = replace(conversion, map=found)
    with tensor_files.replacing(request.out) as temporary:
        say("writing the file, and loading it again")
        theirs.save_weights(str(temporary), _types(derived, stored))
        return replace(conversion, again=_loaded_again(request, carried, theirs, temporary))


def _loaded_again(
    request: ConversionRequest, carried: Carried, model: Model, path: Path
) -> LoadedAgain:
    """How the new file does by itself.

    Raises:
        UsageError: it gives other outputs, and is not wanted anyway.
    """
    number = SIDES.index(request.target)
    again = loaded_alone.loaded_again(
        request.target,
        model,
        request.targets[number],
        path,
        inputs=carried.inputs[number],
        names=carried.names[number],
        python=request.check.pythons.get(request.target),
        timeout=request.check.timeout,
    )
    if not again.agrees and not request.anyway:
        raise UsageError(
            f"'{request.out}' is not written: loaded by the framework alone it gives other "
            f"outputs, {again.distance:.2g} apart. Expected a model that is built in the same way "
            "every time; with --anyway the file is written."
        )
    return again


def expect_writable(path: Path, side: Side) -> None:
    """This side writes such files, and there is a place for it.

    Raises:
        UsageError: it does not, or there is none.
    """
    if not path.name.endswith(SUFFIXES[side]):
        title = {"torch": "PyTorch", "keras": "Keras"}[side]
        raise UsageError(
            f"--out '{path}' is to hold weights of the {title} model. Expected a name that ends in "
            f"{', '.join(SUFFIXES[side])}."
        )
    if not path.parent.is_dir():
        raise UsageError(f"--out '{path}': there is no folder '{path.parent}'. Make it first.")


def _outcome(carried: Carried, derived: Derived, target: Stored, notes: list[str]) -> Conversion:
    kept = tuple(n for n, one in derived.weights.items() if kept_names(one))
    return Conversion(
        carried.result,
        carried.findings.agrees,
        len(target.tensors),
        sum(math.prod(t.shape) for name, t in target.tensors.items() if name not in kept),
        kept,
        derived.unused,
        derived.computed,
        notes=tuple(notes),
    )


def _types(derived: Derived, stored: tuple[Stored, Stored]) -> dict[str, str]:
    """Name in the new file → the type that what goes into it has in the old file."""
    source, target = stored
    weights = {
        name: replace(tensor, dtype=source.types.get(name, tensor.dtype))
        for name, tensor in source.tensors.items()
    }
    return {
        name: Made(one, target.tensors[name].shape, target.tensors[name].dtype).type_in(weights)
        for name, one in derived.weights.items()
    }


# The map


def _map(
    source: Side,
    carried: Carried,
    derived: Derived,
    stored: tuple[Stored, Stored],
    models: tuple[Model, Model],
) -> WeightMap:
    """The map, with what the other model built itself; the same numbers as went across in memory.

    Raises:
        UsageError: a weight is computed, or the map gives other numbers.
    """
    if derived.computed:
        name, behind = next(iter(derived.computed.items()))
        raise UsageError(
            f"There is no map of this pair: {name} is what the other model computes of {behind}, "
            "and a map only moves and adds. Without --map-out and --script it is converted."
        )
    mine, theirs = stored
    titles = {side: title.rpartition("/")[2] for side, title in carried.result.titles.items()}
    with tempfile.TemporaryDirectory(prefix="parity-convert-") as folder:
        files = []
        for name, model in zip(("mine", "theirs"), models, strict=True):
            path = Path(folder, f"{name}.safetensors")
            model.save_weights(str(path), {})
            files.append(TensorFile(path))
        built = {n: files[1][n] for one in derived.weights.values() for n in kept_names(one)}
        weights = {
            name: Made(
                _constant(one, built), theirs.tensors[name].shape, theirs.tensors[name].dtype
            )
            for name, one in derived.weights.items()
        }
        kept = {n for made in weights.values() for n in kept_names(made.expression)}
        found = WeightMap(
            source,
            titles,
            {name: tensor.shape for name, tensor in mine.tensors.items()},
            weights,
            mine.alike,
            {source: mine.datasets, SIDES[1 - SIDES.index(source)]: theirs.datasets},
            {name: built[name] for name in sorted(kept)},
            derived.unused,
            carried.result.verdict,
        )
        results = found.results(files[0].tensors)
        for name, tensor in results.items():
            made = found.make(name, files[0], tensor.dtype)
            if not _same(made, files[1][name]):
                raise UsageError(
                    f"There is no map of this pair that is sure: for {name} it gives other numbers "
                    "than went across. Without --map-out and --script it is converted."
                )
    return found


def _constant(expression: Expression, built: Mapping[str, Array]) -> Expression:
    """A number for a weight that is the same number everywhere."""
    if not isinstance(expression, Kept):
        return expression
    array = built[expression.name]
    if not array.size or not np.all(array == array.flat[0]):
        return expression
    return Constant(array.flat[0].item(), array.shape, array.dtype.name)


def _same(mine: Array, theirs: Array) -> bool:
    """Whether two arrays have the same numbers, in whatever types."""
    if mine.shape != theirs.shape:
        return False
    if mine.dtype == theirs.dtype:
        return mine.tobytes() == theirs.tobytes()
    return np.array_equal(mine.astype(np.float64), theirs.astype(np.float64), equal_nan=True)
