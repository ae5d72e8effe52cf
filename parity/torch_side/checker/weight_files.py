"""Weights files as PyTorch has them: read into a model, said in the check's words, and written."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import torch as safe
from torch.nn.parameter import is_lazy

from parity.convert import names
from parity.convert.stored import Bound, StoredTensor, described
from parity.convert.tensor_files import shards
from parity.core.errors import UsageError
from parity.torch_side.checker.weights import tensors

_DEPTH = 4
"""Dictionaries within dictionaries that a training loop's file may have around its weights."""
_SHOWN = 200


def load(model, path, title, *, partial=False):
    """Read a weights file into a model.

    Returns:
        Name → type in the file, and what there is to be noted.

    Raises:
        UsageError: it cannot be read, or is not of this model.
    """
    wanted = _tensors(model)
    found = weights(read(path), wanted, path)
    fit = names.fitted(found, wanted, _alike(model))
    names.expect_all(fit, path, title, partial=partial)
    taken = {name: found[own] for name, own in fit.names.items()}
    shapes = {n: tuple(t.shape) for n, t in wanted.items() if not is_lazy(t)}
    names.expect_shapes({n: tuple(t.shape) for n, t in taken.items()}, shapes, path, title)
    model.load_state_dict(taken, strict=False)
    return {name: type_of(tensor) for name, tensor in taken.items()}, fit.notes


def read(path):
    """What a file holds; nothing of it is run.

    Raises:
        UsageError: it cannot be read, or holds more than numbers.
    """
    file = Path(path)
    if file.suffix == ".safetensors" or file.name.endswith(".safetensors.index.json"):
        return {k: v for part in shards(file) for k, v in safe.load_file(part).items()}
    try:
        try:
            return torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError as error:
            if "mmap" not in str(error):
                raise
            return torch.load(file, map_location="cpu", weights_only=True)  # PyTorch before 1.6
    except pickle.UnpicklingError as error:
        raise UsageError(
            f"'{path}' holds more than numbers, and what it holds is not run: "
            f"{_reason(error)} Expected a state dict: torch.save(model.state_dict(), '{file.name}')"
        ) from error
    except (RuntimeError, EOFError, OSError, KeyError) as error:
        reason = (str(error).splitlines() or ["it is empty"])[0][:_SHOWN]
        raise UsageError(
            f"'{path}' cannot be read: {reason}. Expected what torch.save or safetensors wrote."
        ) from error


def _reason(error):
    """The line of PyTorch's that says what it refused."""
    lines = [x.strip() for x in str(error).splitlines() if "GLOBAL" in x or "nsupported" in x]
    return f"{lines[0][:_SHOWN]}." if lines else ""


def weights(raw, wanted, path):
    """The dictionary of weights within what a training loop wrote."""
    options = [d for d in _dictionaries(raw) if any(torch.is_tensor(v) for v in d.values())]
    if not options:
        raise UsageError(f"'{path}' holds no dictionary of tensors. Expected a state dict.")
    tensors_of = [{str(k): v for k, v in d.items() if torch.is_tensor(v)} for d in options]
    return max(tensors_of, key=lambda d: len(names.fitted(d, wanted).names))


def _dictionaries(raw, depth=0):
    if isinstance(raw, Mapping) and depth < _DEPTH:
        yield raw
        for value in raw.values():
            yield from _dictionaries(value, depth + 1)


def stored(model, bindings, parameters, wanted, types):
    """As `parity.convert.stored.Stored`."""
    own = _tensors(model)
    kept = {n: StoredTensor(tuple(t.shape), type_of(t)) for n, t in own.items()}
    shapes = {name: p.shape for name, p in parameters.items()}
    bounds = [
        Bound(b.id, shapes[b.id], b.names, b.codec.read, b.codec.write)
        for b in bindings.all.values()
        if b.id in shapes
    ]
    return described(kept, bounds, wanted, alike=_alike(model), types=types)


def save(model, path, types):
    """Write what a state dict has, in these types where they hold every number."""
    state = {n: _as(t.detach().cpu(), types.get(n)) for n, t in _tensors(model).items()}
    if Path(path).suffix == ".safetensors":
        whole = {n: t.contiguous().clone() for n, t in state.items()}
        safe.save_file(whole, path, {"format": "pt"})
    else:
        torch.save(state, path)


def _as(tensor, wanted):
    if wanted is None or type_of(tensor) == wanted or not tensor.is_floating_point():
        return tensor
    other = tensor.to(getattr(torch, wanted))
    same = torch.equal(other.to(tensor.dtype).nan_to_num(), tensor.nan_to_num())
    return other if same else tensor


def _tensors(model):
    """What a state dict has, the tensors themselves."""
    state = model.state_dict(keep_vars=True)
    return {name: value for name, value in state.items() if torch.is_tensor(value)}


def _alike(model):
    """Other names of a weight → the one by which the model's parameters know it."""
    first = {id(tensor): name for name, tensor in tensors(model).items()}
    own = _tensors(model)
    return {n: first[id(t)] for n, t in own.items() if first.get(id(t), n) != n}


def type_of(tensor):
    """Type by the name that NumPy has for it."""
    return str(tensor.dtype).removeprefix("torch.")
