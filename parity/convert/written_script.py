"""A map as a script: plain NumPy and safetensors, to be read, committed and run without us."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from parity.convert import tensor_files
from parity.convert.expressions import (
    Add,
    Broadcast,
    Concatenate,
    Constant,
    Expression,
    Flip,
    Kept,
    Reshape,
    Shape,
    Slice,
    Take,
    Transpose,
    Weight,
    operands,
    weights_of,
)
from parity.convert.stored import StoredTensor
from parity.convert.weight_map import Made, WeightMap, has_sums, kept_names, kept_path
from parity.core.sides import SIDES, TITLES

_WIDTH = 100
_LEAST = 3
"""So many weights that differ in one number are worth a loop."""
_NUMBER = re.compile(r"\d+")

_HEAD = '''"""{title}.

Usage: python {name} SOURCE.safetensors [MORE.safetensors …] TARGET.safetensors

Made by `parity convert --script` of a pair that was checked: {checked}.
"""

import contextlib
import sys
{path_import}
import numpy as np
from safetensors.numpy import load_file, save_file

with contextlib.suppress(ImportError):
    import ml_dtypes  # noqa: F401  # NumPy has no bfloat16 of its own


def convert(w):
    """Weights of {target},
    made of those of {source}.
    """
'''
_ADDED = '''

def added(*terms):
    """The sum, rounded once."""
    total = sum(np.asarray(term, np.float64) for term in terms)
    return total if any(term.dtype == np.float64 for term in terms) else total.astype(np.float32)
'''
_TAIL = '''

def main():
    """Read, convert, write."""
    *sources, target = sys.argv[1:]
    weights = {{}}
    for source in sources:
        weights |= load_file(source)
    made = {{name: array.copy(order="C") for name, array in convert(weights).items()}}
    save_file(made, target{metadata})


if __name__ == "__main__":
    main()
'''


def write(found: WeightMap, path: Path) -> list[Path]:
    """Write the script, and beside it what the model built itself; the files that were written."""
    written = [path]
    if found.kept:
        tensors = {n: StoredTensor(a.shape, a.dtype.name) for n, a in found.kept.items()}
        with tensor_files.replacing(kept_path(path)) as temporary:
            tensor_files.write(temporary, tensors, found.kept.__getitem__)
        written.append(kept_path(path))
    with tensor_files.replacing(path) as temporary:
        temporary.write_text(script(found, path.name), "utf-8")
    return written


def script(found: WeightMap, name: str) -> str:
    """The text of it.

    Args:
        found: the map.
        name: of the script's file.
    """
    titles = {side: f"{found.titles[side]} ({TITLES[side]})" for side in SIDES}
    source, target = titles[found.source], titles[found.target]
    text = _HEAD.format(
        title=f"Weights of {source} as weights of {target}",
        name=name,
        checked=found.checked,
        source=source,
        target=target,
        path_import="from pathlib import Path\n" if found.kept else "",
    )
    if found.kept:
        text += f'    kept = load_file(Path(__file__).with_name("{kept_path(Path(name)).name}"))\n'
    text += "    made = {}\n"
    text += "".join(f"{line}\n" for line in _body(found.weights))
    text += "    return made\n"
    if any(has_sums(made.expression) for made in found.weights.values()):
        text += _ADDED
    metadata = ', {"format": "pt"}' if found.target == "torch" else ""
    return text + _TAIL.format(metadata=metadata)


# Loops over what differs in one number


@dataclass(frozen=True)
class _Loop:
    """Assignments that differ in one number.

    Attributes:
        numbers: all of them.
        name, code: with ``{i}`` in place of it.
    """

    numbers: range
    name: str
    code: str


def _body(weights: Mapping[str, Made]) -> Iterator[str]:
    """The assignments, those that are alike in loops."""
    loops = _loops(weights)
    begun: set[range] = set()
    for name, made in weights.items():
        if name not in loops:
            yield from _assignment(f'"{name}"', _code(made), 4)
            continue
        numbers = loops[name].numbers
        if numbers in begun:
            continue
        begun.add(numbers)
        first = f"{numbers.start}, " if numbers.start else ""
        yield f"    for i in range({first}{numbers.stop}):"
        for loop in dict.fromkeys(loops[n] for n in weights if n in loops):
            if loop.numbers == numbers:
                yield from _assignment(f'f"{loop.name}"', loop.code, 8)


def _loops(weights: Mapping[str, Made]) -> dict[str, _Loop]:
    """Name of a weight → the loop that it is assigned in; the longest that it can be."""
    groups: dict[tuple[str, str], dict[int, str]] = {}
    for name, made in weights.items():
        for found in _NUMBER.finditer(name):
            digits = found.group()
            if digits == str(int(digits)):
                template = f"{name[: found.start()]}{{i}}{name[found.end() :]}"
                code = _code(made, re.compile(rf"(?<!\d){digits}(?!\d)"))
                groups.setdefault((template, code), {})[int(digits)] = name
    loops: dict[str, _Loop] = {}
    for (template, code), members in sorted(groups.items(), key=lambda item: -len(item[1])):
        numbers = range(min(members), max(members) + 1)
        if len(numbers) == len(members) >= _LEAST and not loops.keys() & set(members.values()):
            loops |= dict.fromkeys(members.values(), _Loop(numbers, template, code))
    return loops


def _assignment(name: str, code: str, indent: int) -> Iterator[str]:
    pad = " " * indent
    line = f"{pad}made[{name}] = {code}"
    broken = line if len(line) <= _WIDTH else _broken(line, indent)
    if broken == line and len(line) > _WIDTH:
        broken = f"{pad}made[{name}] = (\n{pad}    {code}\n{pad})"
    yield broken


def _broken(line: str, indent: int) -> str:
    """The operands of the outermost list or call a line each."""
    opening = min((k for k in (line.find("(["), line.find("added(")) if k >= 0), default=-1)
    if opening < 0:
        return line
    start = line.index("[" if line[opening] == "(" else "(", opening) + 1
    parts, depth, begin = [], 0, start
    for k in range(start, len(line)):
        if line[k] in "([{":
            depth += 1
        elif line[k] in ")]}":
            if depth == 0:
                parts.append(line[begin:k])
                break
            depth -= 1
        elif line[k] == "," and depth == 0:
            parts.append(line[begin:k])
            begin = k + 1
    pad = " " * (indent + 4)
    rows = []
    for part in parts:
        row = f"{pad}{part.strip()},"
        rows.append(row if len(row) <= _WIDTH else _broken(row, indent + 4))
    return f"{line[:start]}\n" + "\n".join(rows) + f"\n{' ' * indent}{line[k:]}"


# Code


def _code(made: Made, number: re.Pattern[str] | None = None) -> str:
    """What a weight is, in NumPy.

    Args:
        made: the weight.
        number: what becomes ``{i}`` in the names of the other side's.
    """
    expression = made.expression
    code = _said(expression, number)
    own = [_name("w", name, number) for name in dict.fromkeys(weights_of(expression))]
    mixed = own and (bool(kept_names(expression)) or _constants(expression))
    if mixed or (has_sums(expression) and not isinstance(expression, Add)):
        wanted = (
            f"np.result_type({', '.join(own)})"
            if not has_sums(expression)
            else (f"added({', '.join(own)}).dtype")
        )
        code += f".astype({wanted})"
    return code


def _constants(expression: Expression) -> bool:
    return isinstance(expression, Constant) or any(map(_constants, operands(expression)))


def _name(table: str, name: str, number: re.Pattern[str] | None) -> str:
    if number is not None and number.search(name):
        return f'{table}[f"{number.sub("{i}", name)}"]'
    return f'{table}["{name}"]'


def _said(expression: Expression, number: re.Pattern[str] | None) -> str:
    def of(one: Expression) -> str:
        return _said(one, number)

    match expression:
        case Weight(name):
            return _name("w", name, number)
        case Kept(name):
            return _name("kept", name, number)
        case Constant(value, shape, dtype):
            return f'np.full({_shape(shape)}, {value!r}, "{dtype}")'
        case Transpose(one, (1, 0)):
            return f"{of(one)}.T"
        case Transpose(one, axes):
            return f"{of(one)}.transpose{_shape(axes)}"
        case Reshape(one, shape):
            return f"{of(one)}.reshape({', '.join(map(str, shape)) or '()'})"
        case Slice(one, axis, start, stop):
            return f"{of(one)}[{':, ' * axis}{start or ''}:{stop}]"
        case Flip(one, axes):
            return f"np.flip({of(one)}, {_shape(axes)})"
        case Take(one, axis, indices):
            return f"{of(one)}.take({list(indices)}, {axis})"
        case Broadcast(one, shape):
            return f"np.broadcast_to({of(one)}, {_shape(shape)})"
        case Concatenate(parts, axis):
            return f"np.concatenate([{', '.join(map(of, parts))}], {axis})"
        case Add(parts):
            return f"added({', '.join(map(of, parts))})"


def _shape(shape: Shape) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
