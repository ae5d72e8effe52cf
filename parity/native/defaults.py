"""The defaults of a trained example: what each framework does where a program says nothing.

What the example states, the learning rate, the batch size, the epochs, the widths, is no default
and stays fixed. A last batch that is smaller is kept by both frameworks and here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from parity.core.errors import UsageError
from parity.core.sides import Side
from parity.spec.example import ComparedPair, ExampleSpec, Training

Choice = Literal["matched", "native", "other"]
"""Of one default in one training: the matched program's, this framework's, the other one's."""


@dataclass(frozen=True)
class Norm:
    """Settings of batch normalisation.

    Attributes:
        epsilon: added to the variance.
        momentum: weight of the new batch, as PyTorch counts; Keras' word is one minus this.
        unbiased: whether the running variance divides by n - 1.
    """

    epsilon: float
    momentum: float
    unbiased: bool


NORMS: dict[Side, Norm] = {"torch": Norm(1e-5, 0.1, True), "keras": Norm(1e-3, 0.01, False)}


@dataclass(frozen=True)
class Default:
    """One default, on one side of one example.

    Attributes:
        name: ``initialiser``.
        title: words for people.
        native: what this framework does.
        matched: what the matched program does.
        other: what the other framework does, where that is another thing; else empty.
        moves: whether native is another program than matched.
        luck: native differs from matched by its random numbers alone.
    """

    name: str
    title: str
    native: str
    matched: str
    other: str = ""
    moves: bool = True
    luck: bool = False


@dataclass(frozen=True)
class _Matched:
    """What the matched programs of a pair state that both frameworks have a default for.

    Attributes:
        adam: whose Adam both sides compute; None where the optimizer is one equation anyway.
        norm: of batch normalisation, where there is some.
    """

    adam: Side | None
    norm: Norm | None = None


# By example and pair. That the models and optimizers of the twins are so is tested.
_MATCHED: dict[tuple[str, str], _Matched] = {
    ("iris_mlp", "matched"): _Matched(None, Norm(1e-5, 0.1, False)),
    ("softmax_regression", "matched"): _Matched(None),
    ("fashion_mlp", "matched"): _Matched("keras"),
    ("fashion_cnn", "matched"): _Matched("keras"),
    ("cifar_mlp", "matched"): _Matched("keras"),
    ("binary_cnn", "matched"): _Matched("keras"),
    ("digit_cnn", "matched"): _Matched("keras"),
    ("sequential_cnn", "matched"): _Matched("keras"),
    ("regularisation", "plain"): _Matched("torch"),
    ("regularisation", "dropout"): _Matched("torch"),
    ("regularisation", "biased"): _Matched("torch", Norm(1e-5, 0.9, False)),
    ("transfer_learning", "pretrain"): _Matched(None, Norm(1e-3, 0.1, False)),
    ("divergence", "matched"): _Matched("keras", Norm(1e-5, 0.1, False)),
}

_OTHERS: dict[Side, Side] = {"torch": "keras", "keras": "torch"}
_ADAMS: dict[Side, str] = {
    "torch": "epsilon 1e-8 after the bias correction",
    "keras": "epsilon 1e-7 before the bias correction, betas in float32",
}
_INITIALISERS: dict[Side, str] = {
    "torch": "uniform within 1/√fan_in, kernels and biases",
    "keras": "Glorot-uniform kernels, zero biases",
}
_SHUFFLES: dict[Side, str] = {
    "torch": "`DataLoader`'s: a new permutation every epoch",
    "keras": "`fit`'s: a permutation, with a global seed the same one in every epoch",
}


def pairs(spec: ExampleSpec) -> tuple[ComparedPair, ...]:
    """The pairs of an example that have a native division; the headline, if any, comes first."""
    return tuple(pair for pair in spec.pairs if (spec.name, pair.name) in _MATCHED)


def find(spec: ExampleSpec, name: str = "") -> ComparedPair:
    """The pair of this name; without one, the headline.

    Raises:
        UsageError: there is no native division of it.
    """
    found = [pair for pair in pairs(spec) if pair.name == (name or spec.pairs[0].name)]
    if not found:
        known = ", ".join(pair.name for pair in pairs(spec)) or "none"
        raise UsageError(
            f"{spec.name} has no native division of '{name or spec.pairs[0].name}'; expected one "
            f"of its pairs that train to the end: {known}."
        )
    return found[0]


def defaults(spec: ExampleSpec, side: Side, pair: ComparedPair) -> tuple[Default, ...]:
    """The defaults that apply to a side of a pair, in their fixed order."""
    assert spec.training is not None
    way = spec.training.way(pair.left if side == "torch" else pair.right)
    training = spec.training.of(way)
    return tuple(_each(training, side, _MATCHED[spec.name, pair.name]))


def _each(training: Training, side: Side, matched: _Matched) -> Iterator[Default]:
    other = _OTHERS[side]
    if side == "keras":
        yield Default(
            "fit",
            "`compile` and `fit`",
            "`compile` and `fit`",
            "a loop over `GradientTape`",
            luck=True,
        )
    kinds = {p.initial.kind for p in training.parameters if p.name.endswith("/kernel")}
    same = {"keras": "glorot_uniform", "torch": "uniform"}[side]
    yield Default(
        "initialiser",
        "initialiser",
        _INITIALISERS[side],
        _initial(training),
        _INITIALISERS[other],
        luck=kinds == {same},
    )
    if matched.adam is not None:
        yield Default(
            "optimizer",
            "Adam's epsilon and betas",
            _ADAMS[side],
            _ADAMS[matched.adam],
            _ADAMS[other],
            moves=matched.adam != side,
        )
    if matched.norm is not None:
        yield from _norms(side, matched.norm)
    if training.masks:
        rate = training.masks[0].rate
        yield Default(
            "dropout",
            "dropout's stream",
            f"its own masks, rate {rate}",
            f"masks drawn for both sides, rate {rate}",
            luck=True,
        )
    yield Default(
        "shuffling",
        "shuffling",
        _SHUFFLES[side],
        "a new permutation every epoch, the same on both sides",
        _SHUFFLES[other],
        luck=side == "torch",
    )


def _norms(side: Side, matched: Norm) -> Iterator[Default]:
    own, other = NORMS[side], NORMS[_OTHERS[side]]
    for name, title, tell in _NORM_FIELDS:
        attribute = name.removeprefix("batch_norm_")
        native, stated, foreign = (getattr(n, attribute) for n in (own, matched, other))
        yield Default(
            name, title, tell(native), tell(stated), tell(foreign), moves=native != stated
        )


_NORM_FIELDS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("batch_norm_epsilon", "BatchNorm's epsilon", lambda value: f"{value:g}"),
    (
        "batch_norm_momentum",
        "BatchNorm's momentum",
        lambda value: f"{value:g} of the new, {1 - value:g} of the old",
    ),
    (
        "batch_norm_unbiased",
        "BatchNorm's running variance",
        lambda value: "unbiased, n − 1" if value else "biased, n",
    ),
)


def _initial(training: Training) -> str:
    """How the spec draws kernels and biases, in words."""
    words = {
        "glorot_uniform": "Glorot-uniform",
        "uniform": "uniform within 1/√fan_in",
        "normal": "normal",
        "constant": "zero",
    }
    told = {
        role: list(
            dict.fromkeys(
                words.get(p.initial.kind, p.initial.kind)
                + (f"({p.initial.scale:g})" if p.initial.kind == "normal" else "")
                for p in training.parameters
                if p.name.endswith(f"/{role}")
            )
        )
        for role in ("kernel", "bias")
    }
    parts = [f"{' or '.join(kinds)} {role}" for role, kinds in told.items() if kinds]
    return ", ".join(parts) + "; drawn for both sides"
