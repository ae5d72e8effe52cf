"""A weights file in PyTorch, and nothing of this project: run as a script, in a fresh process.

Standard input is a JSON document: ``module``, ``name`` and ``arguments`` of the model; ``weights``,
the file; ``inputs``, an ``.npz`` of arrays 0, 1 …; ``names`` of the inputs, or null; ``outputs``,
where the outputs go, as ``inputs``.
"""

import importlib
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import torch


def main():
    """Load, run, write what the model returns."""
    asked = json.loads(sys.stdin.read())
    with torch.no_grad():
        model = made(asked["module"], asked["name"], asked["arguments"]).eval()
        with np.load(asked["inputs"]) as file:
            inputs = [torch.from_numpy(file[key]) for key in file.files]
        names = asked["names"]
        if any(torch.nn.parameter.is_lazy(p) for p in (*model.parameters(), *model.buffers())):
            called(model, inputs, names)
        model.load_state_dict(state_dict(asked["weights"]))
        floating = next((p.dtype for p in model.parameters() if p.is_floating_point()), None)
        cast = [x.to(floating) if floating and x.is_floating_point() else x for x in inputs]
        outputs = list(tensors(called(model, cast, names)))
    arrays = {str(k): as_array(x) for k, x in enumerate(outputs)}
    np.savez(asked["outputs"], **arrays)


def made(module, name, arguments):
    """The model, as ``module:name`` says."""
    if module.endswith(".py") or "/" in module:
        path = Path(module)
        sys.path.insert(0, str(path.parent))
        spec = importlib.util.spec_from_file_location(f"_loaded_{path.stem}", path)
        found = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = found
        spec.loader.exec_module(found)
    else:
        sys.path.append("")
        found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    torch.manual_seed(0)
    return found if isinstance(found, torch.nn.Module) else found(**arguments)


def state_dict(path):
    """The weights of a file."""
    if path.endswith(".safetensors"):
        from safetensors.torch import load_file  # noqa: PLC0415

        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def called(model, inputs, names):
    """What the model returns."""
    return model(*inputs) if names is None else model(**dict(zip(names, inputs, strict=True)))


def tensors(structure):
    """Tensors that a model returns, in order."""
    if torch.is_tensor(structure):
        yield structure
    elif isinstance(structure, dict):
        for value in structure.values():
            yield from tensors(value)
    elif isinstance(structure, list | tuple):
        for value in structure:
            yield from tensors(value)
    elif hasattr(structure, "__dataclass_fields__"):
        for field in structure.__dataclass_fields__:
            yield from tensors(getattr(structure, field))


def as_array(tensor):
    """In a type that NumPy has."""
    half = tensor.dtype in (torch.float16, torch.bfloat16)
    return (tensor.float() if half else tensor).numpy()


if __name__ == "__main__":
    main()
