"""How a line is written in a file: modules by the names that they have there, quotes, new names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import libcst as cst

from parity.checker.apply.source import NotAppliedError, SourceFile
from parity.checker.apply.user_code import UserCode
from parity.operations import code as lines

_MODULES = {
    "layers": "keras.layers",
    "ops": "keras.ops",
    "keras": "keras",
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "torch": "torch",
}
"""Module as lines call it → what it is."""


def is_layer(line: str) -> bool:
    """Whether a line makes a layer, and is no function of ``x``."""
    return line.startswith(("layers.", "nn."))


class Spelling:
    """Spells the lines of a cause as the user's files would have them."""

    def __init__(self, code: UserCode) -> None:
        self._code = code

    def told_apart(self, source: SourceFile, line: str) -> str:
        """A layer with a name of its own, where the one that Keras would give it is taken."""
        name = snake(lines.function_name(line))
        taken = re.search(rf"""["']{name}["']""", source.text)
        if line.startswith("nn.") or "name=" in line or not taken:
            return line
        number = next(k for k in range(1, 1000) if f"{name}_{k}" not in self._code.made)
        return lines.changed(line, {"name": f"{name}_{number}"})

    def renamed(self, source: SourceFile, text: str) -> str:
        """A function of Keras' in a layer of another name, where a layer has the function's.

        In a functional model the two would be two operations of one name, which Keras refuses.
        """
        name, parsed = lines.function_name(text), lines.call(text)
        taken = re.search(rf"""name=["']{name}["']""", source.text)
        if not text.startswith("ops.") or not taken or parsed is None or not parsed.args:
            return text
        operand = ast.get_source_segment(text, parsed.args[0]) or ast.unparse(parsed.args[0])
        inner = text.replace(operand, "x", 1)
        number = next(k for k in range(1, 1000) if f"{name}_{k}" not in source.text)
        return f'layers.Lambda(lambda x: {inner}, name="{name}_{number}")({operand})'

    def as_layer(self, source: SourceFile, line: str) -> str:
        """A step as an element of a list of layers."""
        if is_layer(line):
            return self.spelled(source, line)
        if "F." in line or "torch." in line:
            raise NotAppliedError(f"{line} is no module, which a list of modules needs")
        return f"{self.spelled(source, 'layers.Lambda')}(lambda x: {self.spelled(source, line)})"

    def spelled(
        self, source: SourceFile, text: str, *, like: cst.BaseExpression | None = None
    ) -> str:
        """A line with ``layers``, ``ops`` and ``keras`` called as the file calls them."""
        word, _, name = text.partition(".")
        if isinstance(like, cst.Attribute) and word in ("layers", "nn"):
            return f"{source.code(like.value)}.{name}"
        for word in _MODULES:
            if re.search(rf"(?<![\w.]){word}\.", text):
                text = re.sub(rf"(?<![\w.]){word}\.", f"{self._module(source, word)}.", text)
        return text

    def _module(self, source: SourceFile, word: str) -> str:
        """What a file calls ``keras.layers``, ``keras.ops`` or ``keras``; imported if need be."""
        wanted = _MODULES[word]
        top, _, rest = wanted.partition(".")
        known = dict(_imports(source.tree))
        for name, what in known.items():
            if what == wanted:
                return name
        for name, what in known.items():
            if what == top:
                return f"{name}.{rest}"
        outer, _, inner = wanted.rpartition(".")
        line = f"from {outer} import {inner}" if outer else f"import {wanted}"
        line += f" as {word}" if word not in (inner, wanted) else ""
        places = [s for s in source.module.body if _is_import(source, s)]
        changes = self._code.changes_of(source.path)
        if not places:
            raise NotAppliedError(f"{source.path} imports nothing to put '{line}' behind")
        changes.lines(places[-1], line, after=True)
        return word


def _is_import(source: SourceFile, node: cst.CSTNode) -> bool:
    return isinstance(node, cst.SimpleStatementLine) and isinstance(
        node.body[0], cst.Import | cst.ImportFrom
    )


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Name in a file → ``keras``, ``keras.layers``, ``keras.ops``, as far as it is one of them."""
    for node in tree.body:
        for one in getattr(node, "names", ()) if hasattr(node, "names") else ():
            module = getattr(node, "module", None)
            whole = f"{module}.{one.name}" if module else one.name
            whole = re.sub(r"^tensorflow\.keras|^tf_keras", "keras", whole)
            if whole == "tensorflow":
                yield f"{one.asname or one.name}.keras", "keras"
            elif one.asname or module or "." not in one.name:
                yield one.asname or one.name, whole


def quoted(text: str) -> str:
    """A string in the quotes that people write here."""
    plain = text[1:-1]
    return f'"{plain}"' if text == f"'{plain}'" and '"' not in plain else text


def quoted_all(text: str) -> str:
    """Code with its strings in those quotes."""
    return re.sub(r"'([^'\"]*)'", r'"\1"', text)


def snake(name: str) -> str:
    """What Keras calls a layer of this class: ``zero_padding2d``; of a module's, ``gelu``."""
    name = name.replace("ReLU", "Relu").replace("ELU", "Elu").replace("LSTM", "Lstm")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", re.sub(r"(\d)D$", r"\1d", name)).lower()
