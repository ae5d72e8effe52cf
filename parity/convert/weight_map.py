"""The map and its file: how every weight of one side's file is made of the other side's.

A map is a JSON document; what a model built itself and no number says lies beside it, in a
safetensors file of the same name. docs/convert.md describes both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from parity.convert import expressions, tensor_files
from parity.convert.expressions import Add, Array, Expression, Kept, Shape, weights_of
from parity.convert.stored import StoredTensor
from parity.convert.tensor_files import TensorFile
from parity.core.errors import UsageError
from parity.core.sides import SIDES, Side, side_named

FORMAT, VERSION = "parity weight map", 1
KEPT_SUFFIX = ".kept.safetensors"
"""In place of a map's ``.json``: the file of what the model built itself."""


@dataclass(frozen=True)
class Made:
    """A weight of the new file.

    Attributes:
        expression: what it is, over the old file's weights.
        shape: of it.
        dtype: of it, where no weight of the old file goes into it; else it has theirs.
    """

    expression: Expression
    shape: Shape
    dtype: str

    def type_in(self, weights: Mapping[str, StoredTensor]) -> str:
        """Its type, made of weights of these types."""
        own = [np.dtype(weights[name].dtype) for name in weights_of(self.expression)]
        if not own:
            return self.dtype
        if has_sums(self.expression):
            return "float64" if np.dtype("float64") in own else "float32"
        return np.result_type(*own).name


@dataclass(frozen=True)
class WeightMap:
    """How a file of one side becomes one of the other.

    Attributes:
        source: the side that the weights come from.
        titles: side → how people call the model.
        tensors: what the source's file has: name → shape.
        weights: what the other file has.
        alike: name in the source's file → the other name of the same weight.
        datasets: side → name of a weight → where a ``.weights.h5`` has it.
        kept: name → what the other model built itself.
        unused: names in the source's file that go nowhere.
        checked: the verdict of the check, for whoever reads the file.
    """

    source: Side
    titles: Mapping[str, str]
    tensors: Mapping[str, Shape]
    weights: Mapping[str, Made]
    alike: Mapping[str, str] = field(default_factory=dict)
    datasets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    kept: Mapping[str, Array] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    checked: str = ""

    @property
    def target(self) -> Side:
        """The side that the weights go to."""
        return "keras" if self.source == "torch" else "torch"

    @property
    def needed(self) -> tuple[str, ...]:
        """Names of the source's weights that go somewhere."""
        used = {n for made in self.weights.values() for n in weights_of(made.expression)}
        return tuple(name for name in self.tensors if name in used)

    def results(self, weights: Mapping[str, StoredTensor]) -> dict[str, StoredTensor]:
        """What the new file has, made of such weights.

        Args:
            weights: name in the map → shape and type in the old file.
        """
        return {n: StoredTensor(m.shape, m.type_in(weights)) for n, m in self.weights.items()}

    def make(self, name: str, weights: Mapping[str, Array], dtype: str) -> Array:
        """A weight of the new file.

        Args:
            name: of it.
            weights: name in the map → array of the old file.
            dtype: of it, as `results` says.
        """
        made = expressions.evaluated(
            self.weights[name].expression, weights.__getitem__, self.kept.__getitem__
        )
        return made.astype(np.dtype(dtype), copy=False)

    # Its file

    def write(self, path: Path) -> list[Path]:
        """Write the map, and what is kept beside it; the files that were written."""
        document = {
            "format": FORMAT,
            "version": VERSION,
            "from": self.source,
            "models": dict(self.titles),
            "checked": self.checked,
            "weights": {
                name: {
                    "is": expressions.to_json(made.expression),
                    "shape": list(made.shape),
                    "dtype": made.dtype,
                }
                for name, made in self.weights.items()
            },
            "of": {name: list(shape) for name, shape in self.tensors.items()},
            "alike": dict(self.alike),
            "unused": list(self.unused),
            "datasets": dict(self.datasets),
        }
        written = [path]
        if self.kept:
            beside = kept_path(path)
            tensors = {n: StoredTensor(a.shape, a.dtype.name) for n, a in self.kept.items()}
            with tensor_files.replacing(beside) as temporary:
                tensor_files.write(temporary, tensors, self.kept.__getitem__)
            written.append(beside)
        with tensor_files.replacing(path) as temporary:
            temporary.write_text(_document(document), "utf-8")
        return written

    @classmethod
    def read(cls, path: Path) -> WeightMap:
        """Read a map.

        Raises:
            UsageError: it is none, is of another version, or what is kept is not beside it.
        """
        try:
            raw = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"--map '{path}' cannot be read: {error}.") from error
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            raise UsageError(f"--map '{path}' is no map of weights. Expected what --map-out wrote.")
        if raw.get("version") != VERSION:
            raise UsageError(
                f"--map '{path}' is of version {raw.get('version')}; this is version {VERSION}. "
                "Write it anew with --map-out."
            )
        try:
            weights = {name: _made(one) for name, one in raw["weights"].items()}
            found = cls(
                side_named(raw["from"]),
                {side: str(raw["models"][side]) for side in SIDES},
                {name: tuple(map(int, shape)) for name, shape in raw["of"].items()},
                weights,
                raw["alike"],
                raw["datasets"],
                {},
                tuple(raw["unused"]),
                raw["checked"],
            )
            unknown = {n for m in weights.values() for n in weights_of(m.expression)}
            unknown -= set(found.tensors)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(f"--map '{path}' is damaged: it lacks {error}.") from error
        if unknown:
            raise UsageError(f"--map '{path}' takes {min(unknown)}, whose shape it does not say.")
        wanted = {n for m in weights.values() for n in kept_names(m.expression)}
        if not wanted:
            return found
        beside = kept_path(path)
        if not beside.is_file():
            raise UsageError(
                f"--map '{path}' needs {beside.name} beside it, which is not there: it has "
                f"{', '.join(sorted(wanted)[:8])}."
            )
        kept = TensorFile(beside)
        return cls(**{**vars(found), "kept": {name: kept[name] for name in sorted(wanted)}})


def kept_path(path: Path) -> Path:
    """The file beside a map, or a script of one."""
    return path.with_name(path.name.removesuffix(path.suffix) + KEPT_SUFFIX)


def kept_names(expression: Expression) -> set[str]:
    """What of the model's own goes into an expression."""
    if isinstance(expression, Kept):
        return {expression.name}
    return set().union(*map(kept_names, expressions.operands(expression)))


def _made(raw: Mapping[str, Any]) -> Made:
    expression = expressions.from_json(raw["is"])
    return Made(expression, tuple(map(int, raw["shape"])), str(np.dtype(raw["dtype"])))


def has_sums(expression: Expression) -> bool:
    """Whether anything is added in it."""
    return isinstance(expression, Add) or any(map(has_sums, expressions.operands(expression)))


def _document(raw: Mapping[str, Any]) -> str:
    """JSON with a weight a line."""
    lines = []
    for key, value in raw.items():
        if isinstance(value, dict) and value:
            rows = [f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()]
            lines.append(f"  {json.dumps(key)}: {{\n" + ",\n".join(rows) + "\n  }")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"
