"""Parameters in canonical layout: which of the module's tensors stand behind each, and how."""

from dataclasses import dataclass, field

import numpy as np
import torch

from parity.checker.graph.graph import STATISTICS, Parameter
from parity.torch_side.checker.calls import split_names

PLAIN_NAMES = frozenset(
    split_names(
        "weight bias running_mean running_var in_proj_weight in_proj_bias q_proj_weight "
        "k_proj_weight v_proj_weight"
    )
)


class Codec:
    """As the framework has it."""

    def read(self, arrays, *, gradients=False):
        """The module's arrays as one canonical array."""
        return np.asarray(arrays[0])

    def write(self, value, arrays):
        """The canonical array as the module's arrays; `arrays` are the present ones."""
        return [np.asarray(value).reshape(arrays[0].shape)]

    def moved(self, arrays):
        """Which arrays an optimizer's step on the canonical parameter moves."""
        return [True] * len(arrays)


class Kernel(Codec):
    """Output and input axes first in the module, last, and swapped, in Keras."""

    def read(self, arrays, *, gradients=False):
        array = arrays[0]
        return np.ascontiguousarray(array.transpose(*range(2, array.ndim), 1, 0))

    def write(self, value, arrays):
        count = value.ndim
        return [np.ascontiguousarray(value.transpose(count - 1, count - 2, *range(count - 2)))]


@dataclass
class Rows(Codec):
    """Some rows of the module's array, say the query's of all three."""

    start: int
    stop: int
    inner: Codec

    def read(self, arrays, *, gradients=False):
        return self.inner.read([arrays[0][self.start : self.stop]], gradients=gradients)

    def write(self, value, arrays):
        whole = np.array(arrays[0])
        part = self.inner.write(value, [whole[self.start : self.stop]])
        whole[self.start : self.stop] = part[0]
        return [whole]


@dataclass
class Gates(Codec):
    """A kernel or bias of a recurrent layer: transposed; a GRU's gates in another order."""

    cell: str
    bias: bool = False

    def _swapped(self, array):
        if self.cell != "gru":
            return array
        first, second, new = np.split(array, 3, axis=-1)
        return np.concatenate([second, first, new], axis=-1)

    def read(self, arrays, *, gradients=False):
        if not self.bias:
            return np.ascontiguousarray(self._swapped(arrays[0].T))
        if self.cell == "gru":
            return self._swapped(np.stack(arrays))
        # The two are only ever added: each has the gradient of the sum.
        return np.array(arrays[0]) if gradients else arrays[0] + arrays[1]

    def write(self, value, arrays):
        if not self.bias:
            return [np.ascontiguousarray(self._swapped(value).T)]
        if self.cell == "gru":
            return list(self._swapped(value))
        return [np.array(value), np.zeros_like(value)]

    def moved(self, arrays):
        # One step on the sum is a step on one of the two, not on both.
        return [True, False] if self.bias and self.cell != "gru" else [True] * len(arrays)


@dataclass
class Binding:
    """A canonical parameter and what stands behind it."""

    id: str
    role: str
    names: tuple[str, ...]
    codec: Codec = field(default_factory=Codec)

    def read(self, arrays, *, gradients=False):
        """From ``name → array``."""
        return self.codec.read([arrays[n] for n in self.names], gradients=gradients)

    def write(self, value, arrays):
        """``name → array``, changed."""
        parts = self.codec.write(np.asarray(value), [arrays[n] for n in self.names])
        return dict(zip(self.names, parts, strict=True))


class Bindings:
    """All parameters of a model, known by what uses them."""

    def __init__(self):
        self.all = {}
        self._by_use = {}

    def bind(self, ref, role, kind, label=None):
        """The parameter that a tensor is, or None where the tensor was computed.

        A part of the rows of one is a parameter of its own. A weight that is one thing already,
        an embedding, cannot be another, the kernel of the output, as well.
        """
        if ref.root.kind != "parameter":
            return None
        rows = _rows(ref)
        if rows is None:
            return None
        name = ref.root.name
        codec = Kernel() if role == "kernel" else Codec()
        whole = rows == (0, ref.root.shape[0] if ref.root.shape else 0)
        if not whole:
            codec = Rows(*rows, codec)
        key = (name, rows)
        present = self._by_use.get(key)
        if present is not None:
            same = present.role == role and type(present.codec) is type(codec)
            return present if same else None
        if any(other == name for other, _ in self._by_use) and (
            whole or (name, (0, ref.root.shape[0])) in self._by_use
        ):
            return None
        owner, _, last = name.rpartition(".")
        if label == "output":
            owner = owner.rpartition(".")[0]
        parts = [owner] if last in PLAIN_NAMES else [name]
        parts += [label] if label in ("query", "key", "value", "output") else []
        text = "/".join(p for p in (*parts, role) if p)
        if not whole and label is None:
            text += f"[{rows[0]}:{rows[1]}]"
        return self._added(key, Binding(self._free(text), role, (name,), codec))

    def product(self, ref):
        """The kernel of ``x @ w`` or ``x @ w.T``, or None where it is no plain parameter."""
        name, shape = ref.root.name, ref.root.shape
        if len(shape) != 2:
            return None
        every = torch.arange(shape[0] * shape[1]).reshape(shape)
        plain = ref.ids is None
        if not plain and not (ref.shape == shape[::-1] and torch.equal(ref.ids, every.T)):
            return None
        key = (name, (0, shape[0]))
        present = self._by_use.get(key)
        codec = Codec() if plain else Kernel()
        if present is not None:
            same = present.role == "kernel" and type(present.codec) is type(codec)
            return present if same else None
        owner, _, last = name.rpartition(".")
        text = "/".join(p for p in (owner if last in PLAIN_NAMES else name, "kernel") if p)
        return self._added(key, Binding(self._free(text), "kernel", (name,), codec))

    def recurrent(self, names, path, role, prefix, cell):
        """A parameter of a recurrent layer."""
        key = (names, role)
        if key in self._by_use:
            return self._by_use[key]
        text = "/".join(p for p in (path, prefix + role) if p)
        codec = Gates(cell, role == "bias")
        return self._added(key, Binding(self._free(text), prefix + role, names, codec))

    def raw(self, name, *, anyway=False):
        """A weight that nothing takes as its kernel or the like; None where something does."""
        key = (name, "raw")
        if key not in self._by_use:
            if self.of(name) and not anyway:
                return None
            self._added(key, Binding(self._free(name), "raw", (name,)))
        return self._by_use[key]

    def of(self, name):
        """Every parameter behind which this weight stands."""
        return [b for b in self.all.values() if name in b.names]

    def _added(self, key, binding):
        self._by_use[key] = binding
        self.all[binding.id] = binding
        return binding

    def _free(self, text):
        name, more = text, 1
        while name in self.all:
            name, more = f"{text}_{more}", more + 1
        return name


def _rows(ref):
    """(start, stop) if these are whole rows of the parameter, in order; else None."""
    shape = ref.root.shape
    if ref.ids is None:
        return (0, shape[0] if shape else 0)
    if not shape or ref.shape[1:] != shape[1:] or not ref.ids.numel():
        return None
    width = ref.ids.numel() // ref.shape[0]
    first = int(ref.ids.reshape(-1)[0])
    expected = torch.arange(first, first + ref.ids.numel())
    if first % width or not torch.equal(ref.ids.reshape(-1), expected):
        return None
    return first // width, first // width + ref.shape[0]


def tensors(model):
    """name → parameter or buffer."""
    return dict(model.named_parameters()) | dict(model.named_buffers())


class Arrays:
    """name → array, floats in this precision; made when asked for, because models are large."""

    def __init__(self, model, precision="float64"):
        self.tensors, self.precision = tensors(model), precision

    def __getitem__(self, name):
        tensor = self.tensors[name]
        return as_array(tensor, self.precision if tensor.is_floating_point() else None)


def as_array(tensor, precision=None):
    """A tensor as an array of its own."""
    tensor = tensor.detach()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if precision:
        tensor = tensor.to(getattr(torch, precision))
    elif tensor.dtype in (torch.bfloat16, torch.float16):
        tensor = tensor.float()
    return np.array(tensor.cpu().resolve_conj().resolve_neg().numpy())


def described(binding, own, values):
    """As `checker.graph.graph.Parameter`; `own` are the module's tensors, `values` its arrays."""
    value = binding.read(values)
    behind = [own[n] for n in binding.names]
    role = binding.role.rpartition("_")[2]
    trainable = role not in STATISTICS and all(
        isinstance(t, torch.nn.Parameter) and t.requires_grad for t in behind
    )
    equal = bool(value.size) and bool((value == value.flat[0]).all())
    constant = equal and (value.size > 1 or float(value.flat[0]) in (0.0, 1.0))
    return Parameter(
        binding.id, binding.role, tuple(value.shape), trainable, constant, binding.names
    )
