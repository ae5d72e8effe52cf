"""What a pair of the zoo is, and how its weights go across without the tool."""

import importlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

FAMILIES = Path(__file__).parent / "families"


@dataclass(frozen=True)
class Pair:
    """Two models of public packages, and what is known of them beside the stored truth.

    Attributes:
        name: family, and what was changed in it: ``bert``, ``bert-matched``.
        inputs: as ``--input`` of ``parity check`` takes them.
        torch, keras: keyword arguments of the family's ``torch_model`` and ``keras_model``.
        packages: that have to be installed.
        kinds: of causes that are true.
        layer: patterns of the first divergence's layer, on either side.
        why: what differs and where it stands in the packages' code; "" where nothing does.
        shortened: which constant is written with few digits, so that the two agree to float32's
            rounding only.
        open: known to be answered wrongly as yet.
        family: module of `families`, set by `all_pairs`.
    """

    name: str
    inputs: tuple[str, ...]
    torch: Mapping[str, Any] = field(default_factory=dict)
    keras: Mapping[str, Any] = field(default_factory=dict)
    packages: tuple[str, ...] = ("transformers", "keras_hub")
    kinds: tuple[str, ...] = ()
    layer: tuple[str, ...] = ()
    why: str = ""
    shortened: str = ""
    open: bool = False
    family: str = ""

    @property
    def module(self) -> str:
        """Where the family's models are."""
        return f"{__package__}.families.{self.family}"


class Port:
    """PyTorch's arrays by name → Keras' by path; the same for gradients, which are linear in it.

    Args:
        arrays: PyTorch's state, or gradients under the same names.
        gradients: which of the two they are.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], gradients: bool = False) -> None:
        self.gradients = gradients
        self.found: defaultdict[str, list[np.ndarray | None]] = defaultdict(list)
        self.filled: list[tuple[str, float]] = []
        self.used: set[str] = set()
        self._arrays = arrays

    def __getitem__(self, name: str) -> np.ndarray:
        self.used.add(name)
        return self._arrays[name]

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def fill(self, pattern: str, value: float) -> None:
        """Give every weight of Keras that is left and matches the pattern one number."""
        self.filled.append((pattern, value))

    def put(self, path: str, array: np.ndarray | None) -> None:
        """Give a weight of Keras its numbers; None: any do."""
        self.found[path].append(array)

    def ignore(self, *names: str) -> None:
        """Weights of PyTorch that Keras has not, and that its outputs do not need."""
        self.used.update(names)

    def table(self, path: str, name: str) -> None:
        """A table of embeddings."""
        self.put(f"{path}/embeddings", self[f"{name}.weight"])

    def alone(self, path: str) -> None:
        """A weight that Keras alone has, and that its outputs do not need."""
        self.put(path, None)

    def scale(self, path: str, name: str) -> None:
        """A root-mean-square norm."""
        self.put(f"{path}/scale", self[f"{name}.weight"])

    def dense(self, path: str, name: str) -> None:
        """A dense layer, einsum or not, with or without a bias."""
        self.put(f"{path}/kernel", self[f"{name}.weight"].T)
        self.bias(path, name)

    def bias(self, path: str, name: str) -> None:
        """A bias, where there is one."""
        if f"{name}.bias" in self:
            self.put(f"{path}/bias", self[f"{name}.bias"])

    def norm(self, path: str, name: str) -> None:
        """A layer or batch normalisation."""
        for keras, torch in (("gamma", "weight"), ("beta", "bias")):
            if f"{name}.{torch}" in self:
                self.put(f"{path}/{keras}", self[f"{name}.{torch}"])
        if f"{name}.running_mean" in self and not self.gradients:
            self.put(f"{path}/moving_mean", self[f"{name}.running_mean"])
            self.put(f"{path}/moving_variance", self[f"{name}.running_var"])

    def conv(self, path: str, name: str, depthwise: bool = False) -> None:
        """A convolution: out, in, *window → *window, in, out (depthwise: in, 1)."""
        array = np.moveaxis(self[f"{name}.weight"], (0, 1), (-2, -1) if depthwise else (-1, -2))
        self.put(f"{path}/kernel", array)
        self.bias(path, name)


def all_pairs() -> tuple[Pair, ...]:
    """Every pair, in the order of the families' names."""
    found = []
    for file in sorted(FAMILIES.glob("[a-z]*.py")):
        module = importlib.import_module(f"{__package__}.families.{file.stem}")
        found += [replace(pair, family=file.stem) for pair in module.PAIRS]
    return tuple(found)


def port_of(pair: Pair) -> Callable[[Port], None]:
    """How the pair's weights go across."""
    return importlib.import_module(pair.module).port
