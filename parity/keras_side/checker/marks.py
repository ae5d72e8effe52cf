"""What the tracer writes down while a model runs: raw nodes, and where each tensor comes from."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from parity.core.sites import Site

SOME = object()
"""In place of indices where nobody wants to know which."""


@dataclass(eq=False)
class Raw:
    """One operation as it was heard, before patterns are folded and names are given.

    Attributes:
        kind, settings, code: as in `parity.checker.graph.graph.Node`.
        sources: where its operands come from.
        outputs: the tensors it yielded.
        parameters: role → key of the parameter.
        run: the operation once more, on other operands.
        name: given already; else `scope` and `function` say it.
        scope: the innermost layer that was being called.
        function: what it is called within that layer.
        origin: its place in the order of execution.
        specs: shapes and dtypes of the operands.
        taken: how many take its value.
        place: the user's file and line that made it or called it.
        called: where its layer or function was called.
        library: the library's object that it lies in; see `naming.library_of`.
    """

    kind: str
    settings: dict[str, Any]
    sources: list[Ref]
    outputs: list[Any]
    run: Any
    parameters: dict[str, int] = field(default_factory=dict)
    name: str | None = None
    scope: Any = None
    function: str = ""
    code: str = ""
    origin: int = -1
    specs: list[Any] = field(default_factory=list)
    taken: int = 0
    place: tuple[str, int] | None = None
    called: tuple[Site, ...] = ()
    library: dict[str, Any] | None = None

    @property
    def signature(self):
        """What tells it from others in another run; names change when a model is built anew."""
        return self.kind, self.function, *[tuple(y.shape) for y in self.outputs]


@dataclass(eq=False)
class Ref:
    """Which elements of which root value a tensor holds.

    Attributes:
        root: ``(what, index)``; what is a `Raw`, ``"input"``, ``"constant"`` or ``"parameter"``.
        shape: of the tensor.
        ids: NumPy int64, None where the tensor is the root as it is.
    """

    root: tuple[Any, int]
    shape: tuple[int, ...]
    ids: Any = None

    @property
    def key(self):
        """Equal for two references to the same elements of the same root."""
        ids = None if self.ids is None else (self.ids.shape, self.ids.tobytes())
        return (*self.root, ids)

    @property
    def raw(self):
        """The node that made it, where it is that node's value as it is."""
        return self.root[0] if self.ids is None and isinstance(self.root[0], Raw) else None


@dataclass(eq=False)
class Scope:
    """A call of a layer that is looked into.

    Attributes:
        layer: the layer.
        builtin: Keras' own, so that its name is the name of what happens in it.
        code: how one would write it.
    """

    layer: Any
    builtin: bool
    code: str = ""


@dataclass
class Weight:
    """What is known of a variable.

    Attributes:
        variable: Keras'.
        position: in ``model.weights``.
        role: one of those of `parity.checker.graph.graph`.
        owner: the layer's name.
        shape: canonical.
        axes: order of axes before the reshape to `shape`; None where they stay.
        used: by some node.
    """

    variable: Any
    position: int
    role: str
    owner: str
    shape: tuple[int, ...]
    axes: tuple[int, ...] | None = None
    used: bool = False

    def canonical(self, array):
        """From Keras' layout."""
        array = np.asarray(array)
        return (array if self.axes is None else array.transpose(self.axes)).reshape(self.shape)

    def own(self, array):
        """Into Keras' layout."""
        shape = tuple(self.variable.shape)
        array = np.asarray(array)
        if self.axes is None:
            return array.reshape(shape)
        inverse = np.argsort(self.axes)
        return array.reshape([shape[a] for a in self.axes]).transpose(inverse)


def taken(value, ids):
    """The elements `ids` of a tensor."""
    return value if ids is None else tf.gather(tf.reshape(value, [-1]), ids)


def is_numeric(tensor):
    """Whether it is an array of numbers: no text, no handle, no rows of unlike length."""
    kind = tensor.dtype
    numbers = kind.is_floating or kind.is_integer or kind.is_bool or kind.is_complex
    return isinstance(tensor, tf.Tensor) and numbers


def as_array(x):
    """A copy of a variable, a tensor or an array; half precision as float32, which holds it."""
    array = np.array(x.numpy() if hasattr(x, "numpy") else x)
    half = array.dtype.name in ("float16", "bfloat16")
    return array.astype(np.float32) if half else array


def flat(structure):
    """Leaves of nested lists, tuples and dictionaries, these by their sorted keys."""
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure, key=str) for leaf in flat(structure[key])]
    if isinstance(structure, list | tuple):
        return [leaf for value in structure for leaf in flat(value)]
    return [structure]


def returned(structure, name=""):
    """Tensors that a model returns, each with the keys or fields that lead to it."""
    if tf.is_tensor(structure):
        return [(name, structure)]
    if isinstance(structure, dict):
        parts = structure.items()
    elif isinstance(structure, tuple) and hasattr(structure, "_fields"):
        parts = zip(structure._fields, structure, strict=True)
    elif isinstance(structure, list | tuple):
        parts = enumerate(structure)
    elif dataclasses.is_dataclass(structure):
        parts = [(f.name, getattr(structure, f.name)) for f in dataclasses.fields(structure)]
    else:
        return []
    return [
        leaf
        for key, part in parts
        for leaf in returned(part, f"{name}.{key}" if name else str(key))
    ]


def filled(structure, replace):
    """The same structure with every leaf replaced."""
    if isinstance(structure, dict):
        return {key: filled(value, replace) for key, value in structure.items()}
    if isinstance(structure, list | tuple):
        items = [filled(value, replace) for value in structure]
        named = isinstance(structure, tuple) and hasattr(structure, "_fields")
        return type(structure)(*items) if named else type(structure)(items)
    return replace(structure)


@contextlib.contextmanager
def swapped(owner, **attributes):
    """Set attributes of an object or module for a while, past any tracking of its own."""
    space = vars(owner)
    missing = object()
    before = {name: space.get(name, missing) for name in attributes}
    if isinstance(owner, type):
        put, drop = type.__setattr__, type.__delattr__
    else:
        put, drop = object.__setattr__, object.__delattr__
    for name, value in attributes.items():
        put(owner, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is missing:
                drop(owner, name)
            else:
                put(owner, name, value)


def shortest(value):
    """A float32 constant as it was probably written: 0.1, not 0.10000000149."""
    value = np.asarray(value).reshape(-1)[0]
    if value.dtype == np.float32:
        return float(str(value))
    return value.item()
