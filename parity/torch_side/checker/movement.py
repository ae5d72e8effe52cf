"""What only moves numbers: done to the numbers' places as well, so that no node is needed."""

import torch

from parity.torch_side.checker.calls import Call, flatten, mapped, opened, split_names
from parity.torch_side.checker.helpers import HALVES, changed, versions
from parity.torch_side.checker.refs import Ref, dtype_name
from parity.torch_side.checker.tracer import handles

SAME = split_names(
    "contiguous clone detach data alias requires_grad positive view_as_real_copy cpu cuda "
    "pin_memory retain_grad resolve_conj resolve_neg lift_fresh detach_copy"
)
STOPS = split_names("detach data detach_copy")
CASTS = split_names("to type type_as float double half bfloat16 long int short char byte bool")
MOVES = split_names(
    "reshape view view_as reshape_as flatten unflatten ravel permute transpose movedim t T mT H mH "
    "adjoint squeeze unsqueeze narrow select split split_with_sizes chunk tensor_split hsplit "
    "vsplit dsplit unbind flip fliplr flipud roll rot90 tile repeat expand expand_as broadcast_to "
    "diagonal unfold atleast_1d atleast_2d atleast_3d pixel_shuffle pixel_unshuffle "
    "channel_shuffle native_channel_shuffle expand_copy slice unsafe_chunk unsafe_split "
    "view_copy broadcast_tensors real"
)
PICKS = split_names("__getitem__ index_select gather take take_along_dim index repeat_interleave")


def _others(call, data):
    return [t for t in call.tensors if not any(t is d for d in data)]


@handles(*SAME)
def same(t, c):
    """A copy, or the same tensor under another identity."""
    ref = t.ref(c.tensors[0])
    if c.name in STOPS and ref.root.kind != "constant":
        if ref.root not in t.stopped:
            t.stopped.append(ref.root)
        if t.passes(ref.root):
            return c.tensors[0]
    result = c()
    for tensor in flatten(result):
        if tensor is not c.tensors[0]:
            t.table.set(tensor, Ref(ref.root, tuple(tensor.shape), ref.ids))
    return result


@handles(*CASTS)
def cast(t, c):
    """Another type; a node only where that changes the numbers."""
    x = c.args[0]
    ref = t.ref(x)
    result = c()
    if result is x:
        return result
    if x.is_floating_point() and not result.is_floating_point():
        if result.dtype == torch.bool:
            settings = {"name": "ne", "scalar": 0}
            return t.step(c, "compare", settings, [x], result=result)
        if not torch.equal(result.to(x.dtype), x):
            return t.step(c, "unary", {"name": "trunc"}, [x], result=result)
    if result.dtype in HALVES and x.dtype not in HALVES and ref.root.kind != "parameter":
        return t.step(c, "unary", {"name": dtype_name(result)}, [x], result=result)
    t.table.set(result, Ref(ref.root, tuple(result.shape), ref.ids))
    return result


@handles(*MOVES)
def move(t, c):
    """Movement of one tensor by numbers that are no tensors."""
    if c.name == "view" and any(isinstance(a, torch.dtype) for a in c.args[1:]):
        return t.step(c, "opaque", {"name": "view"}, c.tensors)
    if c.name == "unfold" and c.func is not torch.Tensor.unfold:
        return _unfold(t, c)
    if c.name == "broadcast_tensors":
        return _broadcast(t, c)
    if c.name in ("view_as", "reshape_as", "expand_as"):
        function = {"view_as": "view", "reshape_as": "reshape", "expand_as": "expand"}[c.name]
        return t.run(getattr(torch.Tensor, function), c.args[0], tuple(c.tensors[-1].shape))
    return moved(t, c, [c.tensors[0]])


def _broadcast(t, c):
    items = c.args[0] if len(c.args) == 1 and isinstance(c.args[0], (list, tuple)) else c.args
    shape = torch.broadcast_shapes(*(x.shape for x in items))
    return tuple(t.run(torch.Tensor.expand, x, shape) for x in items)


def moved(t, c, data):
    """Do a movement to the numbers and to their places; `data` are pieces of one root."""
    refs = [t.ref(x) for x in data]
    # Whether the tensor itself can be viewed so does not depend on how its places are laid out.
    index = {id(x): r.index().contiguous() for x, r in zip(data, refs, strict=True)}
    if c.func.__name__.endswith("_") and not c.func.__name__.startswith("__"):
        index = {key: value.clone() for key, value in index.items()}

    def to_places(leaf):
        if not isinstance(leaf, torch.Tensor):
            return leaf
        # An empty tensor has no places, and its own type would be that of all that it joins.
        return index.get(id(leaf), leaf if leaf.numel() else leaf.long())

    shadow = Call(c.func, mapped(c.args, to_places), mapped(c.kwargs, to_places))
    places = shadow()
    before = versions(c.tensors)
    result = c()
    for tensor, place in zip(flatten(result), flatten(places), strict=True):
        ref = refs[0].moved(place)
        if tensor in changed_list(before):
            t.table.written(tensor, ref)
        else:
            t.table.set(tensor, ref)
    return result


class changed_list(list):  # noqa: N801
    """Membership by identity: tensors compare element by element."""

    def __init__(self, before):
        super().__init__(changed(before))

    def __contains__(self, tensor):
        return any(tensor is t for t in self)


@handles(*PICKS)
def pick(t, c):
    """Elements picked by an index: movement if the index is known beforehand."""
    x = c.args[0]
    others = _others(c, [x])
    if all(t.fixed(o) for o in others) and not t.fixed(x):
        return moved(t, c, [x])
    axis = c.kwargs.get("dim", c.args[1] if len(c.args) > 1 else None)
    settings = {"name": c.name.strip("_"), "axis": axis if isinstance(axis, int) else None}
    if c.name == "__getitem__":
        settings["index"] = [_shown(p) for p in _parts(c.args[1])]
    return t.step(c, "gather", settings, [x, *others], name="gather")


def _parts(index):
    return index if isinstance(index, tuple) else (index,)


def _shown(part):
    if isinstance(part, torch.Tensor):
        return "tensor"
    return ":" if part == slice(None) else str(part)


JOINS = {"cat": 0, "stack": 0, "hstack": None, "vstack": None, "dstack": None, "column_stack": None}


@handles(*JOINS)
def join(t, c):
    """Joining: movement if all pieces are of one root, else a node; what is empty joins nothing."""
    a = c.bind("tensors dim=0")
    items = list(a.tensors)
    live = [x for x in items if x.numel()] or items[-1:]
    roots = {id(t.ref(x).root) for x in live}
    if len(roots) == 1 and not t.fixed(live[0]):
        return moved(t, c, list({id(x): x for x in live}.values()))
    if c.name not in ("cat", "stack"):
        return _dimensional(t, c.name, items)
    rank = live[0].dim() + (c.name == "stack")
    kind = "concatenate" if c.name == "cat" else "stack"
    return t.step(c, kind, {"axis": a.dim % rank}, live)


def _dimensional(t, name, items):
    if name == "dstack":
        return t.run(torch.cat, [t.run(torch.atleast_3d, x) for x in items], 2)
    if name == "column_stack":
        items = [t.run(torch.unsqueeze, x, 1) if x.dim() == 1 else x for x in items]
        return t.run(torch.cat, items, 1)
    items = [t.run(torch.atleast_1d if name == "hstack" else torch.atleast_2d, x) for x in items]
    return t.run(torch.cat, items, 0 if name == "vstack" or items[0].dim() == 1 else 1)


@handles("copy")
def copied(t, c):
    """``x.copy_(y)``: x is y from now on."""
    x, y = c.args[:2]
    ref = t.ref(y)
    result = c()
    if ref.root.constant:
        t.table.written(x, t.constant(x))
    else:
        t.table.written(x, ref.moved(ref.index().expand(x.shape).clone()))
    return result


@handles(
    "__setitem__",
    "index_put",
    "index_copy",
    "index_fill",
    "index_add",
    "scatter",
    "scatter_add",
    "masked_scatter",
    "select_scatter",
    "slice_scatter",
)
def setitem(t, c):
    """Writing into a part."""
    x = c.args[0]
    sources = [x, *_others(c, [x])]
    if c.name != "__setitem__":
        return t.step(c, "opaque", {"name": c.name}, sources)
    settings = {"name": "setitem", "index": [_shown(p) for p in _parts(c.args[1])]}
    if not isinstance(c.args[2], torch.Tensor):
        settings["scalar"] = c.args[2]
    return t.writes(c, settings, sources)


@handles("pad")
def pad(t, c):
    """Padding on every axis; cropping is movement."""
    a = c.bind("input pad mode='constant' value=None")
    x = a.input
    sizes = [int(s) for s in a.pad]
    if all(s <= 0 for s in sizes) and a.mode == "constant":
        return moved(t, c, [x])
    pairs = [[0, 0] for _ in range(x.dim())]
    for place in range(len(sizes) // 2):
        pairs[x.dim() - 1 - place] = sizes[2 * place : 2 * place + 2]
    settings = {"padding": pairs, "mode": a.mode, "value": float(a.value or 0.0)}
    return t.step(c, "pad", settings, [x])


@handles("im2col")
def _unfold(t, c):
    """``F.unfold`` moves numbers, unless it pads with zeros."""
    x = c.args[0]
    function = opened(c.func) or c.func
    ref = t.ref(x)
    places = function((ref.index() + 1).double(), *c.args[1:], **c.kwargs).long() - 1
    if bool((places < 0).any()):
        return t.step(c, "opaque", {"name": "unfold"}, [x])
    result = c()
    t.table.set(result, ref.moved(places))
    return result


@handles("meshgrid", "cartesian_prod", "__iter__")
def opened_up(t, c):
    """Made of other movements."""
    if c.name == "meshgrid":
        return _meshgrid(t, c)
    with t:
        return opened(c.func)(*c.args, **c.kwargs)


def _meshgrid(t, c):
    items = c.args[0] if len(c.args) == 1 and isinstance(c.args[0], (list, tuple)) else c.args
    sizes = [x.numel() for x in items]
    out = []
    for place, x in enumerate(items):
        shape = [1] * len(items)
        shape[place] = sizes[place]
        out.append(t.run(torch.Tensor.expand, t.run(torch.reshape, x, shape), sizes))
    if c.kwargs.get("indexing") == "xy" and len(out) > 1:
        out = [t.run(torch.transpose, x, 0, 1) for x in out]
    return tuple(out)
