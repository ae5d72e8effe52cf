"""Weights files as Keras has them: read into a model, said in the check's words, and written."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import h5py
import keras
import numpy as np
from safetensors.numpy import save_file

from parity.convert import names
from parity.convert.stored import Bound, StoredTensor, described
from parity.convert.tensor_files import TensorFile
from parity.core.errors import UsageError

_BASE = 200
"""Whole numbers below this are told apart in every type, bfloat16 and unsigned bytes among them."""
_ARCHIVE = "model.weights.h5"


def load(model, path, title, *, partial=False):
    """Read a weights file into a model.

    Returns:
        Name → type in the file, and what there is to be noted.

    Raises:
        UsageError: it cannot be read, or is not of this model.
    """
    own = variables(model)
    if path.endswith((".safetensors", ".json")):
        file = TensorFile(Path(path))
        fit = names.fitted(file, own)
        names.expect_all(fit, path, title, partial=partial)
        wanted = {name: tuple(v.shape) for name, v in own.items()}
        found = {name: file.tensors[key] for name, key in fit.names.items()}
        names.expect_shapes({n: t.shape for n, t in found.items()}, wanted, path, title)
        for name, key in fit.names.items():
            own[name].assign(file[key])
        return {name: tensor.dtype for name, tensor in found.items()}, fit.notes
    notes = _expect_datasets(model, path, title, partial) if path.endswith(".weights.h5") else []
    try:
        # By position where Keras 2 wrote it, as Keras itself does.
        more = (
            {"skip_mismatch": True} if partial and path.endswith((".weights.h5", ".keras")) else {}
        )
        model.load_weights(path, **more)
    except (ValueError, OSError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:400]
        raise UsageError(
            f"'{path}' is not of {title}: Keras says: {reason} Expected the weights of just this "
            "model."
        ) from error
    return {name: v.dtype for name, v in own.items()}, notes


def _expect_datasets(model, path, title, partial):
    """What Keras would not say: what the file has, and the model does not know."""
    with _written(model) as file:
        own = _datasets(file)
    with _opened(path) as file:
        found = _datasets(file)
    fit = names.Fit(
        {n: n for n in own if n in found},
        tuple(n for n in own if n not in found),
        tuple(n for n in found if n not in own),
    )
    names.expect_all(fit, path, title, partial=partial)
    return fit.notes


@contextlib.contextmanager
def _opened(path):
    try:
        with h5py.File(path, "r") as file:
            yield file
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read: {error}. Expected an HDF5 file.") from error


@contextlib.contextmanager
def _written(model):
    """The model's weights as Keras writes them."""
    with tempfile.TemporaryDirectory(prefix="parity-check-") as folder:
        path = f"{folder}/{_ARCHIVE}"
        model.save_weights(path)
        with h5py.File(path, "r") as file:
            yield file


def _datasets(file):
    """Path → dataset, without those of an optimizer."""
    found = {}
    file.visititems(
        lambda name, x: found.update({name: x}) if isinstance(x, h5py.Dataset) else None
    )
    return found


def variables(model):
    """Name in a file → variable: its path below the model, with a number where several have it."""
    found = {}
    for variable in model.weights:
        path = variable.path.removeprefix(f"{model.name}/")
        name, n = path, 1
        while name in found:
            name, n = f"{path}_{n}", n + 1
        found[name] = variable
    return found


def stored(model, weights, ids, wanted, types, *, datasets=False):
    """As `parity.convert.stored.Stored`.

    Args:
        model: the model.
        weights: key → what is known of a variable.
        ids: key → the check's id.
        wanted: ids of those that are to be written.
        types: of the file that was loaded.
        datasets: also where a ``.weights.h5`` has each.
    """
    own = variables(model)
    by_variable = {id(v): name for name, v in own.items()}
    tensors = {n: StoredTensor(tuple(map(int, v.shape)), v.dtype) for n, v in own.items()}
    bounds = [_bound(w, ids[key], by_variable[id(w.variable)]) for key, w in weights.items()]
    places = dataset_names(model) if datasets else {}
    return described(tensors, bounds, wanted, types=types, datasets=places)


def _bound(weight, name, path):
    return Bound(
        name,
        tuple(int(n) for n in weight.shape),
        (path,),
        lambda arrays: weight.canonical(arrays[0]),
        lambda value, now: [weight.own(value)],
    )


def dataset_names(model):
    """Name of a variable → where a ``.weights.h5`` has it; without those that it has not as is.

    Found by what Keras does: each variable is a number of its own for a while, written, and looked
    for.
    """
    own = list(variables(model).items())
    before = [np.array(variable) for _, variable in own]
    found: dict[str, int] = {}
    try:
        for scale in (_BASE**k for k in range(1 + int(len(own) > _BASE))):
            for k, (_, variable) in enumerate(own):
                variable.assign(np.full(variable.shape, k // scale % _BASE))
            with _written(model) as file:
                for path, dataset in _datasets(file).items():
                    values = np.unique(dataset[()])
                    digit = int(values[0]) if len(values) == 1 else -len(own)
                    found[path] = found.get(path, 0) + scale * digit
    finally:
        for (_, variable), value in zip(own, before, strict=True):
            variable.assign(value)
    return {own[k][0]: path for path, k in found.items() if 0 <= k < len(own)}


def save(model, path, types):
    """Write a weights file, or the whole model where it is called ``.keras``.

    Raises:
        UsageError: Keras cannot write the model.
    """
    if path.endswith(".safetensors"):
        save_file({n: _as(np.array(v), types.get(n)) for n, v in variables(model).items()}, path)
        return
    try:
        model.save(path) if path.endswith(".keras") else model.save_weights(path)
    except (ValueError, TypeError, NotImplementedError, AttributeError) as error:
        raise UsageError(
            f"Keras cannot write this model to '{path}': {' '.join(str(error).split())[:300]} "
            "Expected a model with get_config; or take --out NAME.weights.h5, the weights alone."
        ) from error


def _as(array, wanted):
    if wanted is None or array.dtype.name == wanted or not _is_float(array.dtype.name):
        return np.ascontiguousarray(array).reshape(array.shape)
    other = array.astype(np.dtype(wanted))
    same = np.array_equal(other.astype(np.float64), array.astype(np.float64), equal_nan=True)
    return other if same else array


def _is_float(name):
    return keras.backend.is_float_dtype(name)
