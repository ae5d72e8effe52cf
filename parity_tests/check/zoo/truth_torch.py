"""PyTorch's side of `truth`: random weights, outputs and gradients."""

import contextlib
import importlib
import sys
from pathlib import Path

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from parity_tests.check.zoo.pair import Pair
from parity_tests.check.zoo.truth import PRECISIONS, draws, each, projection, random_state


class Widened(TorchFunctionMode):
    """In a float64 run float32 asked for by name is float64, on both sides, or rounding remains."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is torch.Tensor.float:
            return args[0].double()
        args = [torch.float64 if a is torch.float32 else a for a in args]
        kwargs = {k: torch.float64 if v is torch.float32 else v for k, v in (kwargs or {}).items()}
        return function(*args, **kwargs)


def work(pair: Pair, folder: Path) -> dict[str, np.ndarray]:
    """Outputs and gradients by precision; weights go into a file for Keras' side."""
    found = {}
    for precision in PRECISIONS:
        torch.set_default_dtype(getattr(torch, precision))
        try:
            with Widened() if precision == "float64" else contextlib.nullcontext():
                found |= run(pair, folder, precision)
        finally:
            torch.set_default_dtype(torch.float32)
    return found


def run(pair, folder, precision):
    """One precision."""
    torch.manual_seed(0)
    model = importlib.import_module(pair.module).torch_model(**pair.torch).eval()
    randomise(model)
    state = {k: v.numpy() for k, v in model.state_dict().items() if v.is_floating_point()}
    np.savez(folder / f"{pair.name}.weights.npz", **state)
    found = {}
    for number, arrays in enumerate(draws(pair)):
        model.zero_grad()
        given = [torch.from_numpy(a) for a in arrays]
        outputs = flat(model(*(x.to(model_type(x, precision)) for x in given)))
        total = 0.0
        for place, y in enumerate(outputs):
            found[f"{precision}/out{number}.{place}"] = y.detach().numpy()
            weights = projection(y.shape, place)
            total = total + (y * torch.from_numpy(weights).to(y.dtype)).sum()
        if number:
            continue
        total.backward()
        for name, parameter in model.named_parameters(remove_duplicate=False):
            slope = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            found[f"{precision}/gradient/{name}"] = slope.detach().numpy().copy()
    return found


def randomise(model):
    """Random numbers for all that is trained, and for running statistics."""
    norms = {
        f"{path}.weight" if path else "weight"
        for path, module in model.named_modules()
        if "Norm" in type(module).__name__
    }
    learnt = {n for n, x in model.named_parameters(remove_duplicate=False) if x.requires_grad}
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name in learnt or name.endswith(("running_mean", "running_var")):
                value.copy_(torch.from_numpy(random_state(name, value.numpy(), name in norms)))


def model_type(x, precision):
    return getattr(torch, precision) if x.is_floating_point() else x.dtype


def flat(outputs):
    if isinstance(outputs, torch.Tensor):
        return [outputs]
    return [y for part in outputs for y in flat(part)]


if __name__ == "__main__":
    each(Path(sys.argv[1]), work)
