"""How a model is run: in which precision and mode, unchanged afterwards, errors in words."""

import contextlib
import copy
import dataclasses
import inspect
import sys
import sysconfig
import traceback
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from torch import nn
from torch.nn.modules import module as hooks

from parity.checker.graph.input_names import Argument, Signature
from parity.core.errors import ParityError
from parity.torch_side.checker.helpers import HALVES
from parity.torch_side.checker.noise import Noises

_OWN = Path(__file__).parent
_FOREIGN = (str(Path(torch.__file__).parent), str(_OWN), sysconfig.get_paths()["stdlib"])


def _deterministic(mode, *, warn_only):
    """`torch.use_deterministic_algorithms`, which takes a second to tell the compiler, too."""
    if "torch._inductor" in sys.modules:
        torch.use_deterministic_algorithms(mode, warn_only=warn_only)
    else:
        torch._C._set_deterministic_algorithms(mode, warn_only=warn_only)


def _stance(eager):
    """What is compiled runs as it is written, if `eager`; where nothing is, nothing is imported."""
    if "torch._dynamo" in sys.modules:
        return torch.compiler.set_stance("force_eager" if eager else "default")
    return mock.patch.object(torch, "compile", _as_written) if eager else contextlib.nullcontext()


def _as_written(model=None, **_):
    """`torch.compile`, or the decorator that it is without a model."""
    return (lambda function: function) if model is None else model


@contextlib.contextmanager
def surroundings(precision, *, gradients, eager=False):
    """Default type, no fused attention, fixed draws; all as before afterwards.

    With `eager` what is compiled runs as it is written, and is seen.
    """
    dtype = torch.get_default_dtype()
    fast = torch.backends.mha.get_fastpath_enabled()
    strict = torch.are_deterministic_algorithms_enabled()
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    try:
        torch.set_default_dtype(getattr(torch, precision))
        torch.backends.mha.set_fastpath_enabled(False)
        _deterministic(True, warn_only=True)
        with _stance(eager), torch.random.fork_rng(devices=[]), torch.set_grad_enabled(gradients):
            torch.manual_seed(0)
            yield
    finally:
        torch.set_default_dtype(dtype)
        torch.backends.mha.set_fastpath_enabled(fast)
        _deterministic(strict, warn_only=warn)


@contextlib.contextmanager
def untouched(model, *, weights=False, paging=None):
    """Buffers and flags, and weights where wanted, are afterwards what they were.

    Large weights are not copied: their twins in float64 have the same numbers.
    """
    flags = [(m, m.training) for m in model.modules()]
    kept = (*(model.named_parameters() if weights else ()), *model.named_buffers())
    twins = paging.twins() if weights and paging is not None else {}
    held = {k: twins[id(v)].detach() if id(v) in twins else v.detach().clone() for k, v in kept}
    try:
        yield
    finally:
        now = dict(model.named_parameters()) | dict(model.named_buffers())
        with torch.no_grad():
            for name, value in held.items():
                if name in now and now[name].shape == value.shape:
                    now[name].copy_(value)
                    if paging is not None:
                        paging.touch(value)
                        paging.touch(now[name])
        for module, flag in flags:
            module.training = flag


def in_precision(model, precision, known=None):
    """The model, or a copy of it in another precision.

    Args:
        model: as it was built.
        precision: wanted.
        known: id of a weight → the same weight in this precision, where it is there already.
    """
    dtype = getattr(torch, precision)
    floats = [t for t in (*model.parameters(), *model.buffers()) if t.is_floating_point()]
    # A part in half precision computes in it; a whole model is only kept in it.
    kept = HALVES if any(t.dtype not in HALVES for t in floats) else ()

    def converted(t):
        if t.is_complex():
            return t.to(dtype.to_complex())
        return t.to(dtype) if t.is_floating_point() and t.dtype not in kept else t

    if all(t.dtype in (dtype, *kept) for t in floats) and not (
        precision == "float64" and not floats
    ):
        return model
    _cut_off(model)
    try:
        other = copy.deepcopy(model, dict(known or {}))._apply(converted)
    except Exception as error:
        raise ParityError(
            f"The PyTorch model cannot be copied to run in {precision}: {_one_line(error)}. "
            "Expected a module that copy.deepcopy can copy; pass the function that builds it."
        ) from error
    for module in other.modules():
        for name, value in vars(module).items():
            if isinstance(value, torch.Tensor):
                vars(module)[name] = converted(value)
    return other


def moded(model, *, training):
    """The model in a mode; an exported program has the one that it was exported in."""
    with contextlib.suppress(NotImplementedError):
        model.train(training)
    return model


def _cut_off(model):
    """What a forward pass left behind in a module, a normalised weight, cannot be copied as is."""
    for module in model.modules():
        for name, value in vars(module).items():
            if isinstance(value, torch.Tensor) and value.grad_fn is not None:
                vars(module)[name] = value.detach()


@contextlib.contextmanager
def watched(model, tracer):
    """The tracer knows which module runs."""

    def before(module, args):
        tracer.enter(module, args)

    def after(module, args, output):
        with torch._C.DisableTorchFunction():
            tracer.leave(module, args, output)
            if tracer.paging is not None:
                tracer.paging.used(module.parameters(recurse=False), output)

    handles = [
        hooks.register_module_forward_pre_hook(before),
        hooks.register_module_forward_hook(after),
    ]
    try:
        with Noises(model, tracer):
            yield
    finally:
        for handle in handles:
            handle.remove()


def forward(model, tracer, inputs, names=None):
    """Run it under the tracer; returns what it returns, flattened to tensors, and their names."""
    arguments, named = arranged(model, inputs, names)
    try:
        with watched(model, tracer), tracer.everywhere():
            output = model(*arguments, **named)
    except ParityError:
        raise
    except Exception as error:
        raise ParityError(_told(error, inputs, signature(model))) from error
    tracer.returned = output
    found = list(outputs_of(output))
    return [tensor for _, tensor in found], tuple(name for name, _ in found)


def runs(model, inputs, names, precision, *, gradients):
    """Whether it runs when nobody looks."""
    arguments = [to_tensor(x, precision) for x in inputs]
    if gradients:
        arguments = [x.requires_grad_().clone() if x.is_floating_point() else x for x in arguments]
    arguments, named = arranged(model, arguments, names)
    try:
        with surroundings(precision, gradients=gradients), untouched(model):
            moded(in_precision(model, precision), training=False)(*arguments, **named)
    except Exception:  # whatever the user's code does
        return False
    return True


def arranged(model, inputs, names=None):
    """Inputs as the forward pass takes them: positional arguments, and those by name."""
    takes = signature(model)
    bundle = takes is not None and takes.bundle and (names is not None or len(inputs) > 1)
    if bundle:
        return [list(inputs) if names is None else dict(zip(names, inputs, strict=True))], {}
    if names is None:
        return list(inputs), {}
    return [], dict(zip(names, inputs, strict=True))


def signature(model):
    """What the forward pass takes; None where it does not say."""
    try:
        fields = list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(f.kind == f.VAR_POSITIONAL for f in fields):
        return None
    fields = [f for f in fields if f.kind != f.VAR_KEYWORD]
    arguments = tuple(Argument(f.name, f.default is f.empty) for f in fields)
    places = [f for f in fields if f.kind in (f.POSITIONAL_ONLY, f.POSITIONAL_OR_KEYWORD)]
    return Signature(arguments, bundle=len(places) == len(fields) == 1)


def outputs_of(output, name=""):
    """Tensors of a nest in order, each with the keys or fields that lead to it."""
    if isinstance(output, torch.Tensor):
        yield name, output
        return
    if dataclasses.is_dataclass(output) and not isinstance(output, type):
        parts = [(e.name, getattr(output, e.name)) for e in dataclasses.fields(output)]
    elif isinstance(output, dict):
        parts = output.items()
    elif isinstance(output, tuple) and hasattr(output, "_fields"):
        parts = zip(output._fields, output, strict=True)
    elif isinstance(output, (list, tuple)):
        parts = enumerate(output)
    else:
        return
    for key, part in parts:
        yield from outputs_of(part, f"{name}.{key}" if name else str(key))


def to_tensor(array, precision):
    """An input: floats in the precision of the run."""
    tensor = torch.from_numpy(np.array(array))
    return tensor.to(getattr(torch, precision)) if tensor.is_floating_point() else tensor


def _one_line(error):
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text if len(text) <= 300 else text[:297] + '...'}"


def _told(error, inputs, takes):
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return f"Out of memory: {_one_line(error)}.{_lines(error)} Take a smaller --input."
    shapes = ", ".join(f"{tuple(x.shape)} {str(x.dtype).removeprefix('torch.')}" for x in inputs)
    words = "" if takes is None else f" It takes, in order, {takes.words()}."
    return (
        f"The PyTorch model cannot be run on inputs {shapes}. {_one_line(error)}{_lines(error)} "
        "Expected a forward pass that accepts these shapes and types; give others, or correct it."
        + words
    )


def _lines(error):
    frames = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if not f.filename.startswith(_FOREIGN)
        and "site-packages" not in f.filename
        and not f.filename.startswith("<")
    ]
    if not frames:
        return ""
    shown = [
        f"{Path(f.filename).name}:{f.lineno} in {f.name}: {(f.line or '').strip()[:100]}"
        for f in frames[-3:]
    ]
    return " At " + " → ".join(shown) + "."


def built(build):
    """The module itself: given, or made by a function or class."""
    if isinstance(build, nn.Module):
        model = build
    else:
        try:
            model = build()
        except ParityError:
            raise
        except Exception as error:
            raise ParityError(
                f"The PyTorch model cannot be built. {_one_line(error)}{_lines(error)} "
                "Expected a function or class that can be called without arguments."
            ) from error
    if not isinstance(model, nn.Module):
        raise ParityError(
            f"What was built is a {type(model).__name__}, not a PyTorch model. Expected an "
            "nn.Module or a function that returns one."
        )
    for wrapper in ("_orig_mod", "module"):
        inner = getattr(model, wrapper, None)
        if type(model).__name__ in ("OptimizedModule", "DataParallel") and inner is not None:
            model = inner
    return model.to("cpu")
