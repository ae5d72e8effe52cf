"""Which element of which root value stands where in a tensor: known by the tensor's identity."""

from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass(eq=False)
class Root:
    """A root value in the making. `kind` is ``input``, ``parameter``, ``constant`` or ``node``.

    `section` is the number of the ``no_grad`` block that it was made in, None outside of one.
    """

    kind: str
    shape: tuple[int, ...]
    dtype: str
    name: str = ""
    step: Any = None
    place: int = 0
    data: Any = None
    section: int | None = None

    @property
    def constant(self):
        """Made on the way, from nothing that the model is given."""
        return self.kind == "constant"


@dataclass(eq=False)
class Ref:
    """A tensor seen from its root: `ids` None where it is the root as it is."""

    root: Root
    shape: tuple[int, ...]
    ids: Any = None

    def index(self):
        """For each place the element of the flattened root."""
        if self.ids is None:
            return torch.arange(_count(self.root.shape)).reshape(self.root.shape)
        return self.ids

    def moved(self, ids):
        """The same root after moving; nothing remains of a movement that is undone."""
        shape = tuple(ids.shape)
        if shape == self.root.shape and torch.equal(ids.reshape(-1), torch.arange(_count(shape))):
            return Ref(self.root, shape)
        return Ref(self.root, shape, ids)


@dataclass(eq=False)
class Stale:
    """A tensor part of whose memory was written through another; made a node if it is used."""

    old: Ref
    new: Ref
    hits: Any = field(default=None)


def _count(shape):
    count = 1
    for size in shape:
        count *= size
    return count


def dtype_name(tensor):
    """``float32``."""
    return str(tensor.dtype).removeprefix("torch.")


def _positions(tensor):
    size = tensor.untyped_storage().nbytes() // tensor.element_size()
    return torch.arange(size).as_strided(tensor.size(), tensor.stride(), tensor.storage_offset())


def _storage(tensor):
    if tensor.layout is not torch.strided or tensor.device.type == "meta":
        return None
    try:
        return tensor.untyped_storage().data_ptr() or None
    except RuntimeError:
        return None


class Table:
    """Tensor → `Ref`. Tensors are kept alive, so that an identity means one thing."""

    def __init__(self):
        self._refs = {}
        self._memory = {}

    def set(self, tensor, ref):
        """From now on this tensor is that."""
        if id(tensor) not in self._refs:
            self._memory.setdefault(_storage(tensor), []).append(tensor)
        self._refs[id(tensor)] = (tensor, ref)

    def get(self, tensor):
        """What the tensor is, or None; an unseen view of something known is found by its memory."""
        if id(tensor) in self._refs:
            return self._refs[id(tensor)][1]
        place = _storage(tensor)
        for other in self._memory.get(place, ()) if place else ():
            ref = self._refs[id(other)][1]
            if isinstance(ref, Stale) or ref.root.constant:
                continue
            if other.element_size() != tensor.element_size():
                continue
            hits = _hits(other, tensor)
            if bool((hits >= 0).all()):
                found = ref.moved(ref.index().reshape(-1)[hits])
                self.set(tensor, found)
                return found
        return None

    def computed(self):
        """Every tensor, with what it is, that an input or a node yields; the latest first."""
        for tensor, ref in reversed(list(self._refs.values())):
            if isinstance(ref, Ref) and ref.root.kind in ("input", "node"):
                yield tensor, ref

    def by_slope(self):
        """autograd's function → the tensor that it made."""
        tensors = (t for t, _ in self._refs.values())
        return {t.grad_fn: t for t in tensors if t.grad_fn is not None}

    def written(self, tensor, ref):
        """The tensor was written in place: it is new, and so is what shares its memory."""
        self.set(tensor, ref)
        place = _storage(tensor)
        for other in self._memory.get(place, ()) if place else ():
            if other is tensor or other.element_size() != tensor.element_size():
                continue
            old = self._refs[id(other)][1]
            hits = _hits(tensor, other)
            if bool((hits >= 0).all()):
                self.set(other, ref.moved(ref.index().reshape(-1)[hits]))
            elif bool((hits >= 0).any()) and isinstance(old, Ref):
                self.set(other, Stale(old, ref, hits))


def _hits(base, view):
    """For each element of `view` its place in the flattened `base`, -1 where it is not there."""
    places = _positions(view)
    table = torch.full((int(_positions(base).max()) + 1,), -1) if base.numel() else torch.empty(0)
    if not base.numel():
        return torch.full(view.shape, -1)
    table[_positions(base).reshape(-1)] = torch.arange(base.numel())
    inside = places < len(table)
    return torch.where(inside, table[places.clamp(max=len(table) - 1)], -1)
